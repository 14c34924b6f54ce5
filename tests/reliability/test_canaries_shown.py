"""What our objects and our tracebacks show to the tools that people look at them with."""

import asyncio
import contextlib
import datetime as dt
import importlib
import io
import json
import pickle
import pkgutil
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from rich.console import Console
from rich.traceback import Traceback

from homebox_async import (
    Address,
    AsyncBilling,
    AsyncHomebox,
    Billing,
    ConfigurationError,
    Homebox,
    NewTenant,
    Retry,
    ValidationError,
    resources,
)
from homebox_async.codec import decode, decode_list
from homebox_async.models import Model
from homebox_async.rules import Input
from homebox_async.tracebacks import clean, clear_locals
from homebox_async.wire import Response

from .canaries import PASSWORD, TEXTS, TOKEN, chain, everything_of, leaks, ours, with_locals

for module in pkgutil.iter_modules(resources.__path__):
    importlib.import_module(f"{resources.__name__}.{module.name}")


def below(kind: type) -> Iterator[type]:
    """Give the attrs classes of the package below a class."""
    for one in kind.__subclasses__():
        # Not the one that attrs made another of, with slots: until it is collected it is there too.
        if one.__module__.startswith("homebox_async.resources") and attrs.has(one):
            yield one
        yield from below(one)


CLASSES = sorted({*below(Model), *below(Input)}, key=lambda one: one.__name__)

# Of a person, or free text or a link that tells of one: by its name, or by its class and name.
PERSONAL = {
    *("first_name", "last_name", "email", "email_address", "phone_number", "birthday"),
    *("nationality", "negotiator", "account_number", "message", "notes", "feedback", "source"),
    *("Mandate.name", "ForwardingDetails.name", "PostalBill.name"),
    *(
        f"{kind}.{name}"
        for kind in ("Address", "ForwardingDetails", "ResponsibleAddress")
        for name in ("line1", "line2", "city", "county", "postcode")
    ),
}
# Of a home in the portfolio, of a business, or of the API itself.
PLAIN = frozenset(
    [
        "additional",
        "address",
        "address_city",
        "address_county",
        "address_id",
        "address_line1",
        "address_line2",
        "address_line3",
        "address_line4",
        "address_postcode",
        "bill",
        "bill_provider",
        "city",
        "county",
        "description",
        "description_html",
        "external_id",
        "formatted",
        "group",
        "gspid",
        "id",
        "image_path",
        "line_one",
        "line_two",
        "logo",
        "logo_path",
        "managing_party_name",
        "meter_type_electric",
        "mpan",
        "mpan_energisation_status",
        "mpan_profile_class",
        "mpan_top_line",
        "mprn",
        "name",
        "name_url",
        "origin",
        "package",
        "payment_method",
        "postcode",
        "prefix",
        "property_reference",
        "property_uuid",
        "provider",
        "reading",
        "reading2",
        "reference",
        "reference_number",
        "responsibility",
        "serial_number_electric",
        "serial_number_gas",
        "state",
        "status",
        "suffix",
        "tenancy_type",
        "text",
        "theme_color_primary",
        "title",
        "total_sent",
        "type",
        "type_name",
        "uprn",
    ]
)


def is_personal(kind: type, name: str) -> bool:
    """Tell whether a field is personal."""
    return bool({name, f"{kind.__name__}.{name}"} & PERSONAL)


def is_text(kind: type, name: str) -> bool:
    """Tell whether a field holds text."""
    hint = typing.get_type_hints(kind)[name]
    return str in (hint, *typing.get_args(hint))


def shown_fields(kind: Any) -> Iterator[Any]:
    """Give the fields that a class has."""
    yield from (one for one in attrs.fields(kind) if not one.name.startswith("_"))


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_fields_are_classified(kind: type) -> None:
    """Every field of text is known to be personal or plain, and only the plain are in the repr."""
    for field in shown_fields(kind):
        if is_personal(kind, field.name):
            assert field.repr is False, field.name
        elif is_text(kind, field.name):
            assert field.name in PLAIN, field.name
            assert field.repr is True, field.name


