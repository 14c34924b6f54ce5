"""What a call came to when it came to no result: the errors of answers, the notes of cancellations.

A server's words are made safe here before they stand in an error: what was sent is masked, and so
is what looks personal.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import html
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

from .errors import Outcome, StatusError, status_error
from .events import CLIENT_LOG
from .refusals import spoken
from .request_ids import HEADER, as_id
from .wire import FormBody, Request, Response, Safety

cancellation_told: ContextVar[bool] = ContextVar("homebox_cancellation_told", default=False)
"""Whether whoever cancels learns the outcome in another way than by the log."""


def note_cancelled(
    cancelled: BaseException, request: Request, outcome: Outcome, when: str = ""
) -> None:
    """Write on a cancellation what the cancelled call did at the server.

    For a write that may have happened it is logged, too: an `asyncio.timeout` hides the
    cancellation behind its own error, and an anyio scope swallows it.
    """
    note = f"{request.method} {request.path}: cancelled{when} [outcome: {outcome.value}]"
    cancelled.add_note(note)
    cancelled.outcome = outcome  # type: ignore[attr-defined]  # for those who tell of the call
    open_write = outcome is Outcome.UNKNOWN and request.safety is not Safety.READ
    if open_write and not cancellation_told.get():
        CLIENT_LOG.warning("%s: it may have been carried out", note)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that `Retry-After` asks for, None where it says nothing readable.

    It may be a number of seconds, also with a fraction, or an HTTP date. A date is measured
    against the `Date` of the same answer, so that it does not matter which of the two clocks is
    wrong; without one, against `now`, the time of day here (`time.time`).
    """
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{0,12})?", value):
        return float(value)
    until = _moment(value)
    if until is None:
        return None
    answered = _moment(headers.get("Date", ""))
    return max(0.0, until - (now if answered is None else answered))


def _moment(date: str) -> float | None:
    """Return the time of day that an HTTP date names; None for what is none."""
    try:
        moment = email.utils.parsedate_to_datetime(date)
        # One that names no zone is in UTC, not in the local one.
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


# Of an answer that says no: nobody reads more, and a server may send any amount.
_LONGEST_WORDS = 1 << 20
_LONGEST_BODY = 2000

# Below 500, and still from a gateway that may have passed the request on.
_OPEN = {408, 425}


def outcome_of(safety: Safety, status: int) -> Outcome:
    """Return what a request that was answered with a failing status did at the server.

    503 is no exception, not even with Retry-After: a gateway in front of the server answers it,
    too, for a request that the server has carried out.
    """
    if safety is Safety.READ or (status < 500 and status not in _OPEN):
        return Outcome.REJECTED
    return Outcome.UNKNOWN


def failure(request: Request, response: Response, now: float) -> StatusError:
    """Return the error of an answer with a status of 300 or above."""
    wait = retry_after(response.headers, now)
    said, fields, body = server_words(request, response)
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    told = response.body and re.fullmatch(r"[a-z.+-]+/[a-z0-9.+-]{1,30}", kind, re.IGNORECASE)
    words = said or (f"an answer of type {kind}" if told else "no message")
    if coding := foreign_coding(response):
        words += f", in a coding that was not asked for (Content-Encoding: {coding})"
    for name, messages in itertools.islice(fields.items(), 10):
        words += f"; {name}: {' '.join(messages[:3])}"
    return status_error(response.status)(
        f"the server answered {response.status}: {words}",
        outcome=outcome_of(request.safety, response.status),
        status=response.status,
        server_message=said,
        errors=fields,
        body=body,
        retry_after=wait,
        request_id=request_id_of(request, response),
        method=request.method,
        path=request.path,
    )


def foreign_coding(response: Response) -> str:
    """Return the coding of a body that aiohttp does not undo; "" for those that it does."""
    coding = response.headers.get("Content-Encoding", "").strip()
    if coding.casefold() in {"", "identity", "gzip", "deflate", "br", "zstd"}:
        return ""
    return redact(coding, 40)


