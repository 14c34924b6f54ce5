"""Same home or another: addresses as people and servers write them."""

from __future__ import annotations

import csv
import itertools
from collections import defaultdict
from pathlib import Path

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from homebox_async.importer.address_matching import Likeness, Place, compare, key_of, place_of

DATA = Path(__file__).parents[1] / "data" / "land-registry-sample.csv"
POSTCODE = "LS1 1AA"


def place(*lines: str, postcode: str | None = POSTCODE, city: str = "Leeds") -> Place:
    """Take an address apart."""
    return place_of(lines, city, None, postcode)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Flat 1, 23 High Street", "Flat 12, 3 High Street"),
        ("Flat 12, 3 High Street", "Flat 3, 12 High Street"),
        ("Flat 2/1 9 Byres Road", "Flat 21 9 Byres Road"),
        ("12-14 Mill Lane", "1214 Mill Lane"),
        ("12-14 Mill Lane", "12 Mill Lane"),
        ("12-14 Mill Lane", "12-16 Mill Lane"),
        ("12 Mill Lane", "12a Mill Lane"),
        ("12a Mill Lane", "12b Mill Lane"),
        ("12 A Mill Lane", "12 B Mill Lane"),
        ("Flat A, 12 Mill Lane", "Flat B, 12 Mill Lane"),
        ("Flat N, 12 Mill Lane", "Flat S, 12 Mill Lane"),
        ("Flat 1, 2a Mill Lane", "Flat 1a, 2 Mill Lane"),
        ("Flat 3, 3 Mill Lane", "3 Mill Lane"),
        ("Room 1, Flat 2, 5 Mill Lane", "Room 2, Flat 1, 5 Mill Lane"),
        ("Room 1, 5 Mill Lane", "5 Mill Lane"),
        ("Ground Floor Flat, 5 Mill Lane", "First Floor Flat, 5 Mill Lane"),
        ("Ground Floor Flat, 5 Mill Lane", "Basement Flat, 5 Mill Lane"),
        ("Flat 1, Block B", "Flat 1, Block C"),
        ("One Hyde Park", "Two Hyde Park"),
        ("3 First Avenue", "3 Second Avenue"),
        ("Apartment 101, 1 The Quays", "Apartment 10, 11 The Quays"),
        ("Flat 0/1, 9 Byres Road", "Flat 1/0, 9 Byres Road"),
        ("Flat 1F1, 9 Leith Walk", "Flat 1F2, 9 Leith Walk"),
        ("Flat ١, 5 Mill Lane", "Flat ٢, 5 Mill Lane"),  # noqa: RUF001
    ],
)
def test_other_homes(one: str, other: str) -> None:
    """A number without a counterpart contradicts, whatever is alike."""
    assert Likeness.CONTRADICTS is compare(place(one), place(other))
    assert Likeness.CONTRADICTS is compare(place(other), place(one))
    assert place(one).key != place(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12 High St", "12 HIGH STREET"),
        ("12 High St.", "12, High Street"),
        ("Flat 3, 12 High St", "12 High Street, Flat 3"),
        ("Flat 01, 12 High St", "FLAT 1 12 HIGH STREET"),
        ("12A High Street", "12 a High Street"),
        ("12-14 Mill Lane", "12 – 14 Mill Ln"),  # noqa: RUF001
        ("2/1, 9 Byres Rd", "2-1 9 Byres Road"),
        ("Flat 2 - 17 High Street", "Flat 2, 17 High Street"),
        ("No. 12 The Avenue", "12 Avenue"),
        ("4 St John's Road", "4 Saint Johns Rd"),
        ("1 King & Queen Court", "1 King and Queen Ct"),
        ("1st Floor Flat, 5 Mill Lane", "First Floor Flat, 5 Mill Lane"),
        ("Cafe\u0301 House, 5 Mill Lane", "CAFE HOUSE, 5 MILL LANE"),
        ("12 High Street, LS1 1AA", "12 High Street"),
        ("12 High Street, Leeds", "12 High Street"),
        ("Flat 1 23 Straße", "FLAT 1, 23 STRASSE"),
        ("１２ High Street", "12 High Street"),  # noqa: RUF001
        ("12 North Road", "12 N Rd"),
    ],
)
def test_same_home(one: str, other: str) -> None:
    """Spelling, case, order, line breaks, postcode and town in the lines do not matter."""
    assert Likeness.SAME is compare(place(one), place(other))
    assert Likeness.SAME is compare(place(other), place(one))


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("12a High Street", "Flat A, 12 High Street", Likeness.UNSURE),
        ("2/1 High Street", "Flat 2, 1 High Street", Likeness.UNSURE),
        ("3, 12 High Street", "Flat 12, 3 High Street", Likeness.UNSURE),
        ("Lower Ground Floor Flat, 5 Mill Ln", "Ground Floor Flat, 5 Mill Ln", Likeness.UNSURE),
        ("Flat 3, 12 High Street", "3, 12 High Street", Likeness.NEAR),
        ("The Annexe, 12 High Street", "12 High Street", Likeness.NEAR),
        ("12 Collage Street", "12 College Street", Likeness.NEAR),
        ("Basement Flat, 12 High Street", "12 High Street", Likeness.NEAR),
        ("12 High Street", "12 Mill Lane", Likeness.OTHER_WORDS),
        ("Rose Cottage, Mill Lane", "Ivy Cottage, Mill Lane", Likeness.OTHER_WORDS),
    ],
)
def test_between(one: str, other: str, likeness: Likeness) -> None:
    """What may be the same home or not is neither."""
    assert likeness is compare(place(one), place(other))
    assert likeness is compare(place(other), place(one))


