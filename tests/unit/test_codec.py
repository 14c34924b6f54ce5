"""Both ways from bytes to objects: equal, lossless, and never an error that is not ours."""

import contextlib
import copy
import datetime as dt
import json
import pickle
import re
import typing
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from homebox_async import (
    Account,
    FoundAddress,
    Lead,
    Model,
    Partner,
    Property,
    Reading,
    Tenant,
)
from homebox_async import codec as codec_module
from homebox_async.codec import Unreadable, decode, decode_list, parse
from homebox_async.models import Answer

MODELS: list[type[Model]] = [Account, FoundAddress, Lead, Partner, Property, Reading, Tenant]


def tolerant(body: bytes, into: type[Any], envelope: str | None = "data") -> Any:
    """Decode by the tolerant path only."""
    answer = Answer(body, parse(body))
    return codec_module._tolerant(codec_module._unwrap(answer.tree, envelope), into, answer)


def wrapped(**fields: Any) -> bytes:
    """Return an answer."""
    return json.dumps({"data": fields}).encode()


# --- the property: both paths agree


class Raw(str):
    """JSON text that stands for itself."""


TEXT = st.text(max_size=8) | st.sampled_from(
    ["", "0", "04", "-7", "1.5", "1e3", "NaN", "Infinity", " 1 ", "1_000", "true", "False", "\x00"]
)
TIMES = st.sampled_from(
    [
        "2021-06-20T16:08:51.000000Z",
        "2021-06-20 14:00:00",
        "2023-07-03T22:00:26.16",
        "2023-07-03T22:00:26.9999996Z",
        "2021-06-20T14:00:00+01:00",
        "2021-06-20t14:00:00z",
        "2021-06-20",
        "20/06/2021",
        "2021-06-20T24:00:00Z",
        "0000-00-00 00:00:00",
        "soon",
    ]
)
NUMBERS = st.integers() | st.sampled_from(
    [Raw(n) for n in ("0.1", "1.10", "-0.0", "1e3", "1E400", "10.0", "1e-400", "123456789.987")]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT | TIMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def well_typed(kind: Any) -> st.SearchStrategy[Any]:
    """Return values that a field of this kind is documented to have, or nearly."""
    kind, many = codec_module._inner(kind)
    if issubclass(kind, Model):
        inner = documents(kind)
        return st.lists(inner, max_size=2) | inner if many else inner | st.just([])
    return {
        int: NUMBERS | TEXT,
        str: TEXT | NUMBERS,
        bool: st.booleans() | st.sampled_from([0, 1, "1", "true"]),
        Decimal: NUMBERS | TEXT,
        dt.datetime: TIMES,
    }[kind]


def as_documented(kind: Any) -> st.SearchStrategy[Any]:
    """Return values that the fast path takes."""
    kind, many = codec_module._inner(kind)
    if issubclass(kind, Model):
        inner = documents(kind, wild=False)
        return st.lists(inner, max_size=2) if many else inner | st.none()
    return (
        st.none()
        | {
            int: st.integers() | st.sampled_from([Raw("1.0"), Raw("1e3"), Raw("-0"), "7"]),
            str: TEXT,
            bool: st.booleans(),
            Decimal: NUMBERS | st.sampled_from(["101.5", "NaN", "-Infinity", "sNaN", " 1", "1_0"]),
            dt.datetime: TIMES.filter(
                lambda time: time[:2] != "00" and len(time) > 10 and "24:" not in time
            ),
        }[kind]
    )


def documents(model: type[Model], *, wild: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects of a model: with missing, null, wrong (if wild) and unknown fields."""
    hints = typing.get_type_hints(model)
    known = {
        field.name: st.deferred(
            lambda kind=hints[field.name]: (
                well_typed(kind) | st.none() | ANYTHING if wild else as_documented(kind)
            )
        )
        for field in attrs.fields(model)  # type: ignore[arg-type]
    }
    mostly = st.fixed_dictionaries({}, optional={name: known[name] for name in known})
    unknown = st.dictionaries(
        st.sampled_from(["new", "x-1", "_place", "raw"]), ANYTHING, max_size=2
    )
    return st.builds(lambda a, b: {**b, **a}, mostly, unknown)


def dumps(value: Any) -> str:
    """Write JSON, with raw numbers as they are."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{dumps(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dumps, value)) + "]"
    return json.dumps(value)


def facts(item: Any) -> Any:
    """Return all that there is to know of an object, nested ones included."""
    if isinstance(item, Model):
        names = [field.name for field in attrs.fields(type(item))]  # type: ignore[arg-type]
        return (
            type(item),
            {name: facts(getattr(item, name)) for name in names},
            repr(item.raw),
            repr(item.extra),
            repr(item.answer),
        )
    if isinstance(item, tuple):
        return tuple(map(facts, item))
    return (type(item), repr(item))


@pytest.mark.parametrize("wild", [False, True], ids=["as documented", "wild"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_both_paths_agree(model: type[Model], wild: bool, data: st.DataObject) -> None:
    """Whatever the server sends, the fast and the tolerant path make equal objects of it."""
    body = dumps({"data": data.draw(documents(model, wild=wild)), "meta": {"a": 1}}).encode()
    try:
        codec_module._fast_one(model, "data").decode(body)
    except ValueError as refused:
        event("tolerant" if wild else f"tolerant {refused}")
    else:
        event("fast")
    found = decode(body, model)
    assert facts(tolerant(body, model)) == facts(found)
    assert facts(found) == facts(copy.deepcopy(found))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_lists_agree(data: st.DataObject) -> None:
    """A list gives the same objects as each of them alone, siblings of `data` included."""
    items = data.draw(st.lists(documents(Lead), max_size=3))
    body = dumps({"data": items, "meta": {"last_page": 1}}).encode()
    found, meta, answer = decode_list(body, Lead)
    answer_again = Answer(body, parse(body))
    again, meta_again = codec_module._tolerant_list(answer_again, Lead, "data")
    assert [facts(item) for item in again] == [facts(item) for item in found]
    assert meta_again == meta == {"last_page": 1}
    assert answer_again.tree == answer.tree


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | ANYTHING.map(dumps).map(str.encode))
def test_no_foreign_error(body: bytes) -> None:
    """Any body is either readable or our Unreadable."""
    for read in (lambda: decode(body, Lead), lambda: decode_list(body, Lead)):
        with contextlib.suppress(Unreadable):
            read()


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


@pytest.mark.parametrize(
    ("sent", "ids", "lost"),
    [
        ([{"id": 1}, {"id": 2}], [1, 2], False),
        ({"id": 1}, [1], False),
        ([], [], False),
        ({}, [], False),
        (None, [], False),
        ([{"id": 1}, None], [1], False),
        ([{"id": 1}, "x", {"id": 3}], [1, 3], True),
        ("x", [], True),
        (5, [], True),
    ],
    ids=str,
)
def test_lists_in_objects(sent: Any, ids: list[int], lost: bool) -> None:
    """One object or [] or null may stand where a list is due; a bad item loses only itself."""
    lead = decode(wrapped(id=1, tenants=sent), Lead)
    assert ids == [tenant.id for tenant in lead.tenants]
    assert ({"tenants": sent} if lost else {}) == lead.extra


@pytest.mark.parametrize("sent", [{"id": 5}, [{"id": 5}]], ids=["object", "list of one"])
def test_objects(sent: Any) -> None:
    """A list of one object may stand where an object is due."""
    body = json.dumps({"data": sent, "message": "m"}).encode()
    assert 5 == decode(body, Property).id
    assert "m" == decode(body, Property).answer["message"]


def test_php_empty_object() -> None:
    """PHP's [] is an empty object."""
    lead = decode(wrapped(id=1, property=[]), Lead)
    assert Property() == lead.property
    assert {} == lead.extra


def test_without_envelope() -> None:
    """An answer without the envelope is taken whole, as reading creation answers."""
    assert 3 == decode(b'{"id": 3}', Reading, envelope=None).id
    assert 3 == decode(b'{"id": 3}', Reading).id
    assert 3 == decode(b'{"data": {"id": 3}}', Reading).id


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ('{"data": {"name": "café"}}'.encode("utf-8-sig"), ""),
        ('{"data": {"name": "café"}}'.encode("latin-1"), "latin-1"),
        ('{"data": {"name": "café"}}'.encode("latin-1"), ""),
        ('{"data": {"name": "café"}}'.encode("latin-1"), "utf-8"),
        ('{"data": {"name": "café"}}'.encode("latin-1"), "nonsense"),
        ('{"data": {"name": "café"}}'.encode("latin-1"), "hex"),
        ('{"data": {"name": "café"}}'.encode("latin-1"), "idna"),
        ('{"data": {"name": "café"}}'.encode("cp1252"), "cp1252"),
    ],
    ids=["BOM", "declared", "undeclared", "wrong", "unknown", "no text", "idna", "cp1252"],
)
def test_charsets(body: bytes, charset: str) -> None:
    """A BOM and other charsets are read."""
    assert "café" == decode(body, Account, charset=charset).name


