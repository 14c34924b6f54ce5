"""Arguments of `export` that cannot be are refused before anything is sent."""

import datetime as dt
import io
import sys
from typing import Any

import pytest

from homebox_async import AsyncHomebox, ConfigurationError, ValidationError
from homebox_async.export import export


@pytest.mark.parametrize(
    ("what", "options", "field"),
    [
        ("voids", {}, "what"),
        ("leads", {"per": "order"}, "per"),
        ("readings", {"per": "lead"}, "per"),
        ("properties", {"branch": 7}, "branch"),
        ("orders", {"branch": 0}, "branch"),
        ("orders", {"since": "2026-01-01"}, "since"),
        ("orders", {"since": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "since"),
        ("orders", {"format": "xls"}, "format"),
        ("orders", {"format": "parquet"}, "format"),
        ("orders", {"format": "jsonl", "bom": True}, "bom"),
        ("readings", {"concurrency": 0}, "concurrency"),
    ],
    ids=str,
)
def test_refused(what: Any, options: Any, field: str) -> None:
    """The error names the argument."""
    client = AsyncHomebox("none", base_url="http://127.0.0.1:9")
    with pytest.raises(ValidationError) as refused:
        export(client, what, io.BytesIO(), **options)
    assert [field] == [problem.field for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("module", "format", "extra"),
    [("pyarrow", "parquet", "arrow"), ("xlsxwriter", "xlsx", "excel")],
    ids=["parquet", "xlsx"],
)
def test_without_its_extra(
    monkeypatch: pytest.MonkeyPatch, module: str, format: Any, extra: str
) -> None:
    """Without its extra, a format says how to install it."""
    monkeypatch.setitem(sys.modules, module, None)
    client = AsyncHomebox("none", base_url="http://127.0.0.1:9")
    with pytest.raises(ConfigurationError, match=rf"pip install ['\"]homebox-async\[{extra}\]"):
        export(client, "orders", "a.file", format=format)