@pytest.mark.parametrize(
    ("one", "other", "contradicts"),
    [
        ("LS1 1AA", "ls11aa", False),
        ("LS1 1AA", "LS1", False),
        ("LS1 1AA", None, False),
        ("LS1 1AA", "LS1 1AB", True),
        ("LS1 1AA", "LS11 1AA", True),
        ("LS11 1AA", "LS1", True),
    ],
)
def test_postcodes(one: str, other: str | None, contradicts: bool) -> None:
    """Another postcode contradicts; spaces and case do not, nor does one that is not shown."""
    found = compare(place("12 High St", postcode=one), place("12 High St", postcode=other))
    assert contradicts == (found is Likeness.CONTRADICTS)


# --- addresses that are made up

NUMBER = st.integers(1, 199)
LETTER = st.sampled_from("abcdfgh")
WORDS = st.sampled_from(["High", "Mill", "Station", "College", "Park", "Byres", "St John's", "The"])
KINDS = st.sampled_from(["Street", "Road", "Lane", "Avenue", "Close", "Court", "Gardens"])
HOUSES = st.one_of(
    NUMBER.map(str),
    st.builds("{}{}".format, NUMBER, LETTER),
    st.builds("{}-{}".format, NUMBER, NUMBER),
)
UNITS = st.one_of(
    st.just(""),
    st.builds("{} {}".format, st.sampled_from(["Flat", "Apartment", "Room", "Unit"]), HOUSES),
    st.builds("Flat {}/{}".format, st.integers(0, 9), st.integers(1, 9)),
    LETTER.map(lambda letter: f"Flat {letter.upper()}"),
)
SHORT = {
    "Street": "St",
    "Road": "Rd",
    "Lane": "Ln",
    "Avenue": "Ave",
    "Close": "Cl",
    "Court": "Ct",
    "Gardens": "Gdns",
    "Apartment": "Apt",
}


@attrs.frozen
class Home:
    """An address in its parts."""

    unit: str
    house: str
    street: str

    @property
    def parts(self) -> list[str]:
        """Its lines, as they would be written."""
        return [part for part in (self.unit, f"{self.house} {self.street}") if part]


