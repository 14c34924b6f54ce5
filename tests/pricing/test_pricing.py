"""What a package costs, by "Calculating Prices" and "Custom Package"."""

from collections.abc import Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homebox_async import ValidationError
from homebox_async.pricing import PackagePrice, PriceLine, price_package
from homebox_async.resources.packages import PackageBill, Price, TenantPackage


def bill(number: int | None, name: str, *each: str, title: str | None = None) -> PackageBill:
    """Return a bill with a price for 1, 2, ... housemates."""
    prices = tuple(
        Price(housemates=count, price_per_housemate=Decimal(amount))
        for count, amount in enumerate(each, 1)
    )
    return PackageBill(id=number, name=name, title=title, prices=prices)


ENERGY = bill(1, "Renewable Energy", "80.00", "45.5", "35.00")
LICENCE = bill(2, "TV Licence", "15.00", "7.5", "5")
CHARGE = bill(3, "Service Charge", "6.50", "7", "7.33")
BROADBAND = bill(35, "bb", "20.00", "10.00", "6.67", title="Broadband")
COUNCIL_TAX = bill(36, "Council Tax", "99.99", "50.01")
PRESET = TenantPackage(
    id=1, name="Bronze", bills=(ENERGY, LICENCE, CHARGE), addons=(BROADBAND, COUNCIL_TAX)
)
CUSTOM = TenantPackage(id=4, name="Custom", bills=(CHARGE,), addons=(ENERGY, BROADBAND))


def fields(refused: pytest.ExceptionInfo[ValidationError]) -> list[str]:
    """Return what the problems are about."""
    return [problem.field for problem in refused.value.problems]


def test_preset_package() -> None:
    """The document's order: sum of the bills, times the tenants, divided by the bill payers."""
    expected = PackagePrice(
        occupants=3,
        bill_payers=2,
        bills=(
            PriceLine(id=1, name="Renewable Energy", per_housemate=Decimal("35.00")),
            PriceLine(id=2, name="TV Licence", per_housemate=Decimal("5")),
        ),
        add_ons=(PriceLine(id=35, name="Broadband", per_housemate=Decimal("6.67")),),
        service_charge=PriceLine(id=3, name="Service Charge", per_housemate=Decimal("7.33")),
        per_tenant=Decimal("54.00"),
        household=Decimal("162.00"),
        per_bill_payer=Decimal("81.00"),
    )

    assert expected == price_package(PRESET, occupants=3, bill_payers=2, add_ons=[35])


def test_everybody_pays_by_default() -> None:
    """Without a number of bill payers all occupants pay, as the order's default has it."""
    price = price_package(PRESET, occupants=1)

    assert (1, Decimal("101.50"), (Decimal("101.50"),)) == (
        price.bill_payers,
        price.household,
        price.shares,
    )


def test_custom_package() -> None:
    """A custom package holds the service charge and nothing but the add-ons that were chosen."""
    bare = price_package(CUSTOM, occupants=2)
    built = price_package(CUSTOM, occupants=2, add_ons=[35, 1])

    assert ((), (), Decimal("7")) == (bare.bills, bare.add_ons, bare.per_tenant)
    assert ((), [35, 1], Decimal("62.5")) == (
        built.bills,
        [line.id for line in built.add_ons],
        built.per_tenant,
    )
    assert [35, 1, 3] == [line.id for line in built.lines]


@pytest.mark.parametrize(
    ("charge", "found"),
    [
        pytest.param(bill(9, "SERVICE CHARGE", "1"), True, id="capitals"),
        pytest.param(bill(9, "service-charge", "1", title="Our part"), True, id="by its name"),
        pytest.param(bill(9, "fee", "1", title="Service charge (monthly)"), True, id="by title"),
        pytest.param(bill(None, "Service Charge", "1"), True, id="without id"),
        pytest.param(bill(9, "Broadband Service", "1"), False, id="another service"),
        pytest.param(PackageBill(id=9, prices=CHARGE.prices), False, id="without a name"),
    ],
)
def test_service_charge(charge: PackageBill, found: bool) -> None:
    """The service charge is told by its name or title, and counts either way."""
    price = price_package(TenantPackage(bills=(charge,)), occupants=1)

    assert (found, 1, charge.prices[0].price_per_housemate) == (
        price.service_charge is not None,
        len(price.lines),
        price.per_tenant,
    )


def test_price_total_is_shown() -> None:
    """The server's own total is shown beside and not used."""
    prices = (
        Price(housemates=3, price_per_housemate=Decimal("7.33"), price_total=Decimal("22.00")),
    )
    price = price_package(
        TenantPackage(bills=(PackageBill(id=1, name="Service Charge", prices=prices),)),
        occupants=3,
    )

    assert price.service_charge is not None
    assert (Decimal("22.00"), Decimal("21.99")) == (
        price.service_charge.price_total,
        price.household,
    )