def test_a_charset_in_an_unknown_field() -> None:
    """A field that the fast path skips is read in its charset when it is asked for."""
    account = decode('{"data": {"name": "x", "new": "café"}}'.encode("latin-1"), Account)
    assert {"new": "café"} == account.extra


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"<html>",
        b'{"data": {"id": NaN}}',
        b'{"data": {"id": -Infinity}}',
        b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"data": {"property":' * 5000 + b"1" + b"}}" * 5000,
        b'{"data": null}',
        b'{"data": "x"}',
        b'{"data": [1, 2]}',
        b"null",
        b"5",
        b"\xff\xfe\x00",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_unreadable(body: bytes) -> None:
    """What holds no object is Unreadable, and nothing else."""
    with pytest.raises(Unreadable):
        decode(body, Lead)


@pytest.mark.parametrize(
    "body", [b"{}", b"[1]", b'{"data": 5}', b'{"data": ["x"]}', b"x"], ids=repr
)
def test_unreadable_lists(body: bytes) -> None:
    """What holds no list of objects is Unreadable."""
    with pytest.raises(Unreadable):
        decode_list(body, Lead)


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b'{"data": null}', 0),
        (b'{"data": {"id": 1}}', 1),
        (b'{"data": [null, {"id": 1}], "meta": []}', 1),
        (b'[{"id": 1}]', 1),
        (b'{"data": [], "meta": null}', 0),
    ],
    ids=repr,
)
def test_shapes_of_lists(body: bytes, count: int) -> None:
    """One object, null and a bare list are lists too."""
    items, meta, _ = decode_list(body, Lead)
    assert (count, {}) == (len(items), meta)


