"""Objects from bytes: shapes that differ, nothing that is lost, the document's own answers."""

import copy
import json
import pickle
import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from homebox_async import Account, Lead, Property, Reading, Tenant
from homebox_async.codec import Unreadable, decode, decode_list

from .decoding import MODELS, tolerant, wrapped

# --- single values


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
        b'{"data": {"property":' * 50_000 + b"1" + b"}}" * 50_000,
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
