"""Single values of an answer: read leniently, and None where there is no sense in them."""

import datetime as dt
import importlib
import pkgutil
import re
import typing
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

from homebox_async import Lead, Model, Partner, Property, Tenant, resources
from homebox_async import codec as codec_module
from homebox_async.codec import decode, decode_list

from .decoding import tolerant, wrapped

# --- single values


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2021-06-20T16:08:51.000000Z", dt.datetime(2021, 6, 20, 16, 8, 51, tzinfo=dt.UTC)),
        ("2021-06-20 14:00:00", dt.datetime(2021, 6, 20, 14, tzinfo=dt.UTC)),
        ("2023-07-03T22:00:26.16", dt.datetime(2023, 7, 3, 22, 0, 26, 160000, dt.UTC)),
        ("2021-06-20", dt.datetime(2021, 6, 20, tzinfo=dt.UTC)),
        ("20/06/2021", dt.datetime(2021, 6, 20, tzinfo=dt.UTC)),
        ("soon", None),
        (20210620, None),
        ("", None),
    ],
)
def test_times(sent: Any, expected: dt.datetime | None) -> None:
    """Every form of time of the facts is read; an unreadable one is kept as it came."""
    lead = decode(wrapped(id=1, created_at=sent), Lead)
    assert expected == lead.created_at
    assert ({} if expected else {"created_at": sent}) == lead.extra


@pytest.mark.parametrize(
    ("json_text", "expected"),
    [
        ('"101.5"', "101.5"),
        ('"10"', "10"),
        ("0.1", "0.1"),
        ("1.10", "1.10"),
        ("123456789012345678901234567890.12", "123456789012345678901234567890.12"),
        ("7", "7"),
        ('"NaN"', None),
        ('"x"', None),
        ("true", None),
        ('"1e99999999999999999999"', None),
    ],
)
def test_money(json_text: str, expected: str | None) -> None:
    """Money is an exact Decimal, or None with the text in `extra`."""
    partner = decode(f'{{"data": {{"management_fee": {json_text}}}}}'.encode(), Partner)
    assert (None if expected is None else Decimal(expected)) == partner.management_fee
    assert expected is None or expected == str(partner.management_fee)
    assert (expected is None) == ("management_fee" in partner.extra)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(4, "4"), (1.5, "1.5"), (True, "true"), (False, "false"), (None, None), ([1], None)],
)
def test_text(sent: Any, expected: str | None) -> None:
    """Numbers where text is due become text; None never becomes 'None'."""
    assert expected == decode(wrapped(mpan_profile_class=sent), Property).mpan_profile_class


@pytest.mark.parametrize("sent", ["04", "040000000001E20180314", "000000"])
def test_text_that_looks_like_a_number(sent: str) -> None:
    """Text that looks like a number stays as it is."""
    assert sent == decode(wrapped(mpan_top_line=sent), Property).mpan_top_line


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("7", 7), (7.0, 7), (7.5, None), ("x", None), (True, None), ("1e9999", None), ([], None)],
)
def test_integers(sent: Any, expected: int | None) -> None:
    """Text and whole fractions are read as integers, nothing else is."""
    assert expected == decode(wrapped(status_id=sent), Property).status_id


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("true", True),
        (1, True),
        ("0", False),
        ("False", False),
        (2, None),
        (None, None),
        (1.0, None),
    ],
)
def test_booleans(sent: Any, expected: bool | None) -> None:
    """The usual spellings of true and false are read."""
    assert expected is decode(wrapped(unsubscribed=sent), Tenant).unsubscribed


@pytest.mark.parametrize("number", ["9" * 5000, "1e99999999999999999999"], ids=["int", "exponent"])
@pytest.mark.parametrize("field", ["id", "new"])
def test_absurd_numbers(number: str, field: str) -> None:
    """A number that Python cannot hold stays text, and loses nothing else."""
    lead = decode(f'{{"data": {{"tenancy_type": "x", "{field}": {number}}}}}'.encode(), Lead)
    assert ("x", {field: number}) == (lead.tenancy_type, lead.extra)


# --- nothing is lost


def test_dates() -> None:
    """A model may have plain dates; they are read like times."""
    assert dt.date(2021, 6, 20) == codec_module.converter().structure("20/06/2021", dt.date)


for _module in pkgutil.iter_modules(resources.__path__):
    importlib.import_module(f"{resources.__name__}.{_module.name}")


def fields_with_days(kind: type = Model) -> Iterator[Any]:
    """Give every field of an answer that the document writes as a day, with its class."""
    for one in kind.__subclasses__():
        if attrs.has(one) and one.__module__.startswith(resources.__name__):
            for field in attrs.fields(one):
                if re.search(r"_(start|end|date)$|^date_|birthday", field.name):
                    yield pytest.param(one, field.name, id=f"{one.__name__}.{field.name}")
        yield from fields_with_days(one)


@pytest.mark.parametrize(("kind", "name"), [*fields_with_days()])
def test_a_day_is_a_date(kind: type[Any], name: str) -> None:
    """What the document calls a date is one, by its annotation and however it is written."""
    field = attrs.fields_dict(kind)[name]
    wire = field.metadata.get("wire", name)
    for sent in ("2022-07-01T00:00:00.000000Z", "2022-07-01 00:00:00", "2022-07-01", "01/07/2022"):
        made = decode(wrapped(**{wire: sent}), kind)
        assert (
            dt.date(2022, 7, 1)
            == getattr(made, name)
            == getattr(tolerant(made_of(made), kind), name)
        )
        assert type(getattr(made, name)) is dt.date
        assert {wire: sent} == made.raw
    # Only now: the annotations are what they were before anything was read.
    assert dt.date | None == typing.get_type_hints(kind)[name]


def made_of(item: Model) -> bytes:
    """Return the answer that an object came from."""
    return wrapped(**item.raw)


@pytest.mark.parametrize("sent", ["2022-07-01T23:30:00-05:00", "2022-07-01T00:30:00+14:00"])
def test_the_day_that_the_server_wrote(sent: str) -> None:
    """A day keeps the date that the server wrote, whatever the zone."""
    [lead], _, _ = decode_list(b'{"data":[{"tenancy_start":"%s"}]}' % sent.encode(), Lead)
    assert dt.date(2022, 7, 1) == lead.tenancy_start


@attrs.define(frozen=True, slots=True, kw_only=True, getstate_setstate=False)
class MyLead(Lead):
    """A lead of one's own, for `request(into=)`."""

    colour: str | None = None


def test_days_of_a_subclass() -> None:
    """A class below one of ours has days too, and no annotations that it did not have."""
    made = decode(wrapped(tenancy_start="2022-07-01T00:00:00Z", colour="red"), MyLead)
    assert (dt.date(2022, 7, 1), "red") == (made.tenancy_start, made.colour)
    assert ["colour"] == list(MyLead.__annotations__)
