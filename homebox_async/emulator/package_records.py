"""The rows of bills packages: tenancies, orders, their people and their payments."""

from collections.abc import Iterable
from typing import Any, ClassVar, Literal, Self

import attrs

from .records import Record, Time

# What a tenancy is; `tenancy_type` and `responsibility` in answers follow from it.
Kind = Literal["tenant", "partner", "void"]


def _numbers(values: Iterable[int]) -> tuple[int, ...]:
    # The state log brings tuples back as lists.
    return tuple(values)


@attrs.frozen(weakref_slot=False)
class Contact(Record):
    """The tenant who is responsible for a void period."""

    table: ClassVar[str] = "contact"

    first_name: str | None = attrs.field(repr=False)
    last_name: str | None = attrs.field(repr=False)
    email_address: str | None = attrs.field(repr=False)
    phone_number: str | None = attrs.field(repr=False)


@attrs.frozen(weakref_slot=False)
class Lines(Record):
    """An address as requests spell it."""

    table: ClassVar[str] = "lines"

    line1: str | None = attrs.field(repr=False)
    line2: str | None = attrs.field(repr=False)
    city: str | None = attrs.field(repr=False)
    county: str | None = attrs.field(repr=False)
    postcode: str | None = attrs.field(repr=False)


@attrs.frozen(weakref_slot=False)
class Void(Record):
    """What only a void period has."""

    table: ClassVar[str] = "void"

    is_premium: bool
    property_empty: bool | None
    notifications: bool
    tenant: Contact | None
    address: Lines | None

    @classmethod
    def load(cls, values: list[Any]) -> Self:
        """Return the void with its tenant and address."""
        is_premium, property_empty, notifications, tenant, address = values
        return cls(
            is_premium,
            property_empty,
            notifications,
            None if tenant is None else Contact.load(tenant),
            None if address is None else Lines.load(address),
        )


@attrs.frozen(weakref_slot=False)
class Tenancy(Record):
    """A tenancy of a property, with a bills package or void; the dates are ISO dates."""

    table: ClassVar[str] = "tenancy"

    id: int
    property_id: int
    partner_id: int
    kind: Kind
    start: str
    end: str | None
    move_in: str
    created_at: Time
    updated_at: Time
    order_id: int | None = None
    void: Void | None = None

    @classmethod
    def load(cls, values: list[Any]) -> Self:
        """Return the tenancy with its void."""
        *before, void = values
        rest: list[Any] = [None if void is None else Void.load(void)]
        return cls(*before, *rest)


@attrs.frozen(weakref_slot=False)
class Order(Record):
    """A bills package; `bills` are those of the package and the add-ons together."""

    table: ClassVar[str] = "order"

    id: int
    property_id: int
    tenancy_id: int
    partner_id: int
    package_id: int
    add_ons: tuple[int, ...] = attrs.field(converter=_numbers)
    bills: tuple[int, ...] = attrs.field(converter=_numbers)
    housemates: int
    bill_payers: int
    reference: str
    payment_method: str
    discounted: bool
    status_id: int
    from_lead_id: int | None
    account_name: str | None = attrs.field(repr=False)
    created_at: Time
    updated_at: Time


@attrs.frozen(weakref_slot=False)
class Invite(Record):
    """An invited bill payer, last told at `sent_at`; `gone` when deleted or signed up."""

    table: ClassVar[str] = "invite"

    id: int
    order_id: int
    first_name: str = attrs.field(repr=False)
    last_name: str = attrs.field(repr=False)
    phone_number: str = attrs.field(repr=False)
    total_sent: int
    sent_at: Time
    created_at: Time
    gone: bool = False


@attrs.frozen(weakref_slot=False)
class Payer(Record):
    """A bill payer with the status of their mandate; `gone` when removed."""

    table: ClassVar[str] = "payer"

    id: int
    order_id: int
    first_name: str = attrs.field(repr=False)
    last_name: str = attrs.field(repr=False)
    email: str = attrs.field(repr=False)
    phone_number: str = attrs.field(repr=False)
    birthday: str = attrs.field(repr=False)
    nationality: str = attrs.field(repr=False)
    account_name: str = attrs.field(repr=False)
    mandate: str
    created_at: Time
    gone: bool = False


@attrs.frozen(weakref_slot=False)
class Payment(Record):
    """One attempt to take money; a replaced one and its successor name each other."""

    table: ClassVar[str] = "payment"

    id: int
    order_id: int
    amount: str
    method: str
    status: str
    attempt: int
    previous_id: int | None
    next_id: int | None
    email: str | None = attrs.field(repr=False)
    first_name: str = attrs.field(repr=False)
    last_name: str = attrs.field(repr=False)
    paid_at: Time | None
    created_at: Time


@attrs.frozen(weakref_slot=False)
class Payout(Record):
    """One payment to a supplier."""

    table: ClassVar[str] = "payout"

    id: int
    order_id: int
    bill_id: int
    created_at: Time
    paid_at: Time | None


@attrs.frozen(weakref_slot=False)
class PostalBill(Record):
    """A bill that came by post; `name` is the name of the stored file."""

    table: ClassVar[str] = "postal_bill"

    id: int
    order_id: int
    name: str
    notes: str | None
    created_at: Time


@attrs.frozen(weakref_slot=False)
class Branch(Record):
    """A child partner."""

    table: ClassVar[str] = "branch"

    id: int
    name: str
    email: str | None = attrs.field(repr=False)
    reference_number: str | None
    image_path: str | None
    theme_color_primary: str | None
    created_at: Time


@attrs.frozen(weakref_slot=False)
class Billing(Record):
    """A billing period of a building in the Billing API; the dates are ISO dates."""

    table: ClassVar[str] = "billing"

    id: int
    property_uuid: str
    start: str
    end: str
    updated_at: str
