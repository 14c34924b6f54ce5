"""When two addresses are the same home: plain values, no I/O.

Spelling, case, line breaks, town and county may differ. Another postcode, or a house, flat or
room number without a counterpart, contradicts.
"""

from __future__ import annotations

import difflib
import enum
import functools
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import attrs

ADDRESS_RULE = 2
"""The rule of the keys in journals made now; older ones are finished with rule 1."""

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")  # noqa: RUF001  # as people type them
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`´"))  # noqa: RUF001
_AS_TYPED = {**_DASHES, **_APOSTROPHES, ord("&"): " and "}
_ATOM = "[a-z0-9]*[0-9][a-z0-9]*"
# "12-14", "2/1", "12a-c": numbers that a dash or a stroke joins are one number of several parts.
_TOKEN = re.compile(rf"{_ATOM}(?:\s*[-/]\s*(?:{_ATOM}|[a-z](?![^\W_])))*|[^\W_]+")
_SPACED_DASH = re.compile(r"\s-\s|\s-|-\s")
_JOINED = re.compile(r"\s*[-/]\s*")
_LONE_LETTER = re.compile(r"\d [a-z] ")
_ORDINAL = re.compile(r"0*(\d+)(?:st|nd|rd|th)")
_PARTS = re.compile(r"\d+|[a-z]+")
_NOT_ALNUM = re.compile(r"[\W_]+")
_INWARD = re.compile(r"[0-9][A-Z]{2}")

_NUMBER_WORDS: Mapping[str, str] = {
    word: str(number)
    for number, words in enumerate(
        (
            *("one first", "two second", "three third", "four fourth", "five fifth"),
            *("six sixth", "seven seventh", "eight eighth", "nine ninth", "ten tenth"),
            *("eleven eleventh", "twelve twelfth"),
        ),
        start=1,
    )
    for word in words.split()
}
# Every spelling becomes the first one of its line; "st" is both Street and Saint.
_SPELLINGS: Mapping[str, str] = {
    spelling: line.split()[0]
    for line in (
        *("st street saint str", "rd road", "ave avenue av", "ln lane la", "dr drive drv"),
        *("cl close clo", "ct court crt", "cres crescent cresc cr", "pl place", "sq square"),
        *("ter terrace terr tce", "gdns gardens gdn", "gr grove gro grv", "pk park"),
        *("blvd boulevard", "hse house ho", "bldg building", "bldgs buildings", "mt mount"),
        *("pde parade", "prom promenade", "wlk walk", "hts heights", "est estate", "yd yard"),
        *("cott cottage", "cotts cottages", "mans mansions mansion", "lwr lower", "upr upper"),
        *("n north", "s south", "e east", "w west", "nth northern", "gt great grt", "lt little"),
        *("flat flt", "apt apartment appt apmt", "rm room", "fl floor flr", "grd ground gnd"),
        *("bsmt basement bst", "bdrm bedroom", "stn station", "ctr centre center", "vw view"),
    )
    for spelling in line.split()
}
_DESIGNATORS = frozenset(
    (
        "flat",
        "apt",
        "rm",
        "unit",
        "studio",
        "suite",
        "fl",
        "bdrm",
        "bedsit",
        "plot",
        "block",
        "bldg",
    )
)
# They tell homes in one house apart where a word such as "flat" or "floor" follows them.
_POSITIONS = frozenset(
    (
        "grd",
        "bsmt",
        "lwr",
        "upr",
        "top",
        "garden",
        "attic",
        "front",
        "rear",
        "back",
        "left",
        "right",
    )
)
_AFTER_POSITION = frozenset(("flat", "fl", "apt", "rm", "studio", "unit", "maisonette"))
_COMPASS = frozenset("nsew")
_NO_MEANING = frozenset(("the", "of", "and", "at", "on", "in", "no", "nr", "number", "near"))
_WORDS_ALIKE = 0.8


class Likeness(enum.IntEnum):
    """How two addresses compare, from the least alike to the most."""

    CONTRADICTS = 0
    """The postcode differs, or a number has no counterpart: another home."""
    UNSURE = 1
    """The same numbers are put together otherwise, such as "12a" and "Flat A, 12"."""
    OTHER_WORDS = 2
    """Nothing contradicts, but each side has words that the other has not."""
    NEAR = 3
    """Nothing contradicts, and only one side has more words, or some are spelt alike."""
    SAME = 4
    """The same home in another spelling."""


@attrs.frozen
class Place:
    """An address taken apart.

    `numbers`: of house, flat and room, in order; `units`: those with the word before them
    ("flat", "rm"). `positions`: words such as "basement". `words`: the other words of the
    lines, `around`: those of town and county. `key`: equal for the same home in a similar
    spelling; boundaries between numbers stay.
    """

    key: str
    postcode: str
    numbers: tuple[str, ...]
    units: tuple[tuple[str, str], ...]
    positions: frozenset[str]
    words: frozenset[str]
    around: frozenset[str]

    @property
    def has_lines(self) -> bool:
        """Whether there is more than a postcode and a town."""
        return bool(self.numbers or self.words or self.positions)


def place_of(
    lines: Iterable[str | None], city: str | None, county: str | None, postcode: str | None
) -> Place:
    """Take an address apart."""
    code, tokens = _code_and_tokens(lines, postcode)
    numbers: list[str] = []
    units: list[tuple[str, str]] = []
    positions: set[str] = set()
    words: set[str] = set()
    for before, token, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False):
        if _is_number(token) or (len(token) == 1 and _is_unit(before, token, after)):
            numbers.append(token)
            if before in _DESIGNATORS:
                units.append((before, token))
        elif token in _POSITIONS and (after in _AFTER_POSITION or after in _POSITIONS):
            positions.add(token)
        else:
            words.add(token)
    return Place(
        f"{code}|{' '.join(tokens)}",
        code,
        tuple(numbers),
        tuple(units),
        frozenset(positions),
        frozenset(words),
        frozenset(_tokens(_plain(f"{city or ''}, {county or ''}"))),
    )


def key_of(lines: Iterable[str | None], postcode: str | None) -> str:
    """Return the `key` of an address."""
    code, tokens = _code_and_tokens(lines, postcode)
    return f"{code}|{' '.join(tokens)}"


def compare(one: Place, other: Place) -> Likeness:
    """Say how alike two addresses are; both have lines."""
    if _other_postcode(one.postcode, other.postcode):
        return Likeness.CONTRADICTS
    likeness = min(_compare_numbers(one, other), _compare_positions(one, other))
    if likeness < Likeness.OTHER_WORDS:
        return likeness
    ours = one.words - other.words - other.around
    theirs = other.words - one.words - one.around
    if not ours and not theirs:
        return likeness
    ours, theirs = _without_counterpart(ours, theirs), _without_counterpart(theirs, ours)
    return min(likeness, Likeness.OTHER_WORDS if ours and theirs else Likeness.NEAR)


def postcode_of(postcode: str | None) -> str:
    """Return a postcode without spaces and in capitals."""
    code = postcode or ""
    if not code.isascii():
        code = unicodedata.normalize("NFKC", code)
    return _NOT_ALNUM.sub("", code).upper()


def _code_and_tokens(lines: Iterable[str | None], postcode: str | None) -> tuple[str, list[str]]:
    code = postcode_of(postcode)
    text = _plain(", ".join(filter(None, lines)))
    if len(code) > 4 and code[-3:].lower() in text:
        text = re.sub(rf"\b{code[:-3]}\s*{code[-3:]}\b", " ", text, flags=re.IGNORECASE)
    return code, _tokens(text)


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower().replace("'", "").replace("`", "").replace("&", " and ")
    text = unicodedata.normalize("NFKD", text.translate(_AS_TYPED))
    text = "".join(char for char in text if not unicodedata.combining(char))
    return text.casefold().translate(_AS_TYPED)


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    for raw in _TOKEN.findall(text):
        if raw.isalnum():
            if token := _canonical(raw):
                tokens.append(token)
            continue
        parts = map(_canonical, _JOINED.split(raw))
        # "Flat 2 - 17 High Street": the dash parts the flat from the house.
        if tokens and tokens[-1] in _DESIGNATORS and _SPACED_DASH.search(raw):
            tokens += parts
        else:
            tokens.append("-".join(parts))
    return _with_letters(tokens, text) if _LONE_LETTER.search(text) else tokens


