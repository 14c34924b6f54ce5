"""The tree of errors: whole after a pickle, plain in its words."""

import copy
import inspect
import pickle
from typing import Any

import pytest

from homebox_async import (
    ConfigurationError,
    ConnectionFailed,
    HomeboxError,
    Outcome,
    OutcomeUnknown,
    Problem,
    RateLimited,
    RequestError,
    ServerError,
    StatusError,
    ValidationError,
    errors,
)
from homebox_async.errors import status_error

CLASSES = [
    cls for cls in vars(errors).values() if inspect.isclass(cls) and issubclass(cls, HomeboxError)
]


def example(cls: type[HomeboxError]) -> HomeboxError:
    """Make an error with everything in it."""
    if cls is OutcomeUnknown:
        return OutcomeUnknown(example(ServerError))  # type: ignore[arg-type]
    if issubclass(cls, ValidationError):
        return cls([Problem("a.b", "is missing", "give it")])
    kwargs: dict[str, Any] = {}
    if issubclass(cls, RequestError):
        kwargs = {"outcome": Outcome.REJECTED, "method": "GET", "path": "a/{b}", "attempts": 2}
    if issubclass(cls, StatusError):
        kwargs |= {"status": 500, "errors": {"a": ("b",)}, "retry_after": 2.5, "request_id": "r"}
    return cls("words", **kwargs)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize(
    "again",
    [
        lambda error: pickle.loads(pickle.dumps(error)),
        copy.copy,
        copy.deepcopy,
    ],
    ids=["pickle", "copy", "deepcopy"],
)
def test_errors_survive(cls: type[HomeboxError], again: Any) -> None:
    """Every error is the same after a pickle or a copy, reason and notes included."""
    error = example(cls)
    error.add_note("a note")
    same = again(error)
    assert type(error) is type(same)
    assert (str(error), error.args) == (str(same), same.args)
    left, right = dict(vars(error)), dict(vars(same))
    assert str(left.pop("reason", "")) == str(right.pop("reason", ""))
    assert left == right
    assert getattr(error, "retry_after", None) == getattr(same, "retry_after", None)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_the_tree_is_drawn(cls: type[HomeboxError]) -> None:
    """Every class stands in the drawing on top of the module, and has its docstring."""
    assert cls.__name__ in str(errors.__doc__)
    assert cls.__doc__


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (300, "RedirectRefused"),
        (399, "RedirectRefused"),
        (400, "BadRequest"),
        (402, "StatusError"),
        (422, "UnprocessableEntity"),
        (429, "RateLimited"),
        (499, "StatusError"),
        (500, "ServerError"),
        (599, "ServerError"),
    ],
)
def test_status_classes(status: int, name: str) -> None:
    """Each status has its class."""
    assert name == status_error(status).__name__


def test_words() -> None:
    """An error says operation, reason, outcome and attempts; without an operation, the rest."""
    error = ConnectionFailed("broke", outcome=Outcome.NOT_SENT, method="GET", path="a", attempts=1)
    assert "GET a: broke [outcome: not sent, 1 attempt]" == str(error)
    bare = ConnectionFailed("broke", outcome=Outcome.NOT_SENT, attempts=0)
    assert "broke [outcome: not sent, 0 attempts]" == str(bare)
    assert (None, None) == (error.retry_after, OutcomeUnknown(error).status)
    assert 500 == OutcomeUnknown(example(ServerError)).status  # type: ignore[arg-type]
    assert 2.5 == example(RateLimited).retry_after  # type: ignore[attr-defined]
    assert "a.b is missing; give it (nothing was sent)" == str(example(ValidationError))
    assert Outcome.NOT_SENT is ValidationError.outcome
    assert issubclass(ConfigurationError, HomeboxError)
