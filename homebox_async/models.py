"""What the server's objects have in common: lenient, frozen, and nothing of them is lost.

Every field of an answer may be missing or null, so every field here has a default.
What a typed field cannot hold stays reachable: `raw` is the object as the server sent it,
`extra` is the part of it that the typed fields do not show.
Both are parsed on first access only: an object remembers the answer it came from and its
number in it, which costs a page of fifty objects almost nothing.
"""

from __future__ import annotations

import codecs
import functools
import json
import re
import typing
import zlib
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, dataclass_transform

import attrs
import msgspec

from .errors import HomeboxError

T = TypeVar("T", bound=type)
F = TypeVar("F", bound=Callable[..., Any])

# mypy does not take a class for hashable; this keeps the signatures as they are.
_cached: Callable[[F], F] = functools.cache  # type: ignore[assignment]


# An escaped backslash or a whole pair is taken as it is, so that what is left is half of one.
_HALF_PAIR = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_CHARSETS = re.compile(r"utf-(16|32)(-[lb]e)?|cp\d+|iso8859-\d+|mac-\w+|koi8-\w+")


class Unreadable(HomeboxError, ValueError):
    """The body is not JSON, or not of a shape that holds what was asked for.

    A call turns it into AnswerUnusable. `raw`, `extra` and `answer` raise it where the part of an
    answer that nobody asked for is nested too deeply to be read.
    """


class Refusal(Unreadable):
    """The body is an error that came with a status of success."""


_NO = frozenset({"false", "0", "no", "error", "fail", "failed", "failure"})


def tells_failure(tree: Any) -> bool:
    """Return True if JSON says in words that what was asked for did not happen."""
    if not isinstance(tree, dict):
        return False
    if any(map(tree.get, ("error", "errors", "exception"))):
        return True
    return any(_is_no(tree.get(name)) for name in ("success", "status"))


def _is_no(value: Any) -> bool:
    return isinstance(value, (bool, int, str)) and str(value).lower() in _NO


