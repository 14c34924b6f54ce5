"""What every argument of the 63 operations takes: derived from the signatures, nothing is sent."""

import datetime as dt
import enum
import inspect
import json
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import numpy
import pytest
from markupsafe import Markup

from homebox_async import UNSET, Address, AsyncBilling, AsyncHomebox, NewTenant, ValidationError
from homebox_async.resources import addresses, leads, packages, voids
from homebox_async.rules import Input
from homebox_async.wire import FormBody, Request

from .cases import CASES


class Recorder:
    """Takes down how a case calls a client."""

    def __init__(self, steps: tuple[Any, ...] = ()) -> None:
        self.steps = steps

    def __getattr__(self, name: str) -> "Recorder":
        return Recorder((*self.steps, name))

    def __call__(self, *args: Any, **kwargs: Any) -> "Recorder":
        """Take down the arguments."""
        return Recorder((*self.steps, (args, kwargs)))


class Sent(Exception):
    """Raised where a request would go out."""


async def catch(request: Request, _: Any) -> Any:
    """Stop every request."""
    raise Sent(request)


def clients() -> dict[str, Any]:
    """Return a client of each API that sends nothing."""
    options: Any = {"base_url": "http://127.0.0.1:9", "middlewares": [catch]}
    return {
        "partner": AsyncHomebox("token", **options),
        "billing": AsyncBilling("token", **options),
    }


@attrs.frozen
class Operation:
    """How a case calls its operation: the steps before it, its arguments, the steps after it."""

    name: str
    before: tuple[Any, ...]
    arguments: dict[str, Any]
    after: tuple[Any, ...]
    method: Any

    async def call(self, **changed: Any) -> Request:
        """Return the request that the operation would send."""
        here = clients()["billing" if self.name.startswith("billing.") else "partner"]
        try:
            for step in (*self.before, ((), {**self.arguments, **changed}), *self.after):
                here = getattr(here, step) if isinstance(step, str) else here(*step[0], **step[1])
            await here
        except Sent as sent:
            request: Request = sent.args[0]
            return request
        raise AssertionError("nothing was sent")


def operation(name: str) -> Operation:
    """Return the operation of a case."""
    steps = CASES[name].call(Recorder()).steps
    here: Any = clients()["billing" if name.startswith("billing.") else "partner"]
    for place, step in enumerate(steps):
        if isinstance(step, str):
            here = getattr(here, step)
        elif steps[place - 1] == "branch":
            here = here(*step[0], **step[1])
        else:
            bound = inspect.signature(here).bind(*step[0], **step[1])
            arguments = dict(bound.arguments)
            return Operation(name, steps[:place], arguments, steps[place + 1 :], here)
    raise AssertionError(name)


OPERATIONS = {name: operation(name) for name in CASES}


def kinds(hint: Any) -> tuple[Any, ...]:
    """Return the arms of a type."""
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)


def parameters() -> Iterator[tuple[str, inspect.Parameter, tuple[Any, ...]]]:
    """Give every parameter of every operation, with the kinds that it takes."""
    for name, one in OPERATIONS.items():
        hints = typing.get_type_hints(one.method)
        for parameter in inspect.signature(one.method).parameters.values():
            yield name, parameter, kinds(hints[parameter.name])


ALL = [*parameters()]


def selected(choose: Callable[[inspect.Parameter, tuple[Any, ...]], bool]) -> list[Any]:
    """Return the names of operations and parameters that are chosen."""
    return [
        pytest.param(name, parameter.name, id=f"{name}-{parameter.name}")
        for name, parameter, kinds in ALL
        if choose(parameter, kinds)
    ]


IDS = selected(
    lambda parameter, _: parameter.name.endswith("_id") and parameter.name != "document_id"
)
NOT_NULL = selected(lambda _, kinds: type(None) not in kinds)
REQUIRED = selected(lambda parameter, _: parameter.default is parameter.empty)
EVERY = selected(lambda *_: True)


def test_all_are_there() -> None:
    """All 63 operations are looked at, and most of them take an id."""
    assert 63 == len(OPERATIONS)
    assert len(IDS) > 40
    assert len(NOT_NULL) > 150


def about(error: ValidationError, name: str) -> bool:
    """Return whether a problem names a parameter, by its own name or the API's."""

    def bare(text: str) -> str:
        return text.partition(".")[0].replace("_", "").lower()

    names = {bare(name), "limit" if name == "page_size" else bare(name)}
    return any(bare(word) in names for p in error.problems for word in p.field.split(" or "))


