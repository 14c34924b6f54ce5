"""Both ways from bytes to objects: equal, and never an error that is not ours."""

import contextlib
import copy
import datetime as dt
import json
import typing
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from homebox_async import Lead, Model
from homebox_async import codec as codec_module
from homebox_async.codec import Unreadable, decode, decode_list, parse
from homebox_async.models import Answer

from .decoding import MODELS, tolerant


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
FULL_TIMES = TIMES.filter(lambda time: time[:2] != "00" and len(time) > 10 and "24:" not in time)
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
    kind, many = codec_module.held_in(kind)
    if issubclass(kind, Model):
        inner = documents(kind)
        return st.lists(inner, max_size=2) | inner if many else inner | st.just([])
    return {
        int: NUMBERS | TEXT,
        str: TEXT | NUMBERS,
        bool: st.booleans() | st.sampled_from([0, 1, "1", "true"]),
        Decimal: NUMBERS | TEXT,
        dt.datetime: TIMES,
        dt.date: TIMES,
    }[kind]


def as_documented(kind: Any) -> st.SearchStrategy[Any]:
    """Return values that the fast path takes."""
    kind, many = codec_module.held_in(kind)
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
            dt.datetime: FULL_TIMES,
            dt.date: FULL_TIMES,
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
        st.sampled_from(["new", "x-1", "_source", "_number", "raw"]), ANYTHING, max_size=2
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
    document = data.draw(documents(model, wild=wild))
    document[codec_module.identifying(model)[0]] = "7"  # without it the object is refused
    body = dumps({"data": document, "meta": {"a": 1}}).encode()
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
    items = [{**item, "id": 7} for item in data.draw(st.lists(documents(Lead), max_size=3))]
    body = dumps({"data": items, "meta": {"last_page": 1}}).encode()
    found, meta, answer = decode_list(body, Lead)
    answer_again = Answer(body, parse(body))
    again, meta_again = codec_module.tolerant_list(answer_again, Lead, "data")
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
