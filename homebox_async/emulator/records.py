"""The rows of the store: small frozen records that the state log writes as JSON lists."""

from collections.abc import Callable
from operator import attrgetter
from sys import intern
from typing import Annotated, Any, ClassVar, Self, cast

import attrs
import msgspec

from .addresses import Address

Time = Annotated[float, msgspec.Meta(ge=0, lt=32503680000)]
"""Seconds since 1970, before the year 3000."""

# The id of the partner account itself; those of its branches follow.
PARTNER = 1


def shared(text: str | None) -> str | None:
    """Return the one copy of this text that all rows share."""
    return None if text is None else intern(text)


class Record:
    """A row: it can be written as the list of its values and loaded from it."""

    __slots__ = ()
    table: ClassVar[str]
    _reader: ClassVar[Callable[[Any], tuple[object, ...]]]

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        # attrgetter reads all fields in one C call: attrs.astuple costs ten times as much.
        cls._reader = attrgetter(*[field.name for field in attrs.fields(cast(Any, cls))])

    def values(self) -> tuple[object, ...]:
        """Return the values of the row in the order of its fields."""
        return type(self)._reader(self)

    @classmethod
    def checked(cls, values: list[Any]) -> Self:
        """Return the row that `load` does; ValueError for values of other kinds than the fields."""
        row = cls.load(values)
        msgspec.convert(msgspec.to_builtins(row), cls)
        return row

    @classmethod
    def load(cls, values: list[Any]) -> Self:
        """Return the row that was written as these values."""
        return cls(*values)


@attrs.frozen(weakref_slot=False)
class Instance(Record):
    """One state of an emulator: its random `id` is kept with it."""

    table: ClassVar[str] = "instance"

    id: str
    made_at: Time


@attrs.frozen(weakref_slot=False)
class Account(Record):
    """The partner's account."""

    table: ClassVar[str] = "account"

    name: str
    management_fee: str
    reference_number: str
    image_path: str
    theme_color_primary: str


@attrs.frozen(weakref_slot=False)
class KnownAddress(Record):
    """An address that "Find an Address" has shown, kept under its `address_id`."""

    table: ClassVar[str] = "address"

    line1: str
    line2: str | None
    city: str | None
    county: str | None
    postcode: str
    address_id: str


@attrs.frozen(weakref_slot=False)
class Property(Record):
    """A property of the portfolio."""

    table: ClassVar[str] = "property"

    id: int
    line1: str
    line2: str | None
    city: str | None
    county: str | None
    postcode: str
    status_id: int
    created_at: Time
    updated_at: Time
    external_id: str | None
    reference: str | None
    partner_id: int = PARTNER

    @classmethod
    def load(cls, values: list[Any]) -> Self:
        """Return the property; towns repeat, so all properties share one copy of each name."""
        row_id, line1, line2, city, county, *rest = values
        return cls(row_id, line1, line2, shared(city), shared(county), *rest)


@attrs.frozen(weakref_slot=False)
class Tenant(Record):
    """A tenant of a lead."""

    table: ClassVar[str] = "tenant"

    id: int
    first_name: str = attrs.field(repr=False)
    last_name: str = attrs.field(repr=False)
    phone_number: str = attrs.field(repr=False)
    email_address: str = attrs.field(repr=False)


@attrs.frozen(weakref_slot=False)
class Lead(Record):
    """A lead; the tenancy's dates are ISO dates."""

    table: ClassVar[str] = "lead"

    id: int
    property_id: int | None
    tenancy_start: str
    tenancy_end: str
    existing_tenancy: bool
    notifications: bool
    managing_party_name: str | None
    reference: str | None
    tenants: tuple[Tenant, ...]
    created_at: Time
    partner_id: int = PARTNER

    @classmethod
    def load(cls, values: list[Any]) -> Self:
        """Return the lead with its tenants."""
        *before, tenants, created_at, partner_id = values
        rest: list[Any] = [tuple(Tenant(*tenant) for tenant in tenants), created_at, partner_id]
        return cls(*before, *rest)


@attrs.frozen(weakref_slot=False)
class Reading(Record):
    """A meter reading; `order_id` is set when it was given for an order."""

    table: ClassVar[str] = "reading"

    id: int
    property_id: int
    order_id: int | None
    type: str
    reading: str
    reading2: str | None
    date_of_reading: str
    source: str | None
    created_at: Time


@attrs.frozen
class NewTenant:
    """A tenant as a lead brings them, before they have an id."""

    first_name: str = attrs.field(repr=False)
    last_name: str = attrs.field(repr=False)
    phone_number: str = attrs.field(repr=False)
    email_address: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class NewLead:
    """A lead as it is sent, before it has an id; dates are ISO dates."""

    address: Address | None
    tenancy_start: str
    tenancy_end: str
    existing_tenancy: bool = False
    notifications: bool = True
    managing_party_name: str | None = None
    reference: str | None = None
    tenants: tuple[NewTenant, ...] = ()
    partner_id: int = PARTNER