def sample(hint: Any, personal: bool) -> Any:
    """Return JSON for a type, a canary where it is personal."""
    args = [one for one in typing.get_args(hint) if one is not type(None)]
    if typing.get_origin(hint) is tuple:
        return [sample(args[0], personal)]
    hint = args[0] if args else hint
    if isinstance(hint, type) and issubclass(hint, Model):
        return tree_of(hint)
    values: dict[Any, Any] = {
        str: "zqText" if personal else "plain",
        int: 5,
        bool: True,
        Decimal: 1.5,
        dt.datetime: "1987-06-05T00:00:00Z" if personal else "2021-01-01T00:00:00Z",
        dt.date: "1987-06-05" if personal else "2021-01-01",
    }
    return values[hint]


def tree_of(kind: type[Model]) -> dict[str, Any]:
    """Return the JSON of an object with canaries in its personal fields, and in unknown ones."""
    hints = typing.get_type_hints(kind)
    return {"unknown": {"deep": ["zqUnknown"]}} | {
        field.metadata.get("wire", field.name): sample(
            hints[field.name], is_personal(kind, field.name)
        )
        for field in shown_fields(kind)
    }


MODELS = [kind for kind in CLASSES if issubclass(kind, Model)]


@pytest.mark.parametrize("odd", [False, True], ids=["fast", "tolerant"])
@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.__name__)
def test_models(kind: type[Model], odd: bool) -> None:
    """No object of an answer shows what is personal, however it was read; its data has it."""
    tree = tree_of(kind) | ({"id": "zqNoNumber"} if odd else {})
    body = json.dumps({"data": tree}).encode()
    many, _, answer = decode_list(json.dumps({"data": [tree]}).encode(), kind)
    made = decode(body, kind)
    again = pickle.loads(pickle.dumps(made))
    for one in (made, *many, again, answer, Response(200, {"X": "zqHeader"}, body, made)):
        assert set() == leaks(f"{one!r} {one} {[one]}")
    assert leaks(repr(made.raw))


def test_inputs() -> None:
    """What callers make of a person does not show the person."""
    for kind in CLASSES:
        if issubclass(kind, Input):
            fields = [one for one in shown_fields(kind) if is_personal(kind, one.name)]
            plain = {"id": 1} if kind.__name__ == "ChosenBill" else {}
            if kind.__name__ == "AddressId":
                plain = {"address_id": "x"}
            made = kind(**plain, **{one.name: "zqText" for one in fields})
            assert set() == leaks(f"{made!r} {made}")


# --- tracebacks


PERSON = {name: TEXTS[name] for name in ("first_name", "last_name", "phone_number")}
PAYER = PERSON | {
    "email": TEXTS["email"],
    "nationality": "GB",
    "birthday": dt.date(1987, 6, 5),
    "account_name": TEXTS["account_name"],
    "account_number": TEXTS["account_number"],
    "sort_code": TEXTS["sort_code"],
    "billing_address": Address(line1=TEXTS["line1"], city=TEXTS["city"], postcode="ZE1 0ZQ"),
}


def caught(call: Callable[[], Any], *kinds: type[BaseException]) -> BaseException:
    """Return what a call raises, without the frames of the tests."""
    try:
        call()
    except kinds as error:
        return ours(error)
    raise AssertionError("it did not fail")


async def awaited(call: Callable[[], Any], *kinds: type[BaseException]) -> BaseException:
    """Return what a coroutine raises, without the frames of the tests."""
    try:
        await call()
    except kinds as error:
        return ours(error)
    raise AssertionError("it did not fail")


def failing(server: Any, kind: str, **options: Any) -> Any:
    """Return a client that cannot be answered."""
    makers = {"async": AsyncHomebox, "sync": Homebox}
    return makers[kind](TOKEN, base_url=server.url, retry=Retry(attempts=2, backoff=0.0), **options)


async def fails(client: Any, call: Callable[[Any], Any], *kinds: type[BaseException]) -> Any:
    """Return what a call of either client raises."""
    if isinstance(client, AsyncHomebox):
        async with client:
            return await awaited(lambda: call(client), *kinds)

    def blocking() -> BaseException:
        with client:
            return caught(lambda: call(client), *kinds)

    return await asyncio.to_thread(blocking)


class Bug(Exception):
    """What a middleware of the user's fails with."""


async def buggy(request: Any, handler: Any) -> Any:
    """Fail with what holds everything."""
    await asyncio.wait([asyncio.ensure_future(handler(request))])
    raise Bug


