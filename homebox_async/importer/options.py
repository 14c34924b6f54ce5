"""How an import is to be done, as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import attrs

from ..errors import Problem, ValidationError
from .preview import Confirm

Tenancies = Literal["joint", "separate"]
"""What rows are that have one home and one first day, and different tenants."""


DateOrder = Literal["auto", "iso", "dmy", "mdy"]
"""How dates are written: found out from the file, 2026-12-31, 31/12/2026, or 12/31/2026."""


@attrs.frozen(kw_only=True)
class ImportOptions:
    """How to import; `import_properties` and the like say what each option means."""

    mapping: Mapping[str, str] = attrs.field(factory=dict)
    preset: str | None = None
    generate_references: bool = False
    reference_prefix: str = ""
    create_them: bool = False
    tenants: Tenancies | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    journal: Path | None = None
    ledger: Path | None = None
    results: Path | None = None
    concurrency: int | Literal["auto"] = "auto"
    settle: float = 60.0
    patience: float = 1800.0
    adopt_existing: bool = True
    dry_run: bool = False
    dates: DateOrder = "auto"
    as_is: bool = False
    photos: Path | None = None
    confirm: Confirm | None = None
    partition: tuple[int, int] = (0, 1)

    def __attrs_post_init__(self) -> None:
        wrong = []
        if self.concurrency != "auto" and self.concurrency < 1:
            wrong.append(Problem("concurrency", "is below 1", "give 1 or more, or 'auto'"))
        for name, seconds in (("settle", self.settle), ("patience", self.patience)):
            if not 0 <= seconds < math.inf:
                wrong.append(Problem(name, "is no time", "give seconds, 0 or more"))
        if self.dates not in ("auto", "iso", "dmy", "mdy"):
            wrong.append(Problem("dates", "is unknown", "give 'auto', 'iso', 'dmy' or 'mdy'"))
        if self.tenants not in (None, "joint", "separate"):
            wrong.append(Problem("tenants", "is unknown", "give 'joint' or 'separate'"))
        if self.reference_prefix.strip() != self.reference_prefix:
            fix = "leave the spaces out"
            wrong.append(Problem("reference_prefix", "begins or ends with a space", fix))
        if isinstance(self.confirm, bool):
            fix = "give the number of the preview, or a function that is asked"
            wrong.append(Problem("confirm", "is no number", fix))
        part, parts = self.partition
        if not 0 <= part < parts:
            wrong.append(Problem("partition", "is out of range", "give (0, 1) to (n - 1, n)"))
        if wrong:
            raise ValidationError(wrong)

    def stem_of(self, name: str) -> Path:
        """Return what the names of an input's journal and result files begin with."""
        stem = Path(name).stem
        # "..csv" would name the folder above the results.
        stem = stem if stem.strip(".") else name
        part, parts = self.partition
        return (self.results or Path()) / (f"{stem}.part{part + 1}of{parts}" if parts > 1 else stem)
