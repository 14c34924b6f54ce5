"""What an operation takes, read from its signature: as options, as JSON, as Python's values."""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs
import click

from ..resources.addresses import AddressId
from ..rules import Input
from ..wire import Upload

Tree = dict[str, Any]
"""Values by the API's names, as JSON has them."""

_HELP: Mapping[str, str] = {
    "account_number": "8 digits.",
    "add_ons": "The id of an add-on of the quote (repeatable).",
    "address_id": "An address that `addresses find` found.",
    "birthday": "The date of birth.",
    "bill_payers": "How many of them pay; all by default.",
    "bills": "A bill of the quote, and your account number with its supplier (repeatable).",
    "email": "The email address.",
    "existing_tenancy": "Whether the tenants live there already.",
    "from": "The first day; the first of this month by default.",
    "image": "A photo of the meter.",
    "image_path": "The logo.",
    "is_premium": "Homebox writes to every supplier and switches the energy.",
    "is_student": "Leaves the council tax out.",
    "nationality": "Two capitals, such as GB.",
    "notifications": "Whether suppliers are notified.",
    "package_id": "A package of the quote.",
    "phone_number": "With country code, such as +441234567890.",
    "property_id": "A property of yours, instead of its address.",
    "property_reference": "Your own reference of the property.",
    "reading2": "The second register of an Economy 7 electricity meter.",
    "reference": "Your own reference of the order.",
    "sort_code": "6 digits.",
    "tenants": "A tenant (repeatable).",
    "theme_color_primary": "#RRGGBB.",
    "to": "The last day; today by default.",
}
# Their options would say too much or too little.
_OPTION = {"date_of_reading": "date", "from_": "from"}


@attrs.frozen
class Field:
    """One parameter of an operation; `kinds` are the classes of an object or of a list of them."""

    name: str
    kind: Literal["text", "whole", "flag", "date", "choice", "file", "wholes", "object", "objects"]
    required: bool
    is_path: bool = False
    choices: tuple[str, ...] = ()
    kinds: tuple[type[Input], ...] = ()

    @property
    def option(self) -> str:
        """The name of its option."""
        name = _OPTION.get(self.name, self.name)
        if self.kind in ("wholes", "objects"):
            name = name.removesuffix("s")
        return "--" + name.replace("_", "-")

    @property
    def parts(self) -> dict[str, tuple[str, attrs.Attribute[Any]]]:
        """The parts of an object: the API's name -> option, attribute."""
        # billing_address -> --billing-line1, address -> --line1
        prefix = "-".join([*self.name.split("_")[:-1], ""])
        return {
            wire_name(part): (f"--{prefix}{part.name.replace('_', '-')}", part)
            for kind in self.kinds
            for part in attrs.fields(kind)
        }


def wire_name(part: attrs.Attribute[Any]) -> str:
    """Return what the API calls a part of an object."""
    return part.metadata["wire"] or part.name


def fields_of(method: Callable[..., Any]) -> list[Field]:
    """Return the parameters of an operation, but for those of its pages."""
    hints = typing.get_type_hints(method)
    paging = {"self", "page_size", "start_page", "prefetch"}
    return [
        _field(parameter, _kinds(hints[parameter.name]))
        for parameter in inspect.signature(method).parameters.values()
        if parameter.name not in paging
    ]


def _kinds(hint: Any) -> tuple[Any, ...]:
    found = typing.get_args(hint) if _is_union(hint) else (hint,)
    return tuple(kind for kind in found if getattr(kind, "__name__", "") != "UnsetType")


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _field(parameter: inspect.Parameter, kinds: tuple[Any, ...]) -> Field:
    name, first = parameter.name, kinds[0]
    required = parameter.default is inspect.Parameter.empty
    if Upload in kinds:
        return Field(name, "file", required)
    if typing.get_origin(first) is Literal:
        return Field(name, "choice", required, choices=typing.get_args(first))
    if inspect.isclass(first) and issubclass(first, Input):
        return Field(name, "object", required, kinds=kinds)
    if isinstance(first, types.GenericAlias) or typing.get_origin(first) is not None:
        (item,) = typing.get_args(first)
        if item is int:
            return Field(name, "wholes", required)
        return Field(name, "objects", required, kinds=(item,))
    is_path = parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    simple: dict[Any, Any] = {bool: "flag", int: "whole", dt.date: "date", str: "text"}
    return Field(name, simple[first], required, is_path)


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_PATH = click.Path(exists=True, dir_okay=False)


def options_of(field: Field, also: Sequence[str] = ()) -> Iterator[Decorator]:
    """Give the options (or the argument) of a parameter; `also` are other names of it."""
    text = _HELP.get(field.name.rstrip("_"), "")
    names = (field.option, *also, field.name)
    if field.is_path:
        kind = click.IntRange(min=1) if field.kind == "whole" else click.STRING
        yield click.argument(field.name, type=kind, metavar=field.name.upper())
    elif field.kind == "object":
        for wire, (option, part) in field.parts.items():
            help_text = _HELP.get(part.name, "")
            yield click.option(
                option, f"{field.name}__{wire}", metavar="TEXT", help=help_text or None
            )
    elif field.kind == "objects":
        (kind_,) = field.kinds
        layout = "".join(
            ("," if index else "") + part.name.upper()
            if part.default is attrs.NOTHING
            else f"[,{part.name.upper()}]"
            for index, part in enumerate(attrs.fields(kind_))
        )
        yield click.option(*names, multiple=True, metavar=layout, help=text)
    elif field.kind == "flag":
        option = field.option.removeprefix("--")
        yield click.option(f"--{option}/--no-{option}", field.name, default=None, help=text or None)
    else:
        yield click.option(*names, **_typed(field), help=text or None)


