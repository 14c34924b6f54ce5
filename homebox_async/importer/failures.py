"""What a failed request means: for its row, and for the whole import."""

from __future__ import annotations

import time

from ..errors import AuthenticationFailed, PermissionDenied, RequestError, StatusError
from ..middleware import LONGEST_PAUSE
from .columns import Asked
from .course import Course

# Answers missed without a success between them that stop the import; fewer where each one leaves
# a row in doubt for ever.
IN_A_ROW, IN_A_ROW_UNLISTED = 50, 3
_ROUNDS = 20  # of refusals and failed connections, with a pause after each: about 40 s
_PAUSE = 0.05  # after the first such round; it doubles
_LONGEST_PAUSE = 2.0


class Patience:
    """How long a server that fails is asked again; when it ends, so does the import.

    `in_a_row`: how many answers may be missed without a success between them.
    """

    def __init__(self, course: Course, in_a_row: int) -> None:
        self._course = course
        self._in_a_row = in_a_row
        self._missed = 0
        self._rounds = 0
        self._round_began = 0.0

    def renew(self) -> None:
        """Begin anew: the server has answered for a row."""
        self._missed = self._rounds = 0

    def missed(self, error: RequestError) -> None:
        """Count a request that was left without an answer."""
        self._missed += 1
        if self._missed >= self._in_a_row:
            self._course.fail(error)

    async def pause(self, error: RequestError, began: float) -> None:
        """Wait before the server is asked again, longer each time, and in the end stop.

        The failures of all requests that were in flight together are one round. A server that
        asks for more than an hour ends the import at once: go on with it later.
        """
        if began >= self._round_began:
            self._round_began = time.monotonic()
            self._rounds += 1
            if self._rounds >= _ROUNDS:
                self._course.fail(error)
        if (error.retry_after or 0.0) > LONGEST_PAUSE:
            self._course.fail(error)
            return
        pause = min(_LONGEST_PAUSE, _PAUSE * 2.0 ** (self._rounds - 1))
        await self._course.wait(max(pause, error.retry_after or 0.0))


def is_hopeless(error: RequestError, row: Asked) -> bool:
    """Tell whether a refusal is not the row's fault, so that the next rows would fare no better."""
    if isinstance(error, (AuthenticationFailed, PermissionDenied)):
        return True
    status = error.status if isinstance(error, StatusError) else 0
    # What was not found can only be what the row names by its id, if it does.
    return status == 405 or (status == 404 and not row.names_an_id)


def explain(error: RequestError) -> tuple[str, str]:
    """Return the fields that a refusal names and what it says of them."""
    errors = error.errors if isinstance(error, StatusError) else {}
    messages = [" ".join(messages) for messages in errors.values()]
    return ", ".join(errors) or "row", "; ".join(filter(None, messages)) or error.message
