"""What servers say when they refuse: Laravel's messages, problem details, lists of errors, text."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

_MOST_FIELDS: Final = 200
_MOST_MESSAGES: Final = 20
_SAID: Final = ("message", "error", "title", "detail", "error_description", "description", "reason")
_NAMED: Final = ("field", "property", "attribute", "param", "parameter", "path", "name", "pointer")


def spoken(tree: Any) -> tuple[str, dict[str, list[str]]]:
    """Return what the JSON of a refusal says as a whole, and its messages by field.

    Messages that name no field are part of what is said.
    """
    if isinstance(tree, str):
        return tree, {}
    if isinstance(tree, list):
        tree = {"errors": tree}
    if not isinstance(tree, dict):
        return "", {}
    said = list(_sentences(tree))
    fields: dict[str, list[str]] = {}
    for name, message in itertools.islice(_errors(tree), _MOST_FIELDS * _MOST_MESSAGES):
        if not name:
            said.append(message or "")
        elif name in fields or len(fields) < _MOST_FIELDS:
            messages = fields.setdefault(name, [])
            if message is not None and len(messages) < _MOST_MESSAGES:
                messages.append(message)
    # Problem details often say the same twice.
    return "; ".join(dict.fromkeys(said[:_MOST_MESSAGES])), fields


def _sentences(tree: dict[Any, Any]) -> Iterator[str]:
    """Yield the texts that speak for the whole of an object."""
    for name in _SAID:
        value = tree.get(name)
        if isinstance(value, str) and value.strip():
            yield value
        elif isinstance(value, dict):  # {"error": {"message": ..}}
            yield from (text for key in _SAID if isinstance(text := value.get(key), str))


def _errors(tree: dict[Any, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield each message of `errors`, in any of its shapes, with its field or "".

    None stands for the messages of a field without any.
    """
    errors = next((tree[name] for name in ("errors", "violations") if tree.get(name)), None)
    if isinstance(errors, dict):
        for name, value in errors.items():
            for message in value if isinstance(value, list) else [value]:
                if isinstance(message, dict):
                    yield from ((name, text) for text in [*_sentences(message)] or [str(message)])
                else:
                    yield name, None if message is None else str(message)
    elif isinstance(errors, list):
        for error in errors:
            if isinstance(error, dict):
                yield from ((_field(error), text) for text in _sentences(error))
            elif isinstance(error, str):
                yield "", error
    elif isinstance(errors, str):
        yield "", errors


def _field(error: dict[Any, Any]) -> str:
    source = error.get("source")
    for place in (error, source if isinstance(source, dict) else {}):
        for name in _NAMED:
            value = place.get(name)
            if isinstance(value, str) and value:
                return value
            if isinstance(value, list) and value:
                return ".".join(map(str, value))
    return ""
