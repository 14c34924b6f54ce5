"""Exports: whole lists as CSV, JSON lines or Parquet, resumable, and no row twice."""

from .part import ExportError
from .run import Export, ExportReport, export
from .sync import BlockingExport, export_sync

__all__ = ["BlockingExport", "Export", "ExportError", "ExportReport", "export", "export_sync"]
