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

    # "List Properties", "List Leads", "List Meter Readings": how long after its creation something
    # stays out of the list.
    list_lag: float = 0.0

    # "List Leads": the example has `per_page` 50.
    lead_page_size: int = 50

    # Lists: whether their `meta` reports a total and a last page. "as printed": those of leads
    # and of a branch's orders do; the other values are for all lists.
    list_meta: Literal["as printed", "everywhere", "total", "last page", "nothing"] = "as printed"

    # Lists: by how much the total and the last page that are reported differ from the true ones.
    total_error: int = 0
    last_page_error: int = 0

    # Lists: after so many pages they are empty, whatever they report.
    page_cap: int | None = None

    # Lists: whether `page` counts; otherwise each page is the first one.
    pages_count: bool = True

    # Lists: whether they are sorted by nothing that is unique, so that items change places between
    # two pages.
    ties_move: bool = False

    # "List Properties", "List Leads": how many items others add after each page that is answered,
    # and which ids they delete, one after each page.
    others_add: int = 0
    others_delete: tuple[int, ...] = ()

    # Answers say which state of an emulator they come from, and its `list_lag` (the header
    # Homebox-Emulator), which no other server does.
    shows_instance: bool = True

    # "List Properties" prints `data` as one object; true answers so when a page holds one item.
    single_object_lists: bool = False

    # "List Properties": whether `partner_properties` also shows what other partners call a home;
    # the first of these references is another partner's for property 1, and so on.
    other_partner_references: tuple[str, ...] = ()

    # "List Properties", "List Leads": in which form a `property_reference` comes back.
    references_come_back: Literal["whole", "lower-case", "shortened"] = "whole"

    # "List Properties", "List Leads": what becomes of an address that was sent.
    addresses_come_back: Literal[
        "as-sent", "upper-case", "spelt-out", "four-lines", "respaced", "corrected"
    ] = "as-sent"

    # "List Properties": what `q` is compared with; the document has "Keywords for address".
    q_searches: Literal["address", "address-case-sensitive", "address-without-postcode"] = "address"

    # "List Property": no answer is printed; true shows `partner_properties` as the list does.
    get_shows_references: bool = True

    # "Create a Property": whether an address that is already there makes a second property;
    # otherwise the property that is there is answered with 200.
    repeated_address_makes_new: bool = True

    # "Create a Property": whether a reference that one of the partner's properties has is refused.
    unique_references: bool = False

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

    # "Create Lead", "Notifications Completed": whether a lead is complete, and `completed_at` set,
    # once the suppliers have been told.
    leads_complete: bool = True

    # "List Meter Readings", "List Postal Bills": the result of leaving `limit` out, and of asking
    # for too much.
    reading_page_size: int = 50
    max_reading_page_size: int = 100

    # "Create Meter Reading for an Order" prints a reading as it was sent and its day at midnight in
    # UTC. A decimal column would show "300.00", a server in London the evening before in summer.
    reading_decimals: int = 0
    reading_midnight: Literal["UTC", "Europe/London"] = "UTC"

    # "Branch Accounts": whether the partner's own calls also see what belongs to its branches.
    # The link to a branch's new order, .../api/partner/order/1, hints that they do.
    parent_sees_branches: bool = True

    # "List Bills Packages", "List Branch Bills Packages", "List Branch Accounts": page sizes.
    order_page_size: int = 50
    branch_page_size: int = 50

    # "List Bills Packages": whether `meta.order_count` counts the page or all orders.
    order_count_of: Literal["all", "page"] = "all"

    # "List Branch Bills Packages" prints an empty `household.address`: an abbreviation, or not.
    branch_orders_show_address: bool = True

    # "Create Branch Accounts": no table says which fields are required.
    required_branch_fields: tuple[str, ...] = ("name", "email")

    # "Create Tenant Bills Package", "Create Void Period": whether a known address means the
    # property that is there.
    package_reuses_property: bool = True

    # The example of "Create Void Period" answers with the status "Unknown", that of "Create
    # Partner Package" too; otherwise the property has the status of its new tenancy at once.
    new_tenancy_status: Literal["of its type", "unknown"] = "of its type"

    # "Create Partner Package" prints `data.id` and `data.tenancy.id`, both 1, and does not relate
    # them: this is added to the inner one.
    inner_tenancy_id_offset: int = 0

    # "Approval Orders": whether a new tenant package waits for approval; `activate` gives it.
    tenant_orders_need_approval: bool = True

    # "Create Tenant Bills Package": fields that are neither called optional nor required.
    required_order_fields: tuple[str, ...] = ("tenancy_end", "tenancy_move_in")

    # "Create Tenant Bills Package": whether an order remembers the lead that its property had.
    order_links_lead: bool = True

    # "Custom Package": "must be enabled on your account".
    custom_package: bool = True

    # "Get Tenant Package Quote": the coupons that exist; each halves the service charge.
    coupons: tuple[str, ...] = ("HOMEBOX",)

    # "Add Bill Payer", "Create Partner Package": whether bank details must be as "Update Tenant
    # Mandate" asks: a name of 2 to 18 characters, 8 digits, 6 digits.
    strict_bank_details: bool = True

    # "Add Bill Payer": whether there may be more payers than the order's `bill_payers`.
    extra_payers: bool = True

    # "Invite Bill Payer": whether inviting a phone number again counts up `total_sent`;
    # otherwise it makes another invite.
    repeated_invite_counts_up: bool = True

    # "Get Tenant Mandate": the status that a new bill payer's mandate has.
    new_mandate_status: str = "submitted"

    # "List Payments": when they are taken is not said: when `activate` makes the order active,
    # and whenever `take_payments` is called.
    payments_at_activation: bool = True

    # "List Payments" prints the ids 1 (pending) and 2 (success).
    failed_payment_status_id: int = 3
    cancelled_payment_status_id: int = 4

    # "Replace Payment": which payments can be replaced.
    replaceable_payments: tuple[str, ...] = ("pending", "failed")

    # "Create Void Period": fields that are neither called optional nor required.
    required_void_fields: tuple[str, ...] = (
        "property_empty",
        "responsible_tenant",
        "responsible_address",
    )

    # Billing API: the spelling of the path of documents that exists.
    billing_document_path: Literal["BillingDoculment", "BillingDocument", "both"] = (
        "BillingDoculment"
    )

    # Billing API: how long a token of /users/authenticate is valid; the vendor's sample: 300.
    billing_token_seconds: float = 300.0

    # Billing API: whether calls need the header `istaAdministratorIds`.
    billing_needs_administrators: bool = True

    # PHP's default `post_max_size`.
    max_body_bytes: int = 8 * 1024 * 1024

    # nginx's default; the server closes connections that were idle for longer.
    keepalive_timeout: float = 75.0
