"""Routing: which operation a request means, what its handler gets and what it returns."""

import json
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import unquote

import attrs

from .assumed import Assumed
from .received import Received
from .store import Store

_JSON = {"Content-Type": "application/json"}

# json.dumps builds an encoder for each call that has options.
_encode = json.JSONEncoder(separators=(",", ":")).encode


@attrs.frozen
class Answer:
    """A response before it is sent, so that a fault can still do something to it."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def json_answer(status: int, content: object, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer with this content as JSON."""
    body = _encode(content).encode()
    return Answer(status, body, {**_JSON, **headers} if headers else _JSON)


# Not frozen: one is made for each request, and frozen classes take longer to make.
@attrs.define(eq=False)
class Call:
    """What a handler gets: the state, the request, the path's parameters, the server's origin."""

    store: Store
    assumed: Assumed
    seed: int
    origin: str
    received: Received
    params: Mapping[str, str]
    billing_login: tuple[str, str] = ("", "")

    def number(self, name: str) -> int:
        """The id that the path has under this name, or 0, which no row has."""
        return _positive(self.params[name]) or 0

    @property
    def page(self) -> int:
        """The page that is asked for; Laravel takes anything unusable as the first."""
        return _positive(self.received.query.get("page")) or 1

    @property
    def limit(self) -> int | None:
        """The `limit` of the query, or None when there is no usable one."""
        return _positive(self.received.query.get("limit"))


# Handlers are plain functions: no other request can come between their checks and their change.
Handler = Callable[[Call], Answer]


@attrs.frozen
class Route:
    """One operation: method, path template ("/api/partner/property/{property_id}"), handler.

    An `open` one asks for no Partner token.
    """

    method: str
    template: str
    handler: Handler
    open: bool = False

    @property
    def label(self) -> str:
        """The method and the template, as `Emulator.counts` shows them."""
        return f"{self.method} {self.template}"


@attrs.frozen
class Match:
    """What a path leads to: the routes by method (none when unknown) and its parameters."""

    routes: Mapping[str, Route]
    params: Mapping[str, str]

    def route(self, method: str) -> Route | None:
        """Return the route of a method, or None; Laravel answers HEAD wherever it answers GET."""
        return self.routes.get("GET" if method == "HEAD" else method)


_NOTHING = Match({}, {})


class Router:
    """Finds the route of a path: literal paths at once, templates by their segments.

    `labels` are those of all routes.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._literal: dict[str, Match] = {}
        self._templates: dict[int, dict[tuple[str, ...], dict[str, Route]]] = {}
        self.labels = tuple(route.label for route in routes)
        by_template: dict[str, dict[str, Route]] = {}
        for route in routes:
            by_template.setdefault(route.template, {})[route.method] = route
        for template, methods in by_template.items():
            if "{" in template:
                segments = tuple(template.split("/"))
                self._templates.setdefault(len(segments), {})[segments] = methods
            else:
                self._literal[template] = Match(methods, {})

    def match(self, raw_path: str) -> Match:
        """Return what this path leads to; it is still encoded and may have a query.

        Segments are decoded one by one, so an encoded slash stays within its parameter.
        Like Laravel, it does not mind a slash at the end.
        """
        path = raw_path.partition("?")[0].rstrip("/")
        if literal := self._literal.get(path):
            return literal
        parts = path.split("/")
        for segments, methods in self._templates.get(len(parts), {}).items():
            if all(
                segment == part if segment[:1] != "{" else part
                for segment, part in zip(segments, parts, strict=True)
            ):
                return Match(
                    methods,
                    {
                        segment[1:-1]: unquote(part)
                        for segment, part in zip(segments, parts, strict=True)
                        if segment[:1] == "{"
                    },
                )
        return _NOTHING


def _positive(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit():
        return None
    return int(text[:18]) or None
