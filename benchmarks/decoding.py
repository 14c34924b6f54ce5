"""A page of 50 leads from bytes to typed objects, beside other decoders of the same bytes.

- `struct`: msgspec into its own Struct classes of the same fields
- `attrs`: msgspec into this package's classes, without what `decode_list` does afterwards
- `ours`: `decode_list`: times without a zone made UTC, unknown fields kept
- `cattrs`: orjson and cattrs (no detailed validation) into this package's classes, times UTC
- `json`: the standard library, no objects at all
"""

from __future__ import annotations

import datetime as dt
import json
import typing
from decimal import Decimal
from typing import Any

from benchmarks.measuring import Effort, Samples, alternate
from benchmarks.payloads import lead_page
from benchmarks.process import in_process
from benchmarks.report import Figures

NAME = "decode"
TITLE = "Decoding a page of 50 leads"


def measure(figures: Figures, effort: Effort) -> None:
    """Measure every decoder in one process."""
    found = in_process(__name__, "case", rounds=effort.rounds, count=effort.count(1_000, least=5))
    cpu = {name: sample["cpu"] for name, sample in found.items()}
    figures.ratio(
        "msgspec to the package's classes over msgspec to Struct",
        cpu["attrs"],
        cpu["struct"],
        at_most=1.9,
    )
    figures.ratio(
        "the whole decoding (UTC, unknown fields kept) over msgspec to Struct",
        cpu["ours"],
        cpu["struct"],
        at_most=2.7,
    )
    figures.ratio(
        "the whole decoding over orjson + cattrs", cpu["ours"], cpu["cattrs"], at_most=0.4
    )
    figures.ratio("the whole decoding over json.loads alone", cpu["ours"], cpu["json"])


def case(rounds: int, count: int) -> Samples:
    """Measure in this process."""
    body = lead_page()
    decoders = _decoders()

    def contest(decode: Any) -> Any:
        def run(times: int) -> None:
            for _ in range(times):
                decode(body)

        return run

    return alternate(
        {name: contest(decode) for name, decode in decoders.items()}, rounds=rounds, count=count
    )


def _decoders() -> dict[str, Any]:
    import orjson

    from homebox_async import Lead
    from homebox_async.codec import _days_as_times, decode_list

    with _days_as_times(Lead):
        to_attrs = page_decoder(Lead)
    converter = _cattrs()

    return {
        "ours": lambda body: decode_list(body, Lead),
        "attrs": to_attrs.decode,
        "struct": page_decoder(struct_of(Lead)).decode,
        "cattrs": lambda body: converter.structure(orjson.loads(body)["data"], list[Lead]),
        "json": json.loads,
    }


def page_decoder(kind: Any) -> Any:
    """Make msgspec's decoder of a page of `kind`."""
    import msgspec

    fields: list[Any] = [("data", list[kind]), ("meta", dict[str, Any] | None, None)]
    return msgspec.json.Decoder(msgspec.defstruct("Page", fields))


def struct_of(model: Any) -> Any:
    """Make a msgspec Struct with the fields of one of the package's classes."""
    import attrs
    import msgspec

    hints = typing.get_type_hints(model)
    # The server writes days as times, and msgspec takes no time for a date.
    days = {each.name for each in attrs.fields(model) if "day" in each.metadata}
    hints.update(dict.fromkeys(days, dt.datetime | None))
    return msgspec.defstruct(
        model.__name__,
        [(each.name, _kind(hints[each.name]), each.default) for each in attrs.fields(model)],
        kw_only=True,
    )


def _kind(hint: Any) -> Any:
    """Put Structs in the place of the package's classes in a field's type."""
    import attrs

    if typing.get_origin(hint) is tuple:
        return tuple[_kind(typing.get_args(hint)[0]), ...]
    arms = [_kind(arm) for arm in typing.get_args(hint)]
    if arms:
        return typing.Union[tuple(arms)]  # noqa: UP007  # the arms are known at run time
    return struct_of(hint) if attrs.has(hint) else hint


def _cattrs() -> Any:
    import cattrs

    converter = cattrs.Converter(detailed_validation=False)

    @converter.register_structure_hook
    def time(value: str, _: Any) -> dt.datetime:
        found = dt.datetime.fromisoformat(value)
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found

    @converter.register_structure_hook
    def day(value: str, _: Any) -> dt.date:
        return dt.datetime.fromisoformat(value).date()

    @converter.register_structure_hook
    def amount(value: str, _: Any) -> Decimal:
        return Decimal(value)

    return converter
