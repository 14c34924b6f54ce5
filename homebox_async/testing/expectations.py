"""What a test expects to have been sent, compared with what was, in words.

A failure shows the values of what the test asks about and of nothing else: the rest of a request
may be personal, and a report of tests is seen by many.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..emulator import Message, MessageKind, Received
from .paths import Method, full_path

_ABSENT = object()

# A report need not repeat a bulk import.
_MOST_LINES = 20


@attrs.frozen
class ExpectedRequest:
    """A request to an operation; `json` and `form` need hold only what matters."""

    method: Method
    path: str
    json: Mapping[str, Any] | None = None
    form: Mapping[str, Any] | None = None

    def of(self, log: Sequence[Received], times: int | None) -> list[Received]:
        """Return the requests that are as expected, at least one or so many `times`."""
        path = full_path(self.method, self.path)
        to_it = [
            each
            for each in log
            if each.method == self.method and path in (each.path, each.template)
        ]
        found = [each for each in to_it if not self._differences(each)]
        if _enough(len(found), times):
            return found
        what = f"{self.method} {path}"
        if self.json is not None or self.form is not None:
            what += " with these fields"
        lines = [_line(each, self._differences(each)) for each in to_it]
        lines = lines or [_line(each, []) for each in log]
        raise AssertionError(
            _report(what, "received", len(found), times, lines, "no request was received")
        )

    def _differences(self, received: Received) -> list[str]:
        found = [] if self.json is None else differences(self.json, received.json, "json")
        return found if self.form is None else found + differences(self.form, received.form, "form")


@attrs.frozen
class ExpectedMessage:
    """A message in the outbox; what is None does not matter."""

    kind: MessageKind
    to: str | None = None
    about: str | None = None

    def of(self, outbox: Sequence[Message], times: int | None) -> list[Message]:
        """Return the messages that are as expected, at least one or so many `times`."""
        of_kind = [each for each in outbox if each.kind == self.kind]
        found = [each for each in of_kind if not self._differences(each)]
        if _enough(len(found), times):
            return found
        asked = {"to": self.to, "about": self.about}
        what = " ".join(
            [self.kind, *(f"{name} {value}" for name, value in asked.items() if value is not None)]
        )
        lines = [_about(each, self._differences(each)) for each in of_kind]
        lines = lines or [_about(each, []) for each in outbox]
        raise AssertionError(
            _report(what, "in the outbox", len(found), times, lines, "the outbox is empty")
        )

    def _differences(self, message: Message) -> list[str]:
        return [
            f"{name}: expected {wanted!r}, got {got!r}"
            for name, wanted, got in (
                ("to", self.to, message.to),
                ("about", self.about, message.about),
            )
            if wanted is not None and wanted != got
        ]


def differences(expected: object, actual: object, path: str) -> list[str]:
    """Return where `actual` lacks what is expected; objects in it may hold more than that."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return [
            line
            for name, value in expected.items()
            for line in differences(value, actual.get(name, _ABSENT), f"{path}.{name}")
        ]
    if isinstance(expected, list | tuple) and isinstance(actual, list | tuple):
        if len(expected) != len(actual):
            return [f"{path}: expected {len(expected)} items, got {len(actual)}"]
        return [
            line
            for number, (one, other) in enumerate(zip(expected, actual, strict=True))
            for line in differences(one, other, f"{path}.{number}")
        ]
    # True is 1 for Python, but not in JSON.
    if expected == actual and isinstance(expected, bool) == isinstance(actual, bool):
        return []
    got = "which was not sent" if actual is _ABSENT else f"got {_shown(actual)}"
    return [f"{path}: expected {_shown(expected)}, {got}"]


def _shown(value: object) -> str:
    # What was sent in place of a plain value may hold more than the test asks about.
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, list | tuple) else repr(value)


def expect_no_message(outbox: Sequence[Message]) -> None:
    """Raise AssertionError for an outbox that is not empty."""
    if outbox:
        count = f"there {'were' if len(outbox) > 1 else 'was'} {len(outbox)} in the outbox"
        lines = _numbered([_about(each, []) for each in outbox])
        raise AssertionError(f"expected no message at all, but {count}{lines}")


def _enough(found: int, times: int | None) -> bool:
    return found > 0 if times is None else found == times


def _line(received: Received, found: list[str]) -> str:
    line = f"{received.method} {received.path}: "
    line += "no answer" if received.status is None else f"answered {received.status}"
    if received.fault is not None:
        line += f", fault {received.fault.name}"
    return _indented([line, *found])


def _about(message: Message, found: list[str]) -> str:
    return _indented([f"{message.kind} about {message.about}: {message.subject}", *found])


def _indented(lines: Sequence[str]) -> str:
    return "\n       ".join(lines)


def _numbered(lines: Sequence[str]) -> str:
    shown = [f"\n  {n:>3}. {line}" for n, line in enumerate(lines[-_MOST_LINES:], 1)]
    cut = f" (the last {_MOST_LINES} of {len(lines)})" if len(lines) > _MOST_LINES else ""
    return f"{cut}:{''.join(shown)}"


def _report(
    what: str, where: str, found: int, times: int | None, lines: Sequence[str], nothing: str
) -> str:
    wanted = "at least once" if times is None else f"{times} time{'' if times == 1 else 's'}"
    head = f"expected {what} {wanted}, but it was {where} {found} time{'' if found == 1 else 's'}"
    if not lines:
        return f"{head}; {nothing}"
    return f"{head}. There {'were' if len(lines) > 1 else 'was'}{_numbered(lines)}"