@pytest.mark.parametrize("number", ["9" * 5000, "1e99999999999999999999"], ids=["int", "exponent"])
@pytest.mark.parametrize("field", ["id", "new"])
def test_absurd_numbers(number: str, field: str) -> None:
    """A number that Python cannot hold stays text, and loses nothing else."""
    lead = decode(f'{{"data": {{"tenancy_type": "x", "{field}": {number}}}}}'.encode(), Lead)
    assert ("x", {field: number}) == (lead.tenancy_type, lead.extra)


# --- nothing is lost

NESTED = json.dumps(
    {
        "data": {
            "id": 1,
            "new": {"a": [1]},
            "property": {"id": 2, "odd": True, "partner_properties": [{"id": 3, "more": "m"}]},
            "tenants": [{"id": 4}, {"id": 5, "nick": "Jo"}],
        },
        "message": "beside",
    }
).encode()


@pytest.mark.parametrize("read", [decode, tolerant], ids=["fast", "tolerant"])
def test_unknown_fields_stay_reachable(read: Any) -> None:
    """Unknown fields are in `extra` of the object they stand in, siblings in `answer`."""
    lead = read(NESTED, Lead)
    assert {"new": {"a": [1]}} == lead.extra
    assert {"odd": True} == lead.property.extra
    assert {"more": "m"} == lead.property.partner_properties[0].extra
    assert [{}, {"nick": "Jo"}] == [tenant.extra for tenant in lead.tenants]
    assert json.loads(NESTED)["data"] == lead.raw
    for item in (lead, lead.property, lead.tenants[1], lead.property.partner_properties[0]):
        assert "beside" == item.answer["message"]


@pytest.mark.parametrize("read", [decode, tolerant], ids=["fast", "tolerant"])
def test_pickle_and_copy(read: Any) -> None:
    """Pickled and copied models are equal and keep their JSON, nested ones too."""
    lead = read(NESTED, Lead)
    for again in (pickle.loads(pickle.dumps(lead)), copy.copy(lead), copy.deepcopy(lead)):
        assert (lead, lead.raw, lead.extra) == (again, again.raw, again.extra)
        assert lead.tenants[1].extra == again.tenants[1].extra
        assert hash(lead) == hash(again)
    assert pickle.loads(pickle.dumps(lead)).answer is None
    assert lead.answer == copy.deepcopy(lead).answer


def test_a_model_of_ones_own() -> None:
    """A model that you make yourself has no JSON, and can be pickled."""
    mine = Lead(id=1, tenants=(Tenant(id=2),))
    assert ({}, {}, None) == (mine.raw, mine.extra, mine.answer)
    assert mine == pickle.loads(pickle.dumps(mine))
    assert mine == attrs.evolve(mine)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        mine.id = 3  # type: ignore[misc]


def test_only_models() -> None:
    """Asking for something that is no model is a plain error."""
    with pytest.raises(TypeError, match="int is not a Model"):
        decode(b'{"data": 1}', int)


def test_dates() -> None:
    """A model may have plain dates; they are read like times."""
    assert dt.date(2021, 6, 20) == codec_module.converter().structure("20/06/2021", dt.date)


# --- the document's own answers


# Every JSON answer that the document prints for the resources here, "..." filled with nothing.
PRINTED = json.loads((Path(__file__).parent / "printed_answers.json").read_text())


@pytest.mark.parametrize("example", PRINTED, ids=lambda example: example["heading"])
def test_printed_answers(example: dict[str, Any]) -> None:
    """Every answer that the document prints decodes, and no field of it is lost."""
    tree = example["answer"]
    body = json.dumps(tree).encode()
    model = {model.__name__: model for model in MODELS}[example["model"]]
    items = decode_list(body, model)[0] if example["many"] else [decode(body, model)]
    assert items
    sent = tree.get("data", tree)
    assert (sent if isinstance(sent, list) else [sent]) == [item.raw for item in items]
    assert [{}] * len(items) == [item.extra for item in items]
    assert [tree] * len(items) == [item.answer for item in items]


def test_repr_of_tenants() -> None:
    """The personal fields of a tenant are not in the repr."""
    tenant = Tenant(id=1, first_name="Bill", phone_number="+441234567890", email_address="b@x.uk")
    assert not re.search("Bill|1234|b@x", repr(Lead(tenants=(tenant,))))
