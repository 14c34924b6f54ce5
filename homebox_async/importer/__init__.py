"""Bulk imports: never lose a row, never send one twice, never hide what happened."""

from .columns import MappingError
from .imports import import_leads, import_properties, import_readings, import_voids
from .journal import JournalError, State
from .options import ImportOptions
from .preview import NotConfirmed, Preview
from .report import Report, RowResult
from .results import ResultsError
from .run import Import, run_partition
from .sources import SourceError
from .sync import (
    BlockingImport,
    import_leads_sync,
    import_properties_sync,
    import_readings_sync,
    import_voids_sync,
)

__all__ = [
    "BlockingImport",
    "Import",
    "ImportOptions",
    "JournalError",
    "MappingError",
    "NotConfirmed",
    "Preview",
    "Report",
    "ResultsError",
    "RowResult",
    "SourceError",
    "State",
    "import_leads",
    "import_leads_sync",
    "import_properties",
    "import_properties_sync",
    "import_readings",
    "import_readings_sync",
    "import_voids",
    "import_voids_sync",
    "run_partition",
]
