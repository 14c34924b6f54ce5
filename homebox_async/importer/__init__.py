"""Bulk imports: never lose a row, never send one twice, never hide what happened."""

from .columns import MappingError
from .imports import (
    import_leads,
    import_properties,
    import_readings,
    import_voids,
    run_partition,
)
from .journal import JournalError, State
from .ledger import LedgerError
from .options import ImportOptions
from .preview import NotConfirmed, Preview
from .report import Report, RowResult
from .results import ResultsError
from .run import Import
from .settling import (
    JournalStatus,
    Sent,
    find_missing,
    forget_sent,
    import_history,
    import_status,
    resolve_row,
)
from .sources import SourceError
from .sync import (
    BlockingImport,
    find_missing_sync,
    forget_sent_sync,
    import_history_sync,
    import_leads_sync,
    import_properties_sync,
    import_readings_sync,
    import_voids_sync,
    resolve_row_sync,
)

__all__ = [
    "BlockingImport",
    "Import",
    "ImportOptions",
    "JournalError",
    "JournalStatus",
    "LedgerError",
    "MappingError",
    "NotConfirmed",
    "Preview",
    "Report",
    "ResultsError",
    "RowResult",
    "Sent",
    "SourceError",
    "State",
    "find_missing",
    "find_missing_sync",
    "forget_sent",
    "forget_sent_sync",
    "import_history",
    "import_history_sync",
    "import_leads",
    "import_leads_sync",
    "import_properties",
    "import_properties_sync",
    "import_readings",
    "import_readings_sync",
    "import_status",
    "import_voids",
    "import_voids_sync",
    "resolve_row",
    "resolve_row_sync",
    "run_partition",
]