def test_shares_add_up() -> None:
    """The pennies that are left over go to the first bill payers."""
    price = price_package(PRESET, occupants=3, bill_payers=3, add_ons=[])
    odd = price_package(TenantPackage(bills=(bill(1, "x", "0", "50.01"),)), occupants=2)

    assert (Decimal("47.33"),) * 3 == price.shares
    assert (Decimal("50.01"), Decimal("50.01")) == odd.shares
    third = priced_at(household=Decimal("100.00"), bill_payers=3)
    assert (Decimal("33.34"), Decimal("33.33"), Decimal("33.33")) == third.shares


def priced_at(household: Decimal, bill_payers: int) -> PackagePrice:
    """Return a price of which only the household's counts."""
    return PackagePrice(
        occupants=bill_payers,
        bill_payers=bill_payers,
        bills=(),
        add_ons=(),
        service_charge=None,
        per_tenant=Decimal(0),
        household=household,
        per_bill_payer=Decimal(0),
    )


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        pytest.param({"occupants": 0}, ["total_occupants"], id="nobody"),
        pytest.param({"occupants": -1}, ["total_occupants"], id="less than nobody"),
        pytest.param({"occupants": True}, ["total_occupants"], id="no number"),
        pytest.param({"occupants": None}, ["total_occupants"], id="not given"),
        pytest.param({"occupants": 2.0}, ["total_occupants"], id="no whole number"),
        pytest.param({"occupants": 2, "bill_payers": 3}, ["bill_payers"], id="more than live"),
        pytest.param({"occupants": 2, "bill_payers": 0}, ["bill_payers"], id="nobody pays"),
        pytest.param(
            {"occupants": 0, "bill_payers": -1},
            ["total_occupants", "bill_payers"],
            id="both numbers",
        ),
        pytest.param({"occupants": 1, "add_ons": [7]}, ["add_ons.0"], id="unknown add-on"),
        pytest.param({"occupants": 1, "add_ons": [1]}, ["add_ons.0"], id="included bill"),
        pytest.param({"occupants": 1, "add_ons": [35, 36, 35]}, ["add_ons.2"], id="twice"),
        pytest.param(
            {"occupants": 1, "add_ons": ["35", True]}, ["add_ons.0", "add_ons.1"], id="text"
        ),
        pytest.param(
            {"occupants": 4},
            ["bills.1.prices", "bills.2.prices", "bills.3.prices"],
            id="no price for so many",
        ),
        pytest.param(
            {"occupants": 3, "add_ons": [36]}, ["addons.36.prices"], id="no price of an add-on"
        ),
        pytest.param(
            {"occupants": 0, "add_ons": [7, 8]},
            ["total_occupants", "add_ons.0", "add_ons.1"],
            id="several at once",
        ),
    ],
)
def test_refused(options: Any, wrong: list[str]) -> None:
    """All that is wrong is named at once, in the API's words."""
    with pytest.raises(ValidationError) as refused:
        price_package(PRESET, **options)

    assert wrong == fields(refused)


def test_refusals_name_the_fix() -> None:
    """A problem says what there is."""
    with pytest.raises(ValidationError) as refused:
        price_package(PRESET, occupants=4)
    assert "bills.1.prices has no price for 4 housemates; it has prices for 1, 2, 3" == str(
        refused.value.problems[0]
    )
    with pytest.raises(ValidationError) as refused:
        price_package(PRESET, occupants=1, add_ons=[7])
    assert "add_ons.0 is no add-on of this package; give one of 35, 36" == str(
        refused.value.problems[0]
    )
    with pytest.raises(ValidationError, match="this package has no add-ons"):
        price_package(TenantPackage(bills=(CHARGE,)), occupants=1, add_ons=[7])


@pytest.mark.parametrize(
    ("prices", "problem"),
    [
        pytest.param((), "has no price for 1 housemates", id="none"),
        pytest.param((Price(housemates=1),), "has no price for 1 housemates", id="no amount"),
        pytest.param(
            (Price(price_per_housemate=Decimal(1)),),
            "has no price for 1 housemates",
            id="no number of housemates",
        ),
        pytest.param(
            tuple(Price(housemates=1, price_per_housemate=Decimal(n)) for n in (1, 2)),
            "has several prices for 1 housemates",
            id="two amounts",
        ),
    ],
)
def test_unclear_prices(prices: tuple[Price, ...], problem: str) -> None:
    """A price is never guessed."""
    package = TenantPackage(bills=(PackageBill(id=1, prices=prices),))

    with pytest.raises(ValidationError) as refused:
        price_package(package, occupants=1)

    assert [problem] == [one.problem for one in refused.value.problems]


def test_the_same_price_twice() -> None:
    """The same amount told twice is no question."""
    prices = tuple(Price(housemates=1, price_per_housemate=Decimal(n)) for n in ("1.5", "1.50"))

    price = price_package(TenantPackage(bills=(PackageBill(id=1, prices=prices),)), occupants=1)

    assert Decimal("1.5") == price.household


# --- what holds for every package

pence = st.decimals(min_value=0, max_value=10_000, places=2)