# The same words come again and again.
@functools.lru_cache(maxsize=8192)
def _canonical(token: str) -> str:
    """Return a word or a number in its one spelling, "" for a word without meaning."""
    if not _is_number(token):
        token = _SPELLINGS.get(token, token)
        return "" if token in _NO_MEANING else _NUMBER_WORDS.get(token, token)
    if ordinal := _ORDINAL.fullmatch(token):
        return ordinal[1]
    return token.lstrip("0") or "0"


def _with_letters(tokens: Sequence[str], text: str) -> list[str]:
    """Join "12 A High Street" to "12a"."""
    joined: list[str] = []
    for token, after in itertools.zip_longest(tokens, tokens[1:], fillvalue=""):
        if (
            joined
            and joined[-1].isdigit()
            and len(token) == 1
            and token.isalpha()
            and token not in _COMPASS
            and len(after) > 1
            and re.search(rf"{joined[-1]} {token} ", text)
        ):
            joined[-1] += token
        else:
            joined.append(token)
    return joined


def _is_number(token: str) -> bool:
    return any(map(str.isdigit, token))


def _is_unit(before: str, letter: str, after: str) -> bool:
    """Return True if a single letter names a flat or a room."""
    if before in _DESIGNATORS:
        return True
    return letter not in _COMPASS and (_is_number(before) or _is_number(after))