@pytest.mark.parametrize(
    "value",
    ["store", "1", "", 0, -1, True, False, 1.5, None, UNSET, b"1", [1], 1 << 63, 10**5000],
    ids=lambda value: repr(value)[:12] if value != 10**5000 else "10**5000",
)
@pytest.mark.parametrize(("name", "parameter"), IDS)
async def test_no_id(name: str, parameter: str, value: Any) -> None:
    """What is no id is refused by name: it could reach another endpoint."""
    with pytest.raises(ValidationError) as caught:
        await OPERATIONS[name].call(**{parameter: value})
    assert about(caught.value, parameter)


class One(enum.IntEnum):
    """An id as code has it that names its own."""

    FIRST = 1


@pytest.mark.parametrize(
    "value", [One.FIRST, numpy.int64(1), numpy.uint8(1)], ids=["enum", "i8", "u1"]
)
@pytest.mark.parametrize(("name", "parameter"), IDS)
async def test_an_id_of_a_subclass(name: str, parameter: str, value: Any) -> None:
    """A whole number of another class is that number."""
    expected = await OPERATIONS[name].call(**{parameter: 1})
    assert said(expected) == said(await OPERATIONS[name].call(**{parameter: value}))


@pytest.mark.parametrize("value", ["store", "1", 0, -1, True, None, UNSET, 1.0])
def test_no_branch(value: Any) -> None:
    """The id of a branch is checked at once, before any call on its behalf."""
    with pytest.raises(ValidationError, match="branch_id"):
        clients()["partner"].branch(value)


def said(request: Request) -> Any:
    """Return all that a request says."""
    body = request.body
    if isinstance(body, FormBody):
        return request.target, body.fields, [(name, file.filename) for name, file in body.files]
    return request.target, body and json.loads(body.data)


@pytest.mark.parametrize(("name", "parameter"), NOT_NULL)
async def test_none_is_refused(name: str, parameter: str) -> None:
    """None goes only where the type says so, in the query and in forms as well."""
    with pytest.raises(ValidationError) as caught:
        await OPERATIONS[name].call(**{parameter: None})
    assert about(caught.value, parameter)


@pytest.mark.parametrize(("name", "parameter"), REQUIRED)
async def test_unset_is_refused(name: str, parameter: str) -> None:
    """What is required cannot be left out by giving UNSET."""
    with pytest.raises(ValidationError) as caught:
        await OPERATIONS[name].call(**{parameter: UNSET})
    assert about(caught.value, parameter)


ANYTHING = [
    object(),
    b"x",
    3.5,
    7,
    10**5000,
    float("nan"),
    "text",
    "\udc80",
    [None],
    {"a": object()},
]


@pytest.mark.parametrize(("name", "parameter"), EVERY)
async def test_any_value(name: str, parameter: str) -> None:
    """Whatever is given is sent, or refused by name: no other error comes out."""
    for value in (*ANYTHING, (), set()):
        try:
            await OPERATIONS[name].call(**{parameter: value})
            refused = None
        except ValidationError as error:
            refused = error
        if refused is None:
            assert isinstance(value, (bytes, str, int, float, tuple, dict, list)), value
        else:
            assert about(refused, parameter), value


class Text(str):
    """Text of a class of one's own, which shows itself otherwise."""

    def __str__(self) -> str:
        return "shown"

    def __repr__(self) -> str:
        return "shown"

    __slots__ = ()


def subclassed(value: Any, text: type[str]) -> Any:
    """Return a value whose texts and numbers are of subclasses."""
    if isinstance(value, Input):
        fields = attrs.fields(type(value))  # type: ignore[arg-type]  # each is attrs
        return attrs.evolve(
            value, **{f.name: subclassed(getattr(value, f.name), text) for f in fields}
        )
    if isinstance(value, bool):
        return value if text is Text else numpy.bool_(value)
    if isinstance(value, int):
        return numpy.int32(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, (list, tuple)):
        return [subclassed(one, text) for one in value]
    return value


