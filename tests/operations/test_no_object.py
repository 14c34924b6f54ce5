"""Answers of status 200 that hold no object: an error for every operation, never a blank object."""

from typing import Any

import pytest

from homebox_async import AnswerUnusable, AsyncBilling, Outcome, OutcomeUnknown, Retry

from .cases import CASES

ONCE = Retry(attempts=1)
# An update may be answered with nothing; what was created has to be shown.
CREATES = [
    name
    for name, case in CASES.items()
    if case.method == "POST"
    and hasattr(case.result, "id")
    and name not in ("branches.update", "account.update")
]
LISTS = [
    name
    for name, case in CASES.items()
    if case.method == "GET" and (case.result is tuple or ".first()" in case.path or "list" in name)
]
FAILURES = {
    "success false": b'{"success": false, "message": "No."}',
    "success 0": b'{"success": 0, "data": {}}',
    "success false beside an object": b'{"success": false, "data": {"id": 5, "name": "x"}}',
    "success false beside a list": b'{"success": false, "data": []}',
    "status error": b'{"status": "error"}',
    "status false": b'{"status": false, "data": []}',
    "error": b'{"error": "No."}',
    "error in data": b'{"data": {"error": "No."}}',
    "errors beside null": b'{"errors": {"name": ["No."]}, "data": null}',
}
# name -> the body; none of them shows an object
NOTHING = {
    "an object": b"{}",
    "PHP's object": b"[]",
    "data an object": b'{"data": {}}',
    "data PHP's object": b'{"data": []}',
    "data of nulls": b'{"data": {"id": null, "order_id": null, "status": "x"}}',
    "a message": b'{"message": "ok"}',
    "a problem": b'{"type": "about:blank", "title": "No", "status": 500, "detail": "No."}',
}
NOT_ITEMS = {
    "a problem": b'{"data": {"title": "No", "status": 500}}',
    "a problem as the item": b'{"data": [{"title": "No", "status": "error", "message": "No."}]}',
    "blank items": b'{"data": [{}, {}]}',
    "blank keyed items": b'{"data": {"3": {}, "4": {}}}',
    "keyed words": b'{"data": {"3": "a", "4": "b"}}',
    "keyed in two ways": b'{"data": {"3": {"id": 1, "address": "x"}, "total": 5}}',
    "lists in a list": b'{"data": [[], []]}',
    "a word": b'{"data": "none"}',
    "no data": b'{"items": [{"id": 1}]}',
}


async def _call(name: str, server: Any, connect: Any, body: bytes) -> Any:
    server.default = server.say(200, body)
    if name.startswith("billing."):
        async with AsyncBilling("t", base_url=server.url, retry=ONCE, proxy="") as billing:
            return await CASES[name].call(billing)
    return await CASES[name].call(connect(retry=ONCE))


def _is_json(name: str) -> bool:
    # The Billing API's own JSON and its documents are passed on as they come.
    return name not in ("billing.get", "billing.document")


@pytest.mark.parametrize("name", [name for name in CASES if _is_json(name)])
async def test_failures(server: Any, connect: Any, name: str) -> None:
    """A failure that comes as 200 is an error; a write may have happened."""
    error = AnswerUnusable if CASES[name].method == "GET" else OutcomeUnknown
    for words, body in FAILURES.items():
        with pytest.raises((error, AnswerUnusable)) as caught:
            await _call(name, server, connect, body)
        assert "answered 200" in str(caught.value), words
        assert Outcome.UNKNOWN is caught.value.outcome, words


@pytest.mark.parametrize("name", CREATES)
async def test_nothing_created(server: Any, connect: Any, name: str) -> None:
    """A creation whose answer shows no id may have happened, and no blank object is returned."""
    for body in NOTHING.values():
        with pytest.raises(OutcomeUnknown, match="answered 200"):
            await _call(name, server, connect, body)
    server.default = server.say(204, b"")
    with pytest.raises(OutcomeUnknown, match="answered 204"):
        await CASES[name].call(connect(retry=ONCE))


@pytest.mark.parametrize("name", LISTS)
async def test_no_items(server: Any, connect: Any, name: str) -> None:
    """What is no list of objects is an error, and never an item."""
    for body in NOT_ITEMS.values():
        with pytest.raises(AnswerUnusable):
            await _call(name, server, connect, body)


def test_what_is_covered() -> None:
    """Every creation and every list of the two documents is among the cases."""
    assert 14 == len(CREATES), CREATES
    assert 14 == len(LISTS), LISTS