@st.composite
def priced(draw: st.DrawFn) -> tuple[TenantPackage, int, int, Sequence[int]]:
    """Return a package, its occupants, its bill payers and the chosen add-ons."""
    occupants = draw(st.integers(1, 12))

    def bills(start: int, names: st.SearchStrategy[str]) -> tuple[PackageBill, ...]:
        amounts = draw(st.lists(pence, max_size=5))
        return tuple(
            PackageBill(
                id=number,
                name=draw(names),
                prices=(
                    Price(housemates=occupants + 1, price_per_housemate=Decimal("1E+9")),
                    Price(housemates=occupants, price_per_housemate=amount),
                ),
            )
            for number, amount in enumerate(amounts, start)
        )

    included = bills(1, st.sampled_from(["Energy", "Water", "Service Charge"]))
    addons = bills(100, st.just("Extra"))
    chosen = draw(st.permutations([addon.id for addon in addons]))
    chosen = chosen[: draw(st.integers(0, len(chosen)))]
    package = TenantPackage(bills=included, addons=addons)
    return package, occupants, draw(st.integers(1, occupants)), chosen


@given(priced())
def test_sums(drawn: tuple[TenantPackage, int, int, Sequence[int]]) -> None:
    """Every bill counts once, and the sums are exact."""
    package, occupants, payers, chosen = drawn

    price = price_package(package, occupants=occupants, bill_payers=payers, add_ons=chosen)

    assert len(package.bills) + len(chosen) == len(price.lines)
    assert sum(line.per_housemate for line in price.lines) == price.per_tenant
    assert price.per_tenant * occupants == price.household
    assert abs(price.per_bill_payer * payers - price.household) < Decimal("1E-20")
    assert list(chosen) == [line.id for line in price.add_ons]


@given(priced())
def test_shares(drawn: tuple[TenantPackage, int, int, Sequence[int]]) -> None:
    """Shares sum up to the household's price, in whole pence, no two a penny further apart."""
    package, occupants, payers, chosen = drawn

    price = price_package(package, occupants=occupants, bill_payers=payers, add_ons=chosen)

    assert price.household == sum(price.shares)
    assert payers == len(price.shares)
    assert max(price.shares) - min(price.shares) <= Decimal("0.01")
    assert {-2} == {share.as_tuple().exponent for share in price.shares}
    assert all(abs(share - price.per_bill_payer) < Decimal("0.01") for share in price.shares)


@given(st.decimals(-1000, 1000, places=3), st.integers(1, 9))
def test_shares_of_odd_amounts(household: Decimal, payers: int) -> None:
    """Parts of a penny are rounded before the split, discounts are split as well."""
    shares = priced_at(household, payers).shares

    assert abs(sum(shares) - household) <= Decimal("0.005")
    assert max(shares) - min(shares) <= Decimal("0.01")


@given(priced(), st.randoms(use_true_random=False))
def test_order_does_not_matter(
    drawn: tuple[TenantPackage, int, int, Sequence[int]], random: Any
) -> None:
    """Neither the order of the bills nor that of the add-ons changes what is paid."""
    package, occupants, payers, chosen = drawn
    bills, ids = list(package.bills), list(chosen)
    random.shuffle(bills)
    random.shuffle(ids)
    other = TenantPackage(bills=tuple(bills), addons=package.addons)

    first = price_package(package, occupants=occupants, bill_payers=payers, add_ons=chosen)
    second = price_package(other, occupants=occupants, bill_payers=payers, add_ons=ids)

    assert (first.household, first.shares) == (second.household, second.shares)


@given(priced())
def test_the_callers_precision_does_not_matter(
    drawn: tuple[TenantPackage, int, int, Sequence[int]],
) -> None:
    """Amounts are the same under a context of three digits."""
    package, occupants, payers, chosen = drawn
    expected = price_package(package, occupants=occupants, bill_payers=payers, add_ons=chosen)
    shares = expected.shares

    with localcontext(Context(prec=3)):
        price = price_package(package, occupants=occupants, bill_payers=payers, add_ons=chosen)
        assert (expected, shares) == (price, price.shares)


@pytest.mark.parametrize("amount", ["1e12", "-1e12", "1E+999999", "NaN", "sNaN", "Infinity"])
def test_amounts_that_would_overflow(amount: str) -> None:
    """A price that is no sum of money is refused by name, whatever the caller's own context."""
    package = TenantPackage(bills=(bill(1, "x", "0", amount),))
    with (
        localcontext(Context(prec=1, traps=[Inexact, Overflow, InvalidOperation])),
        pytest.raises(ValidationError, match="has a price that is no sum of money"),
    ):
        price_package(package, occupants=2)


@pytest.mark.parametrize("occupants", [10**30, 10**5000, 1 << 63], ids=["30", "5000", "63"])
def test_numbers_without_end(occupants: int) -> None:
    """A number of tenants without end is refused, and none that a quote has overflows."""
    with pytest.raises(ValidationError, match="total_occupants is too large"):
        price_package(PRESET, occupants=occupants)
    many = Price(housemates=(1 << 63) - 1, price_per_housemate=Decimal("999999999999.99"))
    whole = TenantPackage(bills=(PackageBill(id=1, name="x", prices=(many,)),))
    price = price_package(whole, occupants=(1 << 63) - 1, bill_payers=1)
    assert [price.household] == list(price.shares)
