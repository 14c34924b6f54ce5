"""The Billing API: another service, with its own login, on the emulator's port below /billing."""

import hmac
import json
import re
from datetime import date
from http import HTTPStatus

from .. import jwt
from ..package_records import Billing
from ..pdf import pdf
from ..routing import Answer, Call, Handler, Route, json_answer

PREFIX = "/billing"
LOGIN = PREFIX + "/users/authenticate"

# Each building has this many flats, each of which has an individual document.
_FLATS = 2

_PROBLEM = {"Content-Type": "application/problem+json; charset=utf-8"}
_UUID = re.compile(r"[0-9a-f]{32}")
# "always BExxxxxxxx (where xxxxxxxx is a 8 digits pattern)": the billing's id and one more digit,
# which is 0 for the global document.
_DOCUMENT = re.compile(r"BE([0-9]{7})([0-9])", re.ASCII)
_ADMINISTRATORS = re.compile(r"[0-9]+(;[0-9]+)*", re.ASCII)


def authenticate(call: Call) -> Answer:
    """Answer a short-lived token as a bare JSON string."""
    try:
        given = json.loads(call.received.body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        return _problem(400)
    login = tuple(str(given.get(name, "")).encode("utf-8", "replace") for name in _CREDENTIALS)
    expected = tuple(each.encode() for each in call.billing_login)
    if not all(map(hmac.compare_digest, login, expected)):
        return _problem(401)
    seconds = call.assumed.billing_token_seconds
    token = jwt.issue(call.store.secret, call.billing_login[0], call.store.clock(), seconds)
    return json_answer(200, token)


def headers(call: Call) -> Answer:
    """Answer the billing periods of a building, within the dates of the query."""
    uuid = call.params["propertyUUId"].lower()
    if not _UUID.fullmatch(uuid):
        return _problem(400, {"propertyUUId": ["The value is not valid."]})
    query = call.received.query
    errors = {
        name: [f"The value '{query[name]}' is not valid."]
        for name in ("StartDate", "EndDate", "LastUpdate")
        if name in query and not _is_date(query[name])
    }
    if errors:
        return _problem(400, errors)
    first, last, since = (
        query.get(name, default)
        for name, default in (("StartDate", ""), ("EndDate", "9999-12-31"), ("LastUpdate", ""))
    )
    rows = [
        row
        for row in call.store.billings.values()
        if row.property_uuid == uuid
        and first <= row.start
        and row.end <= last
        and since <= row.updated_at
    ]
    return json_answer(200, {"count": len(rows), "billingHeaders": [_header(row) for row in rows]})


def billing(call: Call) -> Answer:
    """Answer one billing; no answer is printed, so this one is made up."""
    row = call.store.billings.get(call.number("billing_id"))
    if row is None:
        return _problem(404)
    consumptions = call.received.query.get("includeDeviceConsumptions", "false").lower()
    if consumptions not in ("true", "false"):
        return _problem(400, {"includeDeviceConsumptions": ["The value is not valid."]})
    individuals = []
    for flat in range(1, _FLATS + 1):
        individual: dict[str, object] = {
            "unitNumber": str(flat),
            "amount": 412.5 * flat,
            "document": document_id(row, flat),
        }
        if consumptions == "true":
            individual["deviceConsumptions"] = [
                {"deviceNumber": f"{row.id}{flat}1", "type": "Heating", "consumption": 731 * flat},
                {"deviceNumber": f"{row.id}{flat}2", "type": "Water", "consumption": 48 * flat},
            ]
        individuals.append(individual)
    return json_answer(
        200, {**_header(row), "document": document_id(row), "individualBillings": individuals}
    )


def document_id(row: Billing, flat: int = 0) -> str:
    """Return the reference of a billing's document: the global one or that of a flat."""
    return f"BE{row.id:07d}{flat}"


def document(call: Call) -> Answer:
    """Answer a document as a PDF."""
    name = call.params["document_id"]
    found = _DOCUMENT.fullmatch(name)
    if found is None or int(found[2]) > _FLATS or int(found[1]) not in call.store.billings:
        return _problem(404)
    disposition = f'attachment; filename="{name}.pdf"'
    return Answer(
        200,
        pdf(f"Billing document {name}"),
        {"Content-Type": "application/pdf", "Content-Disposition": disposition},
    )


def _spelled(spelling: str, handler: Handler) -> Handler:
    """Let the handler answer only where documents are assumed under this path."""

    def handle(call: Call) -> Answer:
        known = call.assumed.billing_document_path in (spelling, "both")
        return handler(call) if known else _problem(404)

    return handle


def _guarded(handler: Handler) -> Handler:
    """Let the handler answer only who has a token and names administrators."""

    def handle(call: Call) -> Answer:
        scheme, _, token = call.received.headers.get("Authorization", "").partition(" ")
        now = call.store.clock()
        if scheme.lower() != "bearer" or not jwt.is_valid(call.store.secret, token.strip(), now):
            return _problem(401)
        administrators = call.received.headers.get("istaAdministratorIds", "")
        if call.assumed.billing_needs_administrators and not _ADMINISTRATORS.fullmatch(
            administrators
        ):
            return _problem(403)
        return handler(call)

    return handle


def _header(row: Billing) -> dict[str, object]:
    return {
        "id": row.id,
        "propertyUUId": row.property_uuid,
        "startDate": f"{row.start}T00:00:00",
        "endDate": f"{row.end}T00:00:00",
        "updateTimeStamp": row.updated_at,
    }


def _problem(status: int, errors: dict[str, list[str]] | None = None) -> Answer:
    # ASP.NET's ProblemDetails.
    title = "One or more validation errors occurred." if errors else HTTPStatus(status).phrase
    content = {"type": "about:blank", "title": title, "status": status}
    more: dict[str, str] = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    shape = {**content, "errors": errors} if errors else content
    return json_answer(status, shape, {**_PROBLEM, **more})


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


_CREDENTIALS = ("username", "password")
_DOCULMENT, _CORRECTED = "BillingDoculment", "BillingDocument"

ROUTES = (
    # BillingHeaders
    Route("GET", PREFIX + "/BillingHeaders/{propertyUUId}", _guarded(headers), open=True),
    # Billing
    Route("GET", PREFIX + "/Billing/{billing_id}", _guarded(billing), open=True),
    # BillingDocument, as its path is printed
    Route(
        "GET",
        PREFIX + "/BillingDoculment/{document_id}",
        _spelled(_DOCULMENT, _guarded(document)),
        open=True,
    ),
)

# What the document does not list: the login, and the path as it may have been meant.
EXTRA = (
    Route("POST", LOGIN, authenticate, open=True),
    Route(
        "GET",
        PREFIX + "/BillingDocument/{document_id}",
        _spelled(_CORRECTED, _guarded(document)),
        open=True,
    ),
)
