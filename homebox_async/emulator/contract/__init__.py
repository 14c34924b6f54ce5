"""The contract as OpenAPI: built from one table for each heading, served at /openapi.json."""

from functools import cache

from ..routing import Answer, Call, Route, json_answer
from .build import document


@cache
def _document() -> dict[str, object]:
    return document()


def _serve(_: Call) -> Answer:
    return json_answer(200, _document())


ROUTE = Route("GET", "/openapi.json", _serve, open=True)

__all__ = ["ROUTE", "document"]