HOMES = st.builds(Home, UNITS, HOUSES, st.builds("{} {}".format, WORDS, KINDS))
NAMED = st.builds(
    "{} {}".format,
    st.sampled_from(["Rose", "Ivy", "Mill", "Church"]),
    st.sampled_from(["Cottage", "House", "Farm", "Barn"]),
)


@given(
    home=HOMES,
    name=st.one_of(st.just(""), NAMED),
    short=st.booleans(),
    upper=st.booleans(),
    joined=st.sampled_from([", ", " ", "\n", ",", "  "]),
    backwards=st.booleans(),
    town=st.sampled_from(["", "Leeds", "LEEDS", "West Yorkshire"]),
    postcode=st.sampled_from(["LS1 1AA", "LS11AA", "ls1 1aa"]),
)
def test_harmless_rewriting(
    home: Home,
    name: str,
    *,
    short: bool,
    upper: bool,
    joined: str,
    backwards: bool,
    town: str,
    postcode: str,
) -> None:
    """However a server spells, orders and breaks an address, it stays the same home."""
    parts = [name, *home.parts] if name else home.parts
    # Without a comma, "Flat 3 12-14 High Street" still has its parts in their order only.
    again = [*reversed(parts)] if backwards and "," in joined else parts
    text = joined.join(again)
    if short:
        text = " ".join(SHORT.get(word, word) for word in text.split(" "))
    text = text.upper() if upper else text
    written = place_of([text, town], "Leeds", "West Yorkshire", postcode)
    sent = place_of(parts, "Leeds", "West Yorkshire", POSTCODE)
    assert compare(sent, written) is Likeness.SAME
    if not backwards and not town:
        assert key_of([text], postcode) == key_of(parts, POSTCODE)


@given(HOMES, HOMES)
def test_other_numbers(one: Home, other: Home) -> None:
    """In one street, other numbers of house or flat are another home."""
    assume((one.unit.lower(), one.house) != (other.unit.lower(), other.house))
    other = attrs.evolve(other, street=one.street)
    found = compare(place(*one.parts), place(*other.parts))
    assert found < Likeness.SAME
    assert place(*one.parts).key != place(*other.parts).key
    numbers = [sorted([*_digits(home)]) for home in (one, other)]
    if numbers[0] != numbers[1]:
        assert found is Likeness.CONTRADICTS


def _digits(home: Home) -> list[str]:
    """Return the numbers and letters of a home, apart from one another."""
    unit = home.unit.rpartition(" ")[2].lower()
    pieces = f"{unit} {home.house}".replace("-", " ").replace("/", " ")
    return [
        "".join(group)
        for word in pieces.split()
        for _, group in itertools.groupby(word, key=str.isdigit)
    ]


@given(st.text(), st.text(), st.text())
def test_anything(line1: str, line2: str, postcode: str) -> None:
    """Whatever is in an address, it is the same home as itself."""
    one = place_of([line1, line2], "", None, postcode)
    assert Likeness.SAME is compare(one, one)
    assert one.key == key_of([line1, line2], postcode)


def test_real_addresses() -> None:
    """No two different addresses of the land registry are taken for one home."""
    at: defaultdict[str, list[tuple[str, Place]]] = defaultdict(list)
    with DATA.open(newline="") as file:
        for row in csv.DictReader(file):
            lines = [f"{row['saon']} {row['paon']} {row['street']}", row["locality"]]
            there = place_of(lines, row["town"], row["county"], row["postcode"])
            at[there.postcode].append((" ".join(lines), there))
    pairs = 0
    for homes in at.values():
        for (text, one), (other_text, other) in itertools.combinations(homes, 2):
            pairs += 1
            expected = Likeness.SAME if text == other_text else Likeness.CONTRADICTS
            assert expected is compare(one, other), (text, other_text)
            assert (text == other_text) == (one.key == other.key)
    assert pairs