CALLS: dict[str, Callable[[Any], Any]] = {
    "write": lambda c: c.bill_payers.add(1, **PAYER),
    "refused": lambda c: c.bill_payers.add(1, **PAYER | {"sort_code": "zqSort", "email": "zq"}),
    "unwritable": lambda c: c.request("POST", "lead", json={"b": object(), "a": "zqText"}),
    "path": lambda c: c.addresses.find("zqQuery Lane"),
    "form": lambda c: c.branches.create(name="zqName", email=TEXTS["email"], image_path=b"zq"),
    "list": lambda c: c.properties.list(q="zqQuery").first(),
    "list-refused": lambda c: c.properties.list(q="zqQuery", start_page=0).first(),
    "pages": lambda c: c.properties.list(q="zqQuery", prefetch=3).collect(),
}


@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize("how", ["reset", "truncate", "500", "bug"])
@pytest.mark.parametrize("name", CALLS)
async def test_tracebacks(server: Any, name: str, how: str, kind: str) -> None:
    """No frame of a failure shows what a call was given, nor what the server said."""
    acts = {"reset": server.reset, "truncate": server.truncate}
    server.default = acts.get(how, server.say(500, b'{"message": "zqSaid"}'))
    options = {"middlewares": [buggy], "attempt_middlewares": [buggy]} if how == "bug" else {}
    client = failing(server, kind, **options)
    error = await fails(client, CALLS[name], Exception)
    text = with_locals(error)
    assert "homebox_async" in text  # where it happened is told all the same
    assert set() == leaks(text.replace("zqSaid", ""))
    if how not in {"500", "bug"}:  # rich takes its time
        return
    shown = io.StringIO()
    trace = Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True)
    Console(file=shown, width=200).print(trace)
    assert set() == leaks(shown.getvalue().replace("zqSaid", ""))


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_cancelled(server: Any, kind: str) -> None:
    """A call that is broken off shows nothing either."""
    server.default = server.hang
    client = failing(server, kind)
    if kind == "async":
        async with client:
            task = asyncio.create_task(CALLS["write"](client))
            while not server.seen:
                await asyncio.sleep(0.005)
            assert set() == leaks(repr(task))
            task.cancel()
            error = await awaited(lambda: task, asyncio.CancelledError)
    else:
        call = asyncio.create_task(fails(client, CALLS["write"], Exception))
        while not server.seen:
            await asyncio.sleep(0.005)
        await asyncio.to_thread(client.close)
        error = await call
    for where, text in everything_of(error):
        assert set() == leaks(text), where


async def test_in_a_middleware(server: Any) -> None:
    """The frames below a middleware, which no one has cleared yet, show nothing secret."""
    texts: list[str] = []

    async def look(request: Any, handler: Any) -> Any:
        texts.append(repr(request))
        try:
            response = await handler(request)
        except Exception as error:
            texts.append(with_locals(error))
            raise
        texts.append(repr(response))
        return response

    server.acts = [server.reset, server.say(422, json.dumps({"message": PAYER["email"]}).encode())]
    client = failing(server, "async", middlewares=[look], attempt_middlewares=[look])
    async with client:
        for _ in range(2):
            with contextlib.suppress(Exception):
                await client.invites.create(1, **PERSON)
    assert len(texts) > 6
    assert set() == leaks("".join(texts))


@pytest.mark.parametrize(
    "make",
    [
        lambda: AsyncHomebox(f"{TOKEN} x"),
        lambda: Homebox(f"{TOKEN}\n{TOKEN}"),
        lambda: AsyncHomebox(TOKEN, base_url=f"https://u:{PASSWORD}@host"),
        lambda: AsyncHomebox(TOKEN, base_url=f"u:{PASSWORD}@host"),
        lambda: AsyncHomebox(TOKEN, base_url=f"ftp://u:{PASSWORD}@host"),
        lambda: AsyncHomebox(TOKEN, base_url=f"http://u:{PASSWORD}@127.0.0.1"),
        lambda: AsyncHomebox(TOKEN, proxy=f"ftp://u:{PASSWORD}@host"),
        lambda: Homebox(TOKEN, proxy=f"http://u:{PASSWORD}@host", timeout=-1),
        lambda: Billing(username=TOKEN, password=""),
        lambda: AsyncBilling(username=TOKEN, password=PASSWORD, token=TOKEN),
        lambda: AsyncBilling(username=TOKEN, password=PASSWORD, login_url=f"u:{PASSWORD}@h"),
    ],
    ids=[
        *("space", "line", "url", "no-url", "ftp", "http", "proxy", "timeout"),
        *("half", "both", "login"),
    ],
)
def test_constructors(make: Callable[[], Any]) -> None:
    """A client that cannot be made shows nothing of what it was to be made with."""
    error = caught(make, ConfigurationError)
    for where, text in everything_of(error):
        assert set() == leaks(text), where


