"""What a failed request means: for its row, and for the whole import."""

from __future__ import annotations

from ..errors import AuthenticationFailed, PermissionDenied, RequestError, StatusError
from .columns import Asked


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
