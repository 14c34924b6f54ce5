"""The catalogue: which bills exist, what they cost, and which packages hold them."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import attrs

from .addresses import compact

# Orders may hold this many housemates: the catalogue has no price for more.
MOST_HOUSEMATES = 10

ENERGY, WATER, SERVICE, BROADBAND, TV, LICENCE, COUNCIL_TAX = 1, 2, 3, 20, 25, 27, 35

_CENT = Decimal("0.01")

# Water companies and councils by postcode area.
_REGIONS = {
    "B": ("Severn Trent", "Birmingham City Council"),
    "BN": ("Southern Water", "Lewes District Council"),
    "L": ("United Utilities", "Liverpool City Council"),
    "M": ("United Utilities", "Manchester City Council"),
    "OX": ("Thames Water", "Oxford City Council"),
}
_DEFAULT_REGION = ("Thames Water", "Westminster City Council")


@attrs.frozen
class Bill:
    """A bill: `first` is the price for one housemate, `step` what each other one adds."""

    id: int
    group_id: int
    group: str
    provider: str | Literal["water", "council"]
    first: Decimal
    step: Decimal
    is_essential: bool = False

    def total(self, housemates: int, *, discounted: bool = False) -> Decimal:
        """Return the monthly price for the household; a coupon halves the service charge."""
        total = self.first + self.step * (housemates - 1)
        return _cents(total / 2) if discounted and self.id == SERVICE else total

    def each(self, housemates: int, *, discounted: bool = False) -> Decimal:
        """Return the monthly price per housemate, rounded: three of them need not be the total."""
        return _cents(self.total(housemates, discounted=discounted) / housemates)

    def provider_at(self, postcode: str) -> str:
        """Return the provider; those of water and council tax depend on the postcode."""
        area = compact(postcode)[:2].rstrip("0123456789")
        water, council = _REGIONS.get(area, _DEFAULT_REGION)
        return {"water": water, "council": council}.get(self.provider, self.provider)


def _bill(
    bill_id: int, group_id: int, group: str, provider: str, prices: str, *, essential: bool = False
) -> Bill:
    first, step = map(Decimal, prices.split())
    return Bill(bill_id, group_id, group, provider, first, step, essential)


# The prices of energy, TV licence and service charge give the totals that "List Bills" and
# "Get Partner Package Quote" print.
BILLS = {
    each.id: each
    for each in (
        _bill(ENERGY, 1, "Renewable Energy", "Rebel Energy", "80.00 12.50", essential=True),
        _bill(WATER, 2, "Water", "water", "30.00 6.00", essential=True),
        _bill(SERVICE, 3, "Service Charge", "Homebox", "6.50 7.75"),
        _bill(BROADBAND, 4, "Broadband", "Plusnet", "27.99 0.00"),
        _bill(TV, 5, "TV", "Sky", "25.00 0.00"),
        _bill(LICENCE, 6, "TV Licence", "TV Licensing", "15.00 0.00"),
        _bill(COUNCIL_TAX, 7, "Council Tax", "council", "110.00 36.00"),
    )
}


@attrs.frozen
class Package:
    """A package: `bills` are in it, all the others are its add-ons."""

    id: int
    name: str
    title: str
    description: str
    bills: tuple[int, ...]

    def add_ons(self, *, is_student: bool) -> tuple[int, ...]:
        """Return the ids of the bills that can be added; students pay no council tax."""
        return tuple(
            each
            for each in BILLS
            if each not in self.bills and not (is_student and each == COUNCIL_TAX)
        )


_BASICS = "Gas, electricity, clean & waste water"
_WIFI = f"{_BASICS}, unlimited Plusnet broadband (speeds up to 18MBPS)"

CUSTOM = 4
PACKAGES = {
    each.id: each
    for each in (
        Package(1, "Bronze", "Essentials", _BASICS, (ENERGY, WATER, SERVICE)),
        Package(2, "Silver", "Essentials + WiFi", _WIFI, (ENERGY, WATER, SERVICE, BROADBAND)),
        Package(
            3,
            "Gold",
            "Essentials + WiFi & TV",
            f"{_WIFI}, Sky TV (Entertainment Package)",
            (ENERGY, WATER, SERVICE, BROADBAND, TV),
        ),
        # "Custom Package": "no bills included by default (except the service charge)"
        Package(CUSTOM, "Custom", "Custom", "Choose your bills", (SERVICE,)),
    )
}


def money(amount: Decimal) -> str:
    """Return an amount as prices are printed: "101.50"."""
    return str(_cents(amount))


def short_money(amount: Decimal) -> str:
    """Return an amount as totals are printed: "101.5"."""
    return str(_cents(amount)).rstrip("0").rstrip(".")


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