def test_problems() -> None:
    """What is wrong with an input is told without the input."""
    tenant = NewTenant(first_name="", last_name="zq\0", phone_number="zqPhone", email_address="zq")
    client = AsyncHomebox(TOKEN)
    day = dt.date(2030, 1, 1)
    create = client.leads.create(tenancy_start=day, tenancy_end=day, tenants=[tenant])
    error = caught(lambda: create.send(None), ValidationError)
    for where, text in everything_of(error):
        assert set() == leaks(text), where


PYTEST = """
import asyncio
from homebox_async import AsyncHomebox, Homebox, Retry

def secret(name):
    return "".join(["z", "q", name])

async def add(client):
    await client.invites.create(
        1, first_name=secret("First"), last_name=secret("Last"), phone_number="+447911" + "813627"
    )

def test_async():
    async def main():
        async with AsyncHomebox(secret("Token"), base_url="URL", retry=Retry(attempts=1)) as client:
            await add(client)
    asyncio.run(main())

def test_sync():
    with Homebox(secret("Token"), base_url="URL", retry=Retry(attempts=1)) as client:
        client.invites.create(
            1, first_name=secret("First"), last_name=secret("L"), phone_number="+447911" + "813627"
        )

def test_list():
    with Homebox(secret("Token"), base_url="URL", retry=Retry(attempts=1)) as client:
        list(client.properties.list(q=secret("Query")))
"""


async def test_pytest(server: Any, tmp_path: Path) -> None:
    """`pytest --showlocals` shows nothing of a failed call."""
    server.default = server.reset
    (tmp_path / "test_it.py").write_text(PYTEST.replace("URL", server.url))
    done = await asyncio.to_thread(
        subprocess.run,
        [
            *(sys.executable, "-m", "pytest", "--showlocals", "-vv", "--tb=long"),
            *("-p", "no:cacheprovider", "-p", "no:xdist", "--full-trace", "test_it.py"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "3 failed" in done.stdout
    assert "homebox_async" in done.stdout
    assert set() == leaks(done.stdout + done.stderr)


# --- what clears the frames


def test_the_tests_can_see() -> None:
    """An error whose frames are not cleared does show their variables."""

    def fail(secret: str) -> None:
        raise ValueError

    with pytest.raises(ValueError) as failed:
        fail(TOKEN)
    assert leaks(with_locals(failed.value))
    clear_locals(failed.value)
    assert set() == leaks(with_locals(ours(failed.value)))


# What a module of ours could hold.
OURS = """
def inner(secret):
    raise ValueError

@clean
def fail(secret):
    try:
        inner(secret)
    except ValueError as first:
        try:
            inner(secret)
        except ValueError as second:
            raise ExceptionGroup("both", [first, KeyError()]) from second
"""


def test_causes_are_cleared() -> None:
    """Causes, contexts and groups are cleared, and nothing of the caller's."""
    made: dict[str, Any] = {"__name__": "homebox_async.made", "clean": clean}
    exec(OURS, made)

    def inner(secret: str) -> None:
        raise ValueError

    mine = "still here"
    with pytest.raises(ValueError) as before:
        inner(mine)
    frame = before.traceback[-1].frame.raw
    try:
        raise before.value
    except ValueError:
        error = caught(lambda: made["fail"](TOKEN), ExceptionGroup)
    assert before.value in list(chain(error))
    assert {"secret": mine} == frame.f_locals
    assert set() == leaks(with_locals(error))


async def test_suspended_frames_live_on() -> None:
    """An error that is raised from two calls at once does not end the one that still runs."""
    shared = ValueError()
    go_on = asyncio.Event()

    async def first() -> str:
        try:
            raise shared
        except ValueError:
            await go_on.wait()
            return "done"

    @clean
    async def second() -> None:
        raise shared

    task = asyncio.create_task(first())
    await asyncio.sleep(0)
    await awaited(second, ValueError)
    go_on.set()
    assert "done" == await task
