"""Rows of pandas, polars and Arrow: what their values mean, without needing any of them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from .contents import SourceError

_AS_THEY_ARE = {str, int, bool, type(None)}
_MISSING = {"NaTType", "NAType"}
_EXACT = 10**15  # above it, a float is not sure of its last digits


class Frame(Protocol):
    """A table that gives itself to others: of pandas, polars or Arrow."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> object:
        """Return its data; this says that it is a table."""
        ...


def rows_of(source: Any) -> Any:
    """Return the rows of a table, and anything else as it is."""
    if hasattr(source, "itertuples"):
        names = [str(name) for name in source.columns]
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise SourceError(f"rows: two columns are named {twice[0]!r}; rename one of them")
        rows = source.itertuples(index=False, name=None)
        return (dict(zip(names, row, strict=True)) for row in rows)
    if hasattr(source, "iter_rows"):
        return source.iter_rows(named=True)
    if hasattr(source, "to_batches"):
        batches = source.to_batches(max_chunksize=1000)
        return (row for batch in batches for row in batch.to_pylist())
    return source.to_pylist() if hasattr(source, "to_pylist") else source


def meant(row: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a row with its values as what they mean: NaN and NaT are nothing, 125.0 is 125."""
    return {
        name: value if type(value) in _AS_THEY_ARE else _value(value) for name, value in row.items()
    }


def _value(value: Any) -> Any:
    kind = type(value)
    if kind.__name__ in _MISSING:
        return None
    if isinstance(value, Mapping):
        return meant(value)
    if isinstance(value, float):
        if value != value:
            return None
        return int(value) if value.is_integer() and abs(value) < _EXACT else float(value)
    if kind.__module__ == "numpy" and hasattr(value, "item"):
        if kind.__name__ == "datetime64":
            text = str(value)
            return None if text == "NaT" else text.partition(".")[0].removesuffix("T00:00:00")
        return _value(value.item()) if not isinstance(value, str) else str(value)
    if isinstance(value, dt.datetime) and value.tzinfo is None and value.time() == dt.time():
        return value.date()
    return value
