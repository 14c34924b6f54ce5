"""What a tenant package costs: the document's headings "Calculating Prices" and "Custom Package".

A pure function over a quoted package; nothing is fetched. All amounts are pounds a month.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final, Protocol

import attrs

from .errors import Problem, ValidationError
from .rules import positive_integer
from .tidying import plain

# Whatever precision the caller's own context has, sums of money are exact here.
_MONEY: Final = Context(prec=50, rounding=ROUND_HALF_UP)
_LIMIT: Final = Decimal(10) ** 12  # pounds; sums of far more would overflow
_SERVICE_CHARGE = re.compile(r"\bservice[\s_-]*charge\b", re.IGNORECASE)


class QuotedPrice(Protocol):
    """What a bill costs with so many housemates."""

    @property
    def housemates(self) -> int | None:
        """How many people live there."""

    @property
    def price_per_housemate(self) -> Decimal | None:
        """What each of them pays."""

    @property
    def price_total(self) -> Decimal | None:
        """What the server says that all of them pay."""


class QuotedBill(Protocol):
    """A bill or an add-on with its prices."""

    @property
    def id(self) -> int | None:
        """What `add_ons` names it by."""

    @property
    def name(self) -> str | None:
        """Its name."""

    @property
    def title(self) -> str | None:
        """What to show."""

    @property
    def prices(self) -> Sequence[QuotedPrice]:
        """One for each number of housemates."""
        ...


class QuotedPackage(Protocol):
    """A package of a tenant quote."""

    @property
    def bills(self) -> Sequence[QuotedBill]:
        """What is included."""
        ...

    @property
    def addons(self) -> Sequence[QuotedBill]:
        """What may be chosen beside it."""
        ...


@attrs.frozen(kw_only=True)
class PriceLine:
    """One bill of a price; `name` is its title where it has one.

    `per_housemate` is what counts. `price_total` is the server's own total, shown and not used:
    3 x 7.33 is not 22.00.
    """

    id: int | None
    name: str
    per_housemate: Decimal
    price_total: Decimal | None = None


@attrs.frozen(kw_only=True)
class PackagePrice:
    """What a package costs a household, in pounds a month.

    `bills` are those of the package, `add_ons` the chosen ones, in the order they were given.
    The service charge is a bill of every package and has its own line here; None for a package
    that shows none. All three are in the sums.

    `per_tenant`: the sum of the lines. `household`: that times the occupants. Both are exact.
    `per_bill_payer`: the household's divided by the bill payers, exact where the division ends,
    with 50 digits where it does not; it is not rounded to pence. `shares` is what can be paid.
    """

    occupants: int
    bill_payers: int
    bills: tuple[PriceLine, ...]
    add_ons: tuple[PriceLine, ...]
    service_charge: PriceLine | None
    per_tenant: Decimal
    household: Decimal
    per_bill_payer: Decimal

    @property
    def lines(self) -> tuple[PriceLine, ...]:
        """Every line: bills, add-ons, the service charge."""
        charge = () if self.service_charge is None else (self.service_charge,)
        return (*self.bills, *self.add_ons, *charge)

    @property
    def shares(self) -> tuple[Decimal, ...]:
        """What each bill payer pays, in whole pence, the sum of which is the household's price.

        No two differ by more than a penny; the first ones pay the pennies that are left over.
        A household's price with parts of a penny is rounded first, half up.
        """
        pence = int(self.household.scaleb(2, _MONEY).to_integral_value(ROUND_HALF_UP))
        each, left = divmod(pence, self.bill_payers)
        return tuple(
            Decimal(each + (payer < left)).scaleb(-2, _MONEY) for payer in range(self.bill_payers)
        )


def price_package(
    package: QuotedPackage,
    *,
    occupants: int,
    bill_payers: int | None = None,
    add_ons: Sequence[int] = (),
) -> PackagePrice:
    """Return what a quoted package costs with the chosen add-ons.

    `package`: of a tenant quote. `occupants`: how many tenants live there; it decides which
    price of a bill holds. `bill_payers`: how many of them pay, all of them by default.
    `add_ons`: ids of the package's add-ons; a custom package has no other bills than these and
    the service charge.
    Raises ValidationError with all that is wrong: no price for that number of tenants, a price
    that is no sum of money (a trillion pounds and more would overflow), an
    add-on that is unknown or named twice, more bill payers than occupants, numbers below 1.
    Source: "Calculating Prices", "Custom Package".
    """
    occupants, bill_payers = plain(occupants), plain(bill_payers)
    wrong = _number_problems(occupants, bill_payers)
    chosen, problems = _chosen(package.addons, add_ons)
    wrong += problems
    if wrong:
        raise ValidationError(wrong)
    included = list(_lines("bills", package.bills, occupants, wrong))
    extra = list(_lines("addons", chosen, occupants, wrong))
    if wrong:
        raise ValidationError(wrong)
    per_tenant = Decimal(0)
    for line in (*included, *extra):
        per_tenant = _MONEY.add(per_tenant, line.per_housemate)
    household = _MONEY.multiply(per_tenant, Decimal(occupants))
    payers = occupants if bill_payers is None else bill_payers
    charges = (
        line
        for bill, line in zip(package.bills, included, strict=True)
        if _SERVICE_CHARGE.search(f"{bill.name}\n{bill.title}")
    )
    charge = next(charges, None)
    return PackagePrice(
        occupants=occupants,
        bill_payers=payers,
        bills=tuple(line for line in included if line is not charge),
        add_ons=tuple(extra),
        service_charge=charge,
        per_tenant=per_tenant,
        household=household,
        per_bill_payer=_MONEY.divide(household, Decimal(payers)),
    )


def _number_problems(occupants: int, bill_payers: int | None) -> list[Problem]:
    wrong = [
        Problem(name, *fault)
        for name, number in (("total_occupants", occupants), ("bill_payers", bill_payers))
        if (name, number) != ("bill_payers", None) and (fault := positive_integer(number))
    ]
    if not wrong and bill_payers is not None and bill_payers > occupants:
        wrong.append(
            Problem("bill_payers", "is above total_occupants", "give no more than live there")
        )
    return wrong


def _chosen(
    addons: Sequence[QuotedBill], ids: Sequence[int]
) -> tuple[list[QuotedBill], list[Problem]]:
    """Return the add-ons with these ids, and what is wrong with the ids."""
    offered = {addon.id: addon for addon in addons if addon.id is not None}
    known = ", ".join(map(str, offered)) or "none: this package has no add-ons"
    found: dict[int, QuotedBill] = {}
    wrong: list[Problem] = []
    for index, number in enumerate(map(plain, ids)):
        field = f"add_ons.{index}"
        fault = positive_integer(number)
        if fault is not None:
            wrong.append(Problem(field, *fault))
        elif number in found:
            wrong.append(Problem(field, "is chosen twice", "name each add-on once"))
        elif number not in offered:
            wrong.append(Problem(field, "is no add-on of this package", f"give one of {known}"))
        else:
            found[number] = offered[number]
    return list(found.values()), wrong


def _lines(
    where: str, bills: Sequence[QuotedBill], occupants: int, wrong: list[Problem]
) -> Iterator[PriceLine]:
    """Yield a line for each bill that has one price for so many people; note the others."""
    for bill in bills:
        field = f"{where}.{bill.id}.prices"
        offered = [
            (price.price_per_housemate, price)
            for price in bill.prices
            if price.housemates == occupants and price.price_per_housemate is not None
        ]
        if not all(each.is_finite() and each.copy_abs() < _LIMIT for each, _ in offered):
            wrong.append(Problem(field, "has a price that is no sum of money", _ASK))
            continue
        prices = dict(offered)
        if len(prices) == 1:
            ((each, price),) = prices.items()
            yield PriceLine(
                id=bill.id,
                name=bill.title or bill.name or "",
                per_housemate=each,
                price_total=price.price_total,
            )
        elif prices:
            wrong.append(Problem(field, f"has several prices for {occupants} housemates", _ASK))
        else:
            told = sorted({price.housemates for price in bill.prices if price.housemates})
            fix = f"it has prices for {', '.join(map(str, told))}" if told else _ASK
            wrong.append(Problem(field, f"has no price for {occupants} housemates", fix))


_ASK = "ask for a new quote"