def request_id_of(request: Request, response: Response) -> str | None:
    """Return what the server calls the exchange: an id, and nothing that it was sent."""
    found = as_id(response.headers.get(HEADER))
    if found is None:
        return None
    flat = _squeezed(found)
    for value, _ in _sent(request, response.added):
        for part in (value, *re.findall(r"\w{4,}", value)):
            known = _squeezed(part)
            # A short number is no more than an id, and a short word part of many ids.
            telling = len(known) >= (6 if known.isdecimal() else 4)
            if known == flat or (telling and known in flat):
                return None
    return found


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def server_words(
    request: Request, response: Response
) -> tuple[str, dict[str, tuple[str, ...]], str]:
    """Return what a server says as a whole and by field, and its whole answer as text.

    What was sent is masked, and so is what looks personal; the text is bounded.
    """
    body = response.body
    if not body or len(body) > _LONGEST_WORDS:
        return "", {}, ""
    sent = dict(_sent(request, response.added))

    def words(text: str, limit: int = 300) -> str:
        return redact(_masked(text, sent), limit)

    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        if b"\0" in body:
            return "", {}, ""
        text = body.decode(errors="replace")
        whole = words(text, _LONGEST_BODY)
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().casefold()
        readable = kind == "text/plain" and "\ufffd" not in text
        return words(text) if readable else "", {}, whole
    said, fields = spoken(tree)
    return (
        words(said),
        {words(name): tuple(map(words, messages)) for name, messages in fields.items()},
        words(body.decode(json.detect_encoding(body), errors="replace"), _LONGEST_BODY),
    )


def _sent(request: Request, added: Mapping[str, str] | None) -> Iterator[tuple[str, str]]:
    """Give every text that a request sends, each with the name of its field."""
    for name, value in (*request.params.items(), *request.query):
        yield str(value), name
    for name, value in (*(request.headers or {}).items(), *(added or {}).items()):
        if name.casefold() == HEADER.casefold():
            continue  # an id of the caller's, and no secret
        yield value.removeprefix("Bearer "), "token" if name == "Authorization" else name
    body = request.body
    if isinstance(body, FormBody):
        for name, value in body.fields:
            yield value, name
        for name, file in body.files:
            yield file.filename, name
    elif body is not None:
        try:
            yield from _texts("", json.loads(body.data))
        except ValueError:  # a middleware has made it
            yield body.data.decode(errors="replace"), "body"


def _texts(name: str, tree: Any) -> Iterator[tuple[str, str]]:
    if isinstance(tree, str):
        yield tree, name
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _texts(key, value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _texts(name, value)


_LONGEST = 20_000  # characters of a server's words that are looked at
_ENOUGH = 60  # characters of a long text that tell that it is repeated


def _masked(text: str, sent: Mapping[str, str]) -> str:
    """Return a server's words with the name of a field for each text of the request."""
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rpartition(" ")[0] or "…"
    text = " ".join(html.unescape(text).split())
    folded = text.casefold()
    patterns = {}
    for value, name in sent.items():
        flat = " ".join(value.split())
        if flat.isdecimal() or flat in {"true", "false"}:
            continue  # `redact` sees to long numbers; a short one is no more than an id
        for form in (flat, quote(flat, safe="")):
            start = form[:_ENOUGH]
            if len(form) > 1 and start.casefold() in folded:
                # A short one may well be part of a longer word.
                edge = r"\b" if len(form) < 4 else ""
                rest = ".*" if len(form) > _ENOUGH else ""
                patterns[f"{edge}{re.escape(start)}{edge}{rest}"] = name
    # The longest first: one may be part of another.
    for pattern in sorted(patterns, key=len, reverse=True):
        mask = f"[{patterns[pattern]}]".replace("\\", "\\\\")
        text = re.sub(pattern, mask, text, flags=re.IGNORECASE)
    return text


_PERSONAL = re.compile(
    r"(?P<email>[\w.+-]+@[\w-]+\.[\w.-]+)|(?P<date>\b\d{1,4}[/-]\d{1,2}[/-]\d{2,4}\b)"
    r"|(?P<token>\beyJ[\w-]+\.[\w-]+\.[\w-]*)"
    r"|(?P<number>\+?\d(?:[\d \-()]{4,}\d))"
)


def redact(text: str, limit: int = 300) -> str:
    """Return a server's words on one line without emails, dates, JWTs and long numbers.

    Nor do they hold anything that would drive a terminal, forge a line of a log, or that no file
    could take.
    """
    if len(text) > 4 * limit:
        # The search below takes square time on endless words; half a word may be half an email.
        text = text[: 4 * limit].rpartition(" ")[0] or "…"
    plain = _printable(" ".join(text.split()))
    clean = _PERSONAL.sub(lambda found: f"[{found.lastgroup}]", plain)
    return clean if len(clean) <= limit else clean[:limit] + "…"


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