def _other_postcode(one: str, other: str) -> bool:
    if not one or not other or one == other:
        return False
    short, long = sorted((one, other), key=len)
    # A list may show the outward code only.
    return not (long[:-3] == short and _INWARD.fullmatch(long[-3:]))


def _compare_numbers(one: Place, other: Place) -> Likeness:
    ours, theirs = Counter(one.numbers), Counter(other.numbers)
    if ours != theirs:
        left, right = list((ours - theirs).elements()), list((theirs - ours).elements())
        same_parts = Counter(_parts(left)) == Counter(_parts(right))
        if same_parts and (_are_parts(left) or _are_parts(right)):
            return Likeness.UNSURE
        return Likeness.CONTRADICTS
    kinds = {kind for kind, _ in one.units} & {kind for kind, _ in other.units}
    for kind in kinds:
        if Counter(_of(kind, one.units)) != Counter(_of(kind, other.units)):
            return Likeness.CONTRADICTS
    # "Flat 12, 3 High Street" and "3, 12 High Street" hold the same numbers.
    ordered = one.numbers == other.numbers or bool(kinds)
    return Likeness.SAME if ordered else Likeness.UNSURE


def _compare_positions(one: Place, other: Place) -> Likeness:
    if one.positions == other.positions:
        return Likeness.SAME
    if not one.positions or not other.positions:
        return Likeness.NEAR
    nested = one.positions < other.positions or other.positions < one.positions
    return Likeness.UNSURE if nested else Likeness.CONTRADICTS


def _of(kind: str, units: Iterable[tuple[str, str]]) -> list[str]:
    return [number for each, number in units if each == kind]


def _parts(numbers: Iterable[str]) -> list[str]:
    return [part for number in numbers for part in _PARTS.findall(number)]


def _are_parts(numbers: Sequence[str]) -> bool:
    return all(_PARTS.fullmatch(number) for number in numbers)


def _without_counterpart(words: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if not any(_alike(word, each) for each in others))


def _alike(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(short) >= 3 and long.startswith(short):
        return True
    return difflib.SequenceMatcher(None, one, other).ratio() >= _WORDS_ALIKE
