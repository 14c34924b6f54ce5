"""Lists as Arrow tables, for pandas, polars, DuckDB and Parquet files; the extra `arrow`.

A table has one column a field, with its type: whole numbers are int64, amounts decimal128 with
four places, times timestamps in UTC, days date32. An object inside is a struct, several are a
list of structs. `extra` is JSON: what the server sent beyond that, and what a type cannot hold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from .errors import ConfigurationError
from .models import Model
from .shapes import Part, beyond, parts_of

if TYPE_CHECKING:
    import pyarrow

EXTRA = "extra"
_PLACES = Decimal("0.0001")
_DIGITS = 18
_WHOLE = range(-(2**63), 2**63)
_encode = msgspec.json.Encoder(decimal_format="number").encode


def library() -> Any:
    """Return pyarrow, or raise ConfigurationError that says how to install it."""
    try:
        import pyarrow
    except ImportError:
        raise ConfigurationError(
            "Arrow tables and Parquet files need pyarrow; run: pip install 'homebox-async[arrow]'"
        ) from None
    return pyarrow


def schema_of(model: type[Model], first: Mapping[str, type] | None = None) -> pyarrow.Schema:
    """Return the schema of a table of such objects; `first` are columns of whole numbers or text
    that stand before those of the class.
    """
    pa = library()
    leading = [Part(name, name, kind, False) for name, kind in (first or {}).items()]
    fields = [pa.field(part.wire, _type(pa, part)) for part in (*leading, *parts_of(model))]
    return pa.schema([*fields, pa.field(EXTRA, pa.string())])


def batch_of(
    items: Iterable[Model], schema: pyarrow.Schema, first: Iterable[Mapping[str, Any]] | None = None
) -> pyarrow.RecordBatch:
    """Return objects as a batch of rows; `first` has the values of the leading columns of each."""
    rows = [_row(item) for item in items]
    for row, values in zip(rows, first or (), strict=False):
        row.update(values)
    return library().RecordBatch.from_pylist(rows, schema=schema)


def _type(pa: Any, part: Part) -> Any:
    kinds = {
        bool: pa.bool_,
        int: pa.int64,
        str: pa.string,
        Decimal: lambda: pa.decimal128(_DIGITS, -int(_PLACES.as_tuple().exponent)),
        dt.datetime: lambda: pa.timestamp("us", tz="UTC"),
        dt.date: pa.date32,
    }
    if part.is_model:
        made = pa.struct([pa.field(p.wire, _type(pa, p)) for p in parts_of(part.kind)])
    else:
        made = kinds[part.kind]()
    return pa.list_(made) if part.many else made


def _row(item: Model) -> dict[str, Any]:
    unfit: dict[str, Any] = {}
    row = _values(item, unfit)
    extra = _joined(beyond(item, inside_lists=True), unfit)
    row[EXTRA] = _encode(extra).decode() if extra else None
    return row


def _values(item: Model, unfit: dict[str, Any]) -> dict[str, Any]:
    """Return the values by the API's names; what has no place in its column goes to `unfit`."""
    row: dict[str, Any] = {}
    for part in parts_of(type(item)):
        value = getattr(item, part.name)
        if value is None:
            continue
        if part.is_model:
            below: list[dict[str, Any]] = [{} for _ in (value if part.many else (value,))]
            objects = value if part.many else (value,)
            made = [_values(each, lost) for each, lost in zip(objects, below, strict=True)]
            row[part.wire] = made if part.many else made[0]
            if any(below):
                unfit[part.wire] = below if part.many else below[0]
        elif all(map(_fits, value if part.many else (value,))):
            row[part.wire] = value
        else:
            unfit[part.wire] = item.raw.get(part.wire, value)
    return row


def _fits(value: Any) -> bool:
    if isinstance(value, Decimal):
        try:
            return value.quantize(_PLACES) == value and abs(value) < 10 ** (_DIGITS - 4)
        except InvalidOperation:  # too many digits
            return False
    if isinstance(value, dt.datetime):
        try:
            value.astimezone(dt.UTC)
        except OverflowError:  # in the first hours of year 1, or the last of 9999
            return False
    return not isinstance(value, int) or value in _WHOLE


def _joined(one: Any, other: Any) -> Any:
    """Put two trees of what is beyond the columns together."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {
            key: _joined(one[key], other[key]) if key in one and key in other else tree[key]
            for tree in (one, other)
            for key in tree
        }
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_joined(*pair) for pair in zip(one, other, strict=True)]
    return one  # the whole list as it was sent