@pytest.mark.parametrize("text", [Text, Markup, numpy.str_], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", OPERATIONS)
async def test_subclasses(name: str, text: type[str]) -> None:
    """Text and numbers of subclasses go out as what they are."""
    one = OPERATIONS[name]
    given = {
        key: subclassed(value, text) for key, value in one.arguments.items() if key != "filter"
    }
    assert said(await one.call()) == said(await one.call(**given))


# --- the objects that callers send

INPUTS: dict[type[Input], dict[str, Any]] = {
    addresses.Address: {"line1": "1 High St", "city": "Leeds", "postcode": "LS1 1AA"},
    addresses.AddressId: {"address_id": "x"},
    leads.NewTenant: {
        "first_name": "Jo",
        "last_name": "Do",
        "phone_number": "+441234567890",
        "email_address": "jo@example.com",
    },
    packages.ChosenBill: {"id": 1},
    voids.ForwardingDetails: {
        "name": "Jo Do",
        "line1": "1 High St",
        "city": "Leeds",
        "postcode": "LS1 1AA",
    },
}
FIELDS = [(kind, f.name) for kind in INPUTS for f in attrs.fields(kind)]  # type: ignore[arg-type]


def test_all_inputs_are_there() -> None:
    """Every class that callers send is looked at."""
    assert set(INPUTS) == {kind for kind in Input.__subclasses__() if attrs.has(kind)}


@pytest.mark.parametrize(
    "value", [None, 5, b"x", object(), "\n", ["x"]], ids=lambda v: type(v).__name__
)
@pytest.mark.parametrize(
    ("kind", "name"), FIELDS, ids=lambda value: getattr(value, "__name__", value)
)
def test_a_field_of_an_input(kind: type[Input], name: str, value: Any) -> None:
    """None and values of another kind are refused in every field, by its name."""
    if (kind, name, value) == (packages.ChosenBill, "id", 5):
        return
    made = kind(**{**INPUTS[kind], name: value})
    wire = attrs.fields_dict(kind)[name].metadata["wire"] or name  # type: ignore[arg-type]
    assert [wire] == [problem.field for problem in made.problems()]


# --- how addresses, postcodes and phone numbers go out

MESSY = {
    "postcode": lambda text: f" {text.replace(' ', '').lower()}\u00a0",
    "phone_number": lambda text: f" {text[:3]} {text[3:7]}  {text[7:]} ",
    **dict.fromkeys(
        ("line1", "line2", "city", "county"), lambda text: f"  {text.replace(' ', '   ')}\u2003"
    ),
}
TIDY = {"postcode": lambda text: f"{text[:-3].strip()} {text[-3:]}".lower()}


def changed(value: Any, how: dict[str, Any], name: str = "") -> Any:
    """Return arguments with each text of a name written otherwise."""
    if isinstance(value, Input):
        fields = attrs.fields(type(value))  # type: ignore[arg-type]  # each is attrs
        return type(value)(**{f.name: changed(getattr(value, f.name), how, f.name) for f in fields})
    if isinstance(value, dict):
        return {key: changed(one, how, key) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [changed(one, how) for one in value]
    return how[name](value) if isinstance(value, str) and name in how else value


@pytest.mark.parametrize("name", OPERATIONS)
async def test_tidy(name: str) -> None:
    """Addresses, postcodes and phones go out in one spelling, in the case they were given in."""
    one = OPERATIONS[name]
    expected = said(await one.call(**changed(one.arguments, TIDY)))
    assert expected == said(await one.call(**changed(one.arguments, MESSY)))
    if "postcode" in str(expected):
        assert "\u00a0" not in str(expected)


def test_tidy_objects() -> None:
    """What was given is shown as it goes out, and compares so; case is left alone."""
    home = Address(line1="  1  High\u00a0Street ", city="leeds ", postcode="ls11aa")
    assert ("1 High Street", "leeds", "ls1 1aa") == (home.line1, home.city, home.postcode)
    assert Address(line1="1 High Street", city="leeds", postcode=" ls1  1aa") == home
    jo = NewTenant(
        first_name=" Jo ",
        last_name="Do",
        phone_number="+44 1234 567890",
        email_address="jo@example.com",
    )
    assert (" Jo ", "+441234567890") == (jo.first_name, jo.phone_number)


@pytest.mark.parametrize("text", ["1 High\nStreet", "1\tHigh Street", "1 High Street\n"])
def test_control_characters_are_no_spaces(text: str) -> None:
    """A line break or a tab in an address is refused, not made a space."""
    [problem] = Address(line1=text, city="Leeds", postcode="LS1 1AA").problems()
    assert ("line1", "holds a control character") == (problem.field, problem.problem)


@pytest.mark.parametrize("first", [dt.date(2026, 1, 2), UNSET], ids=["one day", "none"])
async def test_a_range_of_one_day(first: Any) -> None:
    """A range of metrics may be one day, and none at all."""
    for name in OPERATIONS:
        if (
            name.startswith("metrics.")
            and "to" in inspect.signature(OPERATIONS[name].method).parameters
        ):
            target = (await OPERATIONS[name].call(from_=first, to=first)).target
            assert ("from=2026-01-02&to=2026-01-02" in target) == (first is not UNSET)
