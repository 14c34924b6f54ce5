"""What users' type checkers see of events, ids and spans; checked, never run."""

from typing import Literal, assert_type

from homebox_async import (
    AsyncBilling,
    AsyncHomebox,
    Billing,
    Event,
    Homebox,
    Outcome,
    PageEvent,
    PauseEvent,
    RequestError,
    RequestEvent,
    RetryEvent,
    StatusError,
    request_id,
)
from homebox_async.otel import instrumented


def watch(event: Event) -> None:
    """Check that events are told apart, with nothing left over."""
    if isinstance(event, RequestEvent):
        assert_type(event.outcome, Outcome | None)
        assert_type(event.request_id, str | None)
    elif isinstance(event, (RetryEvent, PauseEvent)):
        assert_type(event.path, str)
    elif isinstance(event, PageEvent):
        assert_type(event.last_page, int | None)
    else:
        assert_type(event.state, Literal["created", "adopted", "rejected", "unknown"])


async def watch_later(event: Event) -> None:
    """Be no callback."""


def clients(failed: RequestError, refused: StatusError) -> None:
    """Check that every client takes a callback, and stays what it is."""
    assert_type(instrumented(AsyncHomebox(on_event=watch), propagate=True), AsyncHomebox)
    assert_type(instrumented(Homebox(on_event=watch)), Homebox)
    assert_type(instrumented(AsyncBilling(on_event=watch)), AsyncBilling)
    assert_type(instrumented(Billing(on_event=watch)), Billing)
    assert_type(Homebox().with_options(on_event=watch), Homebox)
    assert_type(AsyncHomebox().with_options(on_event=watch), AsyncHomebox)
    assert_type(failed.status, int | None)
    assert_type(refused.status, int)
    assert_type(failed.request_id, str | None)
    with request_id("job-42") as nothing:
        assert_type(nothing, None)
    AsyncHomebox(on_event=watch_later)  # type: ignore[arg-type]  # pyright: ignore
    request_id(42)  # type: ignore[arg-type]  # pyright: ignore
    instrumented(watch)  # type: ignore[type-var]  # pyright: ignore
