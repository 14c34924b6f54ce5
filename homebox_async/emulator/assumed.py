"""What the documents do not say: every such behaviour of the emulator, in one place."""

from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class Assumed:
    """The switches for behaviour on which the Partner API documents are silent.

    Pass an instance with other values to `Emulator` to rehearse a service that behaves otherwise.
    """

    # "Create ..." headings: no success code is documented; Laravel resources answer 201.
    create_status: int = 201

    # "Errors": 400 is "your request is invalid"; plain Laravel would answer 422 instead.
    malformed_json_status: Literal[400, 422] = 400

    # "List Properties": the answer tells neither page size nor order.
    property_page_size: int = 50
    list_order: Literal["oldest-first", "newest-first"] = "oldest-first"

    # "List Properties": how long after its creation a property stays out of the list.
    list_lag: float = 0.0

    # "List Properties" prints `data` as one object; true answers so when a page holds one item.
    single_object_lists: bool = False

    # "List Property": no answer is printed; true shows `partner_properties` as the list does.
    get_shows_references: bool = True

    # "Create a Property": whether an address that is already there makes a second property;
    # otherwise the property that is there is answered with 200.
    repeated_address_makes_new: bool = True

    # "Create a Property": which parts a "complete address" cannot do without.
    required_address_fields: tuple[str, ...] = ("line1", "city", "postcode")

    # The examples show `external_id` values that "Find an Address" also shows as `address_id`.
    address_id_as_external_id: bool = True

    # Laravel's default text columns hold 255 characters.
    max_text: int = 255

    # "Find an Address": how many stored properties join the generated addresses.
    find_limit: int = 20

    # "Create Lead": whether a lead at a known address belongs to the property that is there.
    lead_reuses_property: bool = True

    # "Create Lead": whether a tenancy may end before it starts.
    tenancy_end_after_start: bool = True

    # "Create Lead": "within two weeks" does not say whether the two weeks before today count.
    invite_past_starts: bool = True

    # "List Meter Readings": the result of leaving `limit` out, and of asking for too much.
    reading_page_size: int = 50
    max_reading_page_size: int = 100

    # PHP's default `post_max_size`.
    max_body_bytes: int = 8 * 1024 * 1024

    # nginx's default; the server closes connections that were idle for longer.
    keepalive_timeout: float = 75.0
