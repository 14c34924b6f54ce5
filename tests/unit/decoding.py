"""What the tests of the codec share."""

import json
from typing import Any

from homebox_async import Account, FoundAddress, Lead, Model, Partner, Property, Reading, Tenant
from homebox_async import codec as codec_module
from homebox_async.codec import parse
from homebox_async.models import Answer

MODELS: list[type[Model]] = [Account, FoundAddress, Lead, Partner, Property, Reading, Tenant]


def tolerant(body: bytes, into: type[Any], envelope: str | None = "data") -> Any:
    """Decode by the tolerant path only."""
    answer = Answer(body, parse(body))
    return codec_module.tolerant_one(answer, into, envelope, made=False)


def wrapped(**fields: Any) -> bytes:
    """Return an answer."""
    return json.dumps({"data": fields}).encode()