def _typed(field: Field) -> dict[str, Any]:
    whole = click.IntRange(min=1)
    typed: dict[str, dict[str, Any]] = {
        "text": {"metavar": "TEXT"},
        "date": {"metavar": "YYYY-MM-DD"},
        "whole": {"metavar": "N", "type": whole},
        "wholes": {"metavar": "ID", "type": whole, "multiple": True},
        "choice": {"type": click.Choice(field.choices)},
        "file": {"type": _PATH, "metavar": "FILE"},
    }
    return typed[field.kind]


def typed_tree(fields: Sequence[Field], given: Mapping[str, Any]) -> Tree:
    """Return what was typed, without what was not, by the API's names."""
    tree: Tree = {}
    by_name = {field.name: field for field in fields}
    for name, value in given.items():
        if value is None or value == ():
            continue
        name, _, part = name.partition("__")
        if part:
            tree.setdefault(name, {})[part] = value
        elif by_name[name].kind == "objects":
            tree[name] = [_split(by_name[name], line) for line in value]
        else:
            tree[name] = list(value) if isinstance(value, tuple) else value
    return tree


def _split(field: Field, line: str) -> Tree:
    parts = [wire_name(part) for part in attrs.fields(field.kinds[0])]
    cells = [cell.strip() for cell in next(csv.reader([line]), [])]
    if len(cells) > len(parts):
        # The value may be personal: it is not repeated.
        raise click.UsageError(f"{field.option}: has {len(cells)} parts; give {','.join(parts)}")
    return {name: cell for name, cell in zip(parts, cells, strict=False) if cell}


def merged(fields: Sequence[Field], file: Tree, typed: Tree) -> Tree:
    """Put what was typed over what a file says, objects part by part."""
    tree = {**file, **typed}
    for field in fields:
        old, new = file.get(field.name), typed.get(field.name)
        if field.kind != "object" or not isinstance(old, dict) or not isinstance(new, dict):
            continue
        # An address by its id and a complete one do not mix.
        if ("address_id" in old) == ("address_id" in new) or set(new) == {"postcode"}:
            tree[field.name] = {**old, **new}
    return tree


def values_of(fields: Sequence[Field], tree: Tree) -> dict[str, Any]:
    """Return the arguments of an operation, or refuse what cannot be one.

    What the client's own rules judge is passed on as it is.
    """
    known = {field.name.rstrip("_"): field for field in fields if not field.is_path}
    _check_names("", tree, list(known))
    given = {name: value for name, value in tree.items() if value is not None or name in known}
    missing = [
        field
        for name, field in known.items()
        if field.required and given.get(name) in (None, [], {})
    ]
    if missing:
        raise click.UsageError(_missing(missing))
    return {known[name].name: _value(known[name], value) for name, value in given.items()}


def _missing(fields: Sequence[Field]) -> str:
    if [field.name for field in fields] == ["address"]:
        return _HOW_TO_ADDRESS
    wanted = [
        option
        for field in fields
        for option in (
            [option for option, part in field.parts.values() if part.default is attrs.NOTHING]
            if field.kind == "object" and AddressId not in field.kinds
            else ["--address-id"]
            if field.kind == "object"
            else [field.option]
        )
    ]
    return f"something is missing; add {', '.join(wanted)}, or a JSON object with --from"


_HOW_TO_ADDRESS = (
    "give the address either as --address-id, or as --line1, --city and --postcode"
    " (and --line2, --county)"
)


def _check_names(where: str, tree: Mapping[str, Any], known: Sequence[str]) -> None:
    for name in tree:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
            raise click.UsageError(f"--from: {where}{name} is unknown; {hint}")


def _value(field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.kind == "date":
        return _date(field.option, value)
    if field.kind == "file":
        if not isinstance(value, str):
            raise click.UsageError(f"--from: {field.name} is not the path of a file")
        return Path(value)
    if field.kind == "object":
        return _object(field, value)
    if field.kind == "objects":
        if not isinstance(value, list):
            raise click.UsageError(f"--from: {field.name} is no list; give a list of objects")
        one = attrs.evolve(field, kind="object")
        return [_object(one, item, f"{field.name}.{n}") for n, item in enumerate(value)]
    return value


def _date(option: str, value: Any) -> dt.date:
    # 01/02/21 could be read two ways.
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise click.UsageError(f"{option}: is not a date; give it as YYYY-MM-DD")


def _object(field: Field, value: Any, where: str = "") -> Input:
    if not isinstance(value, dict):
        raise click.UsageError(f"--from: {where or field.name} is no object")
    parts = field.parts
    _check_names(f"{where or field.name}.", value, list(parts))
    kinds = field.kinds
    if "address_id" in value:
        if set(value) - {"address_id", "postcode"}:
            raise click.UsageError(_HOW_TO_ADDRESS)
        kinds = (AddressId,)
    wanted = {wire_name(part): part for part in attrs.fields(kinds[0])}
    missing = [
        f"{where}.{name}" if where else parts[name][0]
        for name, part in wanted.items()
        if part.default is attrs.NOTHING and name not in value
    ]
    if missing:
        words = "the address" if "line1" in wanted else where or field.name.replace("_", " ")
        raise click.UsageError(f"{words} is not complete; add {', '.join(missing)}")
    return kinds[0](**{parts[name][1].name: part for name, part in value.items()})