def parse(body: bytes, charset: str = "") -> Any:
    """Return the JSON of a body: BOM, other charsets and Decimal for fractions; or Unreadable.

    A number beyond what Decimal or int can hold stays text; half of a surrogate pair, which no
    file and no terminal could take, becomes U+FFFD.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = body.decode(_known_charset(charset))
        except ValueError:
            text = body.decode("latin-1")
    if "\\u" in text:
        text = _HALF_PAIR.sub(lambda found: "\\ufffd" if found[1] else found[0], text)
    try:
        return json.loads(
            text.removeprefix("\ufeff"),
            parse_float=_fraction,
            parse_int=_integer,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    except ValueError:
        raise Unreadable("is not JSON") from None


def _known_charset(name: str) -> str:
    """Return a charset that is one; others Python knows ("punycode") take square time."""
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError, OSError):  # a charset is a module, which may not be read now
        return "cp1252"
    return known if _CHARSETS.fullmatch(known) else "cp1252"


def _fraction(digits: str) -> Decimal | str:
    try:
        return Decimal(digits)
    except InvalidOperation:
        return digits


def _integer(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:  # more than 4,300 digits
        return digits


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


class Answer:
    """The body of one answer: its bytes, and its JSON once somebody asks for it.

    `walk` returns the objects that the JSON holds, in the order in which they were numbered.
    """

    __slots__ = ("__weakref__", "_body", "_objects", "_packed", "_tree", "_walk", "charset")

    def __init__(
        self,
        body: bytes,
        tree: Any = None,
        charset: str = "",
        walk: Callable[[Any], list[Any]] | None = None,
    ) -> None:
        self.charset = charset
        self._body = body
        self._packed = False
        self._tree = tree
        self._walk = walk
        self._objects: list[Any] | None = None

    @property
    def tree(self) -> Any:
        """The JSON of the body; numbers with a fraction are Decimal."""
        if self._tree is None:
            body = zlib.decompress(self._body) if self._packed else self._body
            self._tree = parse(body, self.charset)
        return self._tree

    def object(self, number: int) -> Any:
        """Return the JSON of one of the objects."""
        if self._objects is None:
            assert self._walk is not None  # whoever numbers objects can find them
            self._objects = self._walk(self.tree)
        return self._objects[number]

    def pack(self) -> None:
        """Hold the bytes compressed: the objects that keep them are many, and few are asked."""
        if not self._packed and self._tree is None:
            self._body, self._packed = zlib.compress(self._body, 1), True


class Part:
    """An object of an answer that was read leniently: its JSON, and the answer it came from.

    `answer` is None for an object that was pickled: it takes its own JSON along, not the page's.
    """

    __slots__ = ("answer", "tree")

    def __init__(self, tree: Any, answer: Answer | None) -> None:
        self.tree = tree
        self.answer = answer


M = TypeVar("M", bound="Model")


class Model:
    """An object of the API's answers."""

    __slots__ = ("_number", "_source")
    _source: Answer | Part
    _number: int  # among the objects of an Answer

    @property
    def raw(self) -> dict[str, Any]:
        """The object's JSON as the server sent it; {} for one that you made yourself."""
        source = getattr(self, "_source", None)
        if source is None:
            return {}
        found = source.tree if isinstance(source, Part) else source.object(self._number)
        # PHP writes an empty object as [].
        return found if isinstance(found, dict) else {}

    @property
    def extra(self) -> dict[str, Any]:
        """The fields that this class does not know, and the values its types could not hold."""
        names = {wire: name for name, wire in wire_names(type(self)).items()}
        return {
            key: value
            for key, value in self.raw.items()
            if key not in names or _lost(value, getattr(self, names[key]))
        }

    @property
    def answer(self) -> Any:
        """The JSON of the whole answer that held the object: what stands beside `data`, too.

        None for an object that you made or unpickled.
        """
        source: Any = getattr(self, "_source", None)
        if isinstance(source, Part):
            source = source.answer
        return None if source is None else source.tree

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by their names here: objects inside as dicts, several as a list.

        Amounts stay Decimal, dates dates. `raw` has all that the server sent, as it sent it.
        """
        return {name: _unfolded(getattr(self, name)) for name in wire_names(type(self))}

    def to_json(self) -> str:
        """Return `to_dict` as JSON: amounts as text, dates and times in ISO 8601."""
        return msgspec.json.encode(self.to_dict()).decode()

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: Any) -> Any:
        """Let pydantic (so FastAPI, too) check, write and describe objects of this class."""
        from pydantic_core import core_schema  # only pydantic calls this

        hints = typing.get_type_hints(cls)
        fields = core_schema.typed_dict_schema(
            {
                name: core_schema.typed_dict_field(handler(hints[name]), required=False)
                for name in wire_names(cls)
            },
            cls_name=cls.__name__,
        )

        def made(value: Any, check: Callable[[Any], dict[str, Any]]) -> Any:
            return value if isinstance(value, cls) else cls(**check(value))

        return core_schema.no_info_wrap_validator_function(
            made,
            fields,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda item: {name: getattr(item, name) for name in wire_names(cls)},
                return_schema=fields,
            ),
        )

    def __copy__(self: M) -> M:
        return self  # frozen; a copy by way of pickle would lose `answer`

    def __deepcopy__(self: M, _: Any) -> M:
        return self

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        fields = attrs.fields_dict(type(self))  # type: ignore[arg-type]  # each subclass is attrs
        return {name: getattr(self, name) for name in fields}, self.raw

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        values, raw = state
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if raw:
            object.__setattr__(self, "_source", Part(raw, None))


def _unfolded(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    return [_unfolded(one) for one in value] if isinstance(value, tuple) else value


def renamed(wire: str, default: Any = None) -> Any:
    """Declare a field that the API calls otherwise (the Billing API writes camelCase).

    msgspec cannot rename the fields of attrs classes: a class with such a field is always read
    on the tolerant path.
    """
    return attrs.field(default=default, metadata={"wire": wire})


def day() -> Any:
    """Declare a date that the API writes as a time, the midnight at which the day begins.

    The day is the one that the server wrote, in whatever zone; 23:00 UTC in summer is midnight in
    London.
    """
    return attrs.field(default=None, metadata={"day": True})


@_cached
def wire_names(cls: type[Model]) -> Mapping[str, str]:
    """Return what the API calls each field."""
    fields = attrs.fields(cls)  # type: ignore[arg-type]  # each subclass is attrs
    return {field.name: field.metadata.get("wire", field.name) for field in fields}


def items_of(sent: Any, names: Collection[str]) -> list[Any] | None:
    """Return the items of what stands where a list is due, None for what is not understood.

    Besides a list that may be null, a single object, an object whose values are the items (PHP
    writes an array so once its keys have a gap), or one that wraps the list in `data` again.
    `names`: the fields that an item may have, as the API calls them; none for plain values.
    """
    while isinstance(sent, dict) and "data" in sent and not sent.keys() & names:
        sent = sent["data"]
    if sent is None or sent == {}:
        return []
    if isinstance(sent, list):
        return sent
    if not isinstance(sent, dict):
        return None
    if sent.keys() & names:
        return [sent]
    if all(isinstance(value, dict) for value in sent.values()) if names else _is_numbered(sent):
        return list(sent.values())
    return None


def _is_numbered(tree: dict[str, Any]) -> bool:
    return all(key.isdecimal() for key in tree)


def _lost(sent: Any, read: Any) -> bool:
    """Return True if a typed value does not show all that was sent."""
    if isinstance(read, tuple):
        kind = type(read[0]) if read else None
        names = wire_names(kind).values() if kind and issubclass(kind, Model) else ()
        items = items_of(sent, names)
        return items is None or len(read) != sum(item is not None for item in items)
    return sent is not None and read is None


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(attrs.field,))
def model(cls: T) -> T:
    """Make a class of the API's answers: frozen, slotted, keyword-only."""
    return attrs.define(
        cls, frozen=True, slots=True, kw_only=True, getstate_setstate=False, weakref_slot=False
    )
