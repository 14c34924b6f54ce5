"""Bulk imports: never lose a row, never send one twice, never hide what happened."""

from .columns import MappingError
from .journal import JournalError, State
from .report import Report, RowResult
from .results import ResultsError
from .run import Import, import_properties
from .sources import SourceError

__all__ = [
    "Import",
    "JournalError",
    "MappingError",
    "Report",
    "ResultsError",
    "RowResult",
    "SourceError",
    "State",
    "import_properties",
]
