"""The words of the contract: short names for JSON schemas, and what describes an operation."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
# Laravel trims texts, and takes empty ones for missing.
FILLED: Schema = {"type": "string", "pattern": r"\S", "maxLength": 255}
INT: Schema = {"type": "integer"}
BOOL: Schema = {"type": "boolean"}
NULL: Schema = {"type": "null"}
ID: Schema = {"type": "integer", "minimum": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
FILE: Schema = {"type": "string", "format": "binary"}

# How dates and times come out: four spellings.
TIMESTAMP: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.000000Z$",
}
PLAIN_TIMESTAMP: Schema = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$",
}
LOCAL_TIMESTAMP: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?$",
}
DATE: Schema = {"type": "string", "format": "date"}

# How dates go in: "This must be in DD/MM/YY format."
SHORT_DATE: Schema = {
    "type": "string",
    "pattern": "^(0[1-9]|1[0-9]|2[0-8])/(0[1-9]|1[0-2])/[0-6][0-9]$",
    "description": "DD/MM/YY",
    "examples": ["01/07/22"],
}
LONG_DATE: Schema = {
    "type": "string",
    "pattern": "^[0-9]{2}/[0-9]{2}/[0-9]{4}$",
    "description": "DD/MM/YYYY",
    "examples": ["15/01/1996"],
}
PHONE: Schema = {
    "type": "string",
    "pattern": r"^\+[1-9][0-9]{7,13}$",
    "description": "With the country code",
    "examples": ["+441234567890"],
}
POSTCODE: Schema = {
    "type": "string",
    "pattern": "^[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$",
    "examples": ["SW155PU"],
}
EMAIL: Schema = {"type": "string", "format": "email"}
MONEY: Schema = {
    "type": "string",
    "pattern": r"^[0-9]+(\.[0-9]{1,2})?$",
    "description": "An amount with up to two decimals",
}
COLOUR: Schema = {"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$", "examples": ["#40BF67"]}


def ref(name: str) -> Schema:
    """Return a reference to a shared schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def null(schema: Schema) -> Schema:
    """Return the schema that also takes null."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, NULL]}


def array(items: Schema, **more: object) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items, **more}


def one_of(*values: str) -> Schema:
    """Return the schema of a text that is one of these."""
    return {"type": "string", "enum": list(values)}


def obj(_extra: Mapping[str, Schema] | None = None, **fields: Schema) -> Schema:
    """Return the schema of an object that has all of these fields."""
    properties = {**(_extra or {}), **fields}
    return {"type": "object", "required": list(properties), "properties": properties}


def body(required: Mapping[str, Schema], **optional: Schema) -> Schema:
    """Return the schema of a request: the required fields, then the optional ones."""
    filled = {name: FILLED if each is TEXT else each for name, each in required.items()}
    schema: Schema = {"type": "object", "properties": {**filled, **optional}}
    return {**schema, "required": list(required)} if required else schema


def data(schema: Schema, **siblings: Schema) -> Schema:
    """Return the schema of an answer in the usual envelope."""
    return obj(data=schema, **siblings)


@attrs.frozen
class Operation:
    """What the contract says of an operation, beside its method and path.

    - `query`: the parameters of the query by name; `needed` are those that must be there
    - `body`: the schema of the request, sent as `media`
    - `answer`: the schema of the answer, or None for a PDF
    - `created`: whether success is 201
    """

    name: str
    answer: Schema | None
    body: Schema | None = None
    query: Mapping[str, Schema] = attrs.field(factory=dict)
    needed: Sequence[str] = ()
    media: Sequence[str] = ("application/json",)
    created: bool = False


@attrs.frozen
class Heading:
    """The operations of a heading by label ("GET /api/partner/lead"), and its shared schemas."""

    title: str
    operations: Mapping[str, Operation]
    schemas: Mapping[str, Schema] = attrs.field(factory=dict)


PAGE: Mapping[str, Schema] = {"page": {"type": "integer", "minimum": 1, "default": 1}}
LIMITED: Mapping[str, Schema] = {"limit": {"type": "integer", "minimum": 1}, **PAGE}
FORM = ("multipart/form-data", "application/json")
