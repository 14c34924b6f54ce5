"""Bulk imports: never lose a row, never send one twice, never hide what happened."""

from .columns import MappingError
from .journal import JournalError, State
from .options import ImportOptions
from .report import Report, RowResult
from .results import ResultsError
from .run import Import, import_properties, run_partition
from .sources import SourceError
from .sync import BlockingImport, import_properties_sync

__all__ = [
    "BlockingImport",
    "Import",
    "ImportOptions",
    "JournalError",
    "MappingError",
    "Report",
    "ResultsError",
    "RowResult",
    "SourceError",
    "State",
    "import_properties",
    "import_properties_sync",
    "run_partition",
]
