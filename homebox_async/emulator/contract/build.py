"""Builds the OpenAPI document from the tables of the headings and the routes."""

import json
import re
from typing import Any

from ..routes import ROUTES
from ..routes.billing import EXTRA, LOGIN, PREFIX
from . import (
    account,
    billing,
    branches,
    leads,
    metrics,
    orders,
    partner_packages,
    properties,
    readings,
    tenant_packages,
)
from .schema import ID, TEXT, Heading, Operation, Schema, array, obj, ref

HEADINGS: tuple[Heading, ...] = (
    properties.HEADING,
    orders.HEADING,
    tenant_packages.HEADING,
    partner_packages.HEADING,
    leads.TENANCIES,
    leads.HEADING,
    readings.HEADING,
    readings.POSTAL_BILLS,
    leads.VOIDS,
    account.HEADING,
    branches.HEADING,
    metrics.HEADING,
    billing.HEADING,
)

_PATH_PARAMETERS: dict[str, Schema] = {
    "query": {"type": "string", "minLength": 1, "examples": ["BN11AB"]},
    "propertyUUId": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "document_id": {"type": "string", "pattern": "^BE[0-9]{8}$"},
}

_SHARED: dict[str, Schema] = {
    "Error": obj(message=TEXT),
    "Invalid": obj(
        message=TEXT, errors={"type": "object", "additionalProperties": array(TEXT, minItems=1)}
    ),
    "Problem": {
        **obj(type=TEXT, title=TEXT, status={"type": "integer"}),
        "description": "ASP.NET's ProblemDetails",
    },
}

_RESPONSES = {
    "BadRequest": ("The body is not a JSON object", "application/json", "Error"),
    "Unauthenticated": ("The token is missing or wrong", "application/json", "Error"),
    "NotFound": ("There is no such row", "application/json", "Error"),
    "Invalid": ("Fields are invalid", "application/json", "Invalid"),
    "TooManyRequests": ("The rate limit is used up", "application/json", "Error"),
    "BillingProblem": ("The request was refused", "application/problem+json", "Problem"),
}

_PARTNER_REFUSALS = {400: "BadRequest", 401: "Unauthenticated", 404: "NotFound", 422: "Invalid"}


def document() -> dict[str, Any]:
    """Return the OpenAPI document of all operations."""
    tables = {
        label: (each, heading) for heading in HEADINGS for label, each in heading.operations.items()
    }
    paths: dict[str, dict[str, Any]] = {}
    for route in (*ROUTES, *EXTRA):
        operation, heading = tables[route.label]
        item = paths.setdefault(route.template, {})
        item[route.method.lower()] = _operation(route.template, route.open, operation, heading)
    schemas = dict(_SHARED)
    for heading in HEADINGS:
        schemas.update(heading.schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Homebox Partner API and ista Billing API",
            "version": "1.0.0",
            "summary": "The two APIs as documented, and as the emulator of homebox-async serves.",
            "description": "Operations below /billing belong to the Billing API, which is another "
            "service with its own credentials. What the documents leave out is assumed.",
        },
        "tags": [{"name": heading.title} for heading in HEADINGS],
        "security": [{"partnerToken": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                name: {"description": text, "content": {media: {"schema": ref(schema)}}}
                for name, (text, media, schema) in _RESPONSES.items()
            },
            "securitySchemes": {
                "partnerToken": {"type": "http", "scheme": "bearer"},
                "billingToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def _operation(
    template: str, is_billing: bool, operation: Operation, heading: Heading
) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", template)
    shape: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "-", operation.name.lower()),
        "summary": operation.name,
        "tags": [heading.title],
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_PARAMETERS.get(name, ID)}
        for name in names
    ]
    parameters += [
        {"name": name, "in": "query", "required": name in operation.needed, "schema": schema}
        for name, schema in operation.query.items()
    ]
    if is_billing:
        shape["security"] = [] if template == LOGIN else [{"billingToken": []}]
        if template != LOGIN:
            parameters.append(
                {
                    "name": "istaAdministratorIds",
                    "in": "header",
                    "required": True,
                    "schema": {**TEXT, "pattern": "^[0-9]+(;[0-9]+)*$", "examples": ["1;2;3"]},
                }
            )
    if parameters:
        shape["parameters"] = parameters
    if operation.body is not None:
        content = {media: {"schema": operation.body} for media in operation.media}
        shape["requestBody"] = {"required": True, "content": content}
    shape["responses"] = _responses(template, operation, names)
    return shape


def _responses(template: str, operation: Operation, names: list[str]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Success"}
    if operation.answer is None:
        success["content"] = {"application/pdf": {"schema": {"type": "string"}}}
    else:
        success["content"] = {"application/json": {"schema": operation.answer}}
    if template.startswith(PREFIX):
        refusals = dict.fromkeys((400, 401, 403, 404), "BillingProblem")
    else:
        refusals = {401: _PARTNER_REFUSALS[401], 429: "TooManyRequests"}
        if operation.body is not None:
            refusals[400] = _PARTNER_REFUSALS[400]
        if any(name != "query" for name in names):
            refusals[404] = _PARTNER_REFUSALS[404]
        # Laravel takes an unusable `page` or `limit` as if it were not there.
        if operation.body is not None or set(operation.query) - {"page", "limit"}:
            refusals[422] = _PARTNER_REFUSALS[422]
    answers: dict[str, Any] = {"201" if operation.created else "200": success}
    if operation.created and template.endswith("/property"):
        # A repeated address may answer with the property that is there.
        answers["200"] = success
    for status, name in sorted(refusals.items()):
        answers[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return answers


def text() -> str:
    """Return the document as the text of docs/openapi.json."""
    return json.dumps(document(), indent=1) + "\n"
