"""The journal's file: its tables, made or checked to be of this import, and what is wrong with it.

Reading and writing its rows is in `store`.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..private_files import UnsafeFile, check_writable, make_private
from .store import JournalError, Reader, State, touched
from .words import STOPPED, WORDS, Words

_APPLICATION = 0x48425831  # "HBX1", in the header of the file
_VERSION = 3
_ADDRESS_RULE = 2
"""What makes two addresses the same, in journals made now; those of version 2 keep rule 1."""

_BY_ID = "CREATE INDEX by_id ON rows (property_id) WHERE property_id IS NOT NULL"
_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    """CREATE TABLE rows (
        number INTEGER PRIMARY KEY, state INTEGER NOT NULL, digest BLOB NOT NULL,
        reference TEXT NOT NULL, address BLOB, property_id INTEGER, claimed_at REAL,
        sends INTEGER NOT NULL DEFAULT 0,
        field TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',
        fix TEXT NOT NULL DEFAULT '')""",
    _BY_ID,
)

# A journal that is open, or was not closed, is not all there is without its log.
_NOT_RUNNING = "UPDATE meta SET value = 0 WHERE name = 'running'"


def open_store(
    path: Path, *, kind: str, fingerprint: str, target: str, named: bool = True
) -> Reader:
    """Create a journal, or check that an existing one belongs to this import.

    `named`: whether the user named the path; see `private_files`.
    """
    try:
        if path.is_dir():
            raise JournalError(f"{path}: is a folder; give the journal a file name")
        if path.exists() and not path.is_file():
            raise JournalError(f"{path}: is not a file; give another --journal")
        has_log = _log_of(path).exists()
        make_private(path, (68, _APPLICATION.to_bytes(4)), named=named)
        # SQLite would notice at its first write only, and report it as a full or broken disk.
        check_writable(path)
        check_writable(_log_of(path) if has_log else path.resolve().parent)
        # Absolute: SQLite has a meaning of its own for ":memory:" and "file:".
        connection = sqlite3.connect(path.absolute(), timeout=0.5, isolation_level=None)
    except UnsafeFile as exc:
        raise JournalError(f"{path}: the journal {exc.strerror}") from exc
    except (OSError, ValueError) as exc:  # ValueError: no file can have this name
        reason = exc.strerror if isinstance(exc, OSError) else exc
        raise JournalError(
            f"{path}: the journal cannot be opened ({reason}); check its folder and"
            " permissions, or give another --journal"
        ) from exc
    try:
        _check_names(path)
        given = {"kind": kind, "fingerprint": fingerprint, "target": target}
        return _opened(connection, path, given, has_log)
    except BaseException:
        connection.close()
        raise


def read_facts(path: Path) -> dict[str, str]:
    """Return what a journal is of, as `open_store` is given it, whatever that is."""
    if not path.is_file():
        raise JournalError(f"{path}: there is no such journal; name the .journal of an import")
    has_log = _log_of(path).exists()
    try:
        with contextlib.closing(sqlite3.connect(path.absolute(), timeout=0.5)) as connection:
            # As the journal itself does: it has no shared memory that others could use.
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            meta = dict(connection.execute("SELECT name, value FROM meta"))
            facts = {name: str(meta[name]) for name in ("kind", "fingerprint", "target")}
            if has_log:
                # Closing brings the log into the file: nobody is to miss it afterwards.
                with connection:
                    connection.execute(_NOT_RUNNING)
    except (sqlite3.Error, KeyError) as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise JournalError(
                f"{path}: an import is using this journal; wait for it, or stop it"
            ) from error
        raise JournalError(f"{path}: is not a journal of homebox_async") from error
    return facts


def identity(path: Path) -> tuple[int, int] | None:
    """Return which file is at a path, None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def checkpoint(reader: Reader) -> None:
    """Bring all of a journal from its log into its file."""
    reader.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def close_store(reader: Reader) -> None:
    """Close a journal in order: from then on, all of it is in its file."""
    try:
        reader.connection.execute(_NOT_RUNNING)
    finally:
        reader.connection.close()


def _log_of(path: Path) -> Path:
    # Where SQLite keeps it: beside the file that a symbolic link points to.
    real = path.resolve()
    return real.with_name(f"{real.name}-wal")


def _check_names(path: Path) -> None:
    # By another name, SQLite would neither find what it wrote last nor lock the same log.
    if path.stat().st_nlink > 1:
        raise JournalError(
            f"{path}: has a second name (a hard link), under which what was sent last would be"
            " lost; delete the other name, or use a copy of the file made after its import ended"
        )


def _opened(
    connection: sqlite3.Connection, path: Path, given: Mapping[str, str], has_log: bool
) -> Reader:
    run = connection.execute
    run("PRAGMA locking_mode=EXCLUSIVE")  # before WAL: then no shared memory is needed either
    ((application,),) = run("PRAGMA application_id")
    ((tables,),) = run("SELECT count(*) FROM sqlite_master")
    new = not application and not tables
    if not new and application != _APPLICATION:
        raise not_a_journal(path)
    # Before the first write: a database of another kind is left as it is.
    run("PRAGMA journal_mode=WAL")
    run("PRAGMA synchronous=FULL")
    run("PRAGMA cache_size=-16000")
    run(f"PRAGMA journal_size_limit={64 << 20}")
    run("BEGIN EXCLUSIVE")
    if new:
        for table in _TABLES:
            run(table)
        # The salt is of this journal alone, so that digests cannot be compared elsewhere.
        entries = {
            **given,
            "salt": secrets.token_bytes(32),
            "planned": 0,
            "compared": 0,
            "address_rule": _ADDRESS_RULE,
        }
        connection.executemany("INSERT INTO meta VALUES (?, ?)", entries.items())
        run(f"PRAGMA application_id={_APPLICATION}")
        run(f"PRAGMA user_version={_VERSION}")
    else:
        version = _check_version(connection, path, WORDS[given["kind"]])
        if run("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise corrupt(path, WORDS[given["kind"]])
        meta = dict(run("SELECT name, value FROM meta"))
        if not has_log and meta.get("running") and meta.get("planned"):
            _doubt(connection, WORDS[given["kind"]])
        try:
            _check_same(connection, path, given)
        except JournalError:
            run(_NOT_RUNNING)
            run("COMMIT")
            raise
        if version == 2:
            _upgrade(connection)
        run(
            "UPDATE rows SET state = ?, error = ?, fix = ? WHERE state = ?",
            (State.UNKNOWN, STOPPED, WORDS[given["kind"]].fix, State.INFLIGHT),
        )
    run("INSERT OR REPLACE INTO meta VALUES ('running', 1)")
    run("COMMIT")
    reader = Reader(connection, dict(run("SELECT name, value FROM meta")))
    checkpoint(reader)
    return reader


def _check_version(connection: sqlite3.Connection, path: Path, words: Words) -> int:
    version: int
    ((version,),) = connection.execute("PRAGMA user_version")
    if version > _VERSION:
        raise JournalError(
            f"{path}: was written by a newer homebox_async; upgrade (pip install -U homebox-async)"
        )
    if version < 2:
        raise JournalError(
            f"{path}: was written by an older homebox_async; finish the import with that version,"
            f" or start a new one with another --journal ({words.existing})"
        )
    return version


def _upgrade(connection: sqlite3.Connection) -> None:
    """Make a journal of version 2 one of version 3, in the transaction that is open."""
    connection.execute("ALTER TABLE rows ADD COLUMN sends INTEGER NOT NULL DEFAULT 0")
    connection.execute(_BY_ID)
    # How often a row was sent was not counted; a row that was claimed was sent at least once.
    connection.execute("UPDATE rows SET sends = 1 WHERE claimed_at IS NOT NULL")
    # Its references and keys were made with the first rule, so it is finished with that.
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('address_rule', 1)")
    connection.execute(f"PRAGMA user_version={_VERSION}")


def _doubt(connection: sqlite3.Connection, words: Words) -> None:
    """Take every row that may have been sent for unknown: the log that told of it is lost."""
    connection.execute(
        "UPDATE rows SET state = ?, claimed_at = coalesce(claimed_at, ?), sends = max(sends, 1),"
        " error = 'the journal was moved or copied without its log (-wal)',"
        " fix = ? WHERE state IN (?, ?)",
        (State.UNKNOWN, time.time(), words.fix, State.PENDING, State.INFLIGHT),
    )


def _check_same(connection: sqlite3.Connection, path: Path, given: Mapping[str, str]) -> None:
    run = connection.execute
    meta: dict[str, Any] = dict(run("SELECT name, value FROM meta"))
    words = WORDS[given["kind"]]
    if meta.get("kind") != given["kind"]:
        raise JournalError(
            f"{path}: is the journal of an import of {meta.get('kind')}, not of {given['kind']};"
            " give another --journal"
        )
    if meta.get("target") != given["target"]:
        raise JournalError(
            f"{path}: is the journal of an import into another account or server; use that one's"
            " API key and address, or give another --journal"
        )
    if meta.get("fingerprint") == given["fingerprint"]:
        return
    if touched(connection):
        raise JournalError(
            f"{path}: the input, or how it is read, changed since this journal was written; to"
            f" start a new import of the changed file use another --journal ({words.existing}),"
            " or restore the file and the options"
        )
    # Nothing was done under the old plan: that of the corrected file takes its place.
    run("UPDATE meta SET value = ? WHERE name = 'fingerprint'", (given["fingerprint"],))
    run("UPDATE meta SET value = 0 WHERE name IN ('planned', 'compared')")
    run("INSERT OR REPLACE INTO meta VALUES ('address_rule', ?)", (_ADDRESS_RULE,))
    run("DELETE FROM meta WHERE name = 'confirmed'")


def not_a_journal(path: Path) -> JournalError:
    """Return the error for a file of another kind."""
    return JournalError(f"{path}: is not a journal of homebox_async; give another --journal")


def corrupt(path: Path, words: Words) -> JournalError:
    """Return the error for a damaged journal."""
    return JournalError(
        f"{path}: the journal is damaged; restore it from a backup, or start a new import with"
        f" another --journal ({words.existing})"
    )


def gone(path: Path, words: Words) -> JournalError:
    """Return the error for a journal that is not where it was any more."""
    return JournalError(
        f"{path}: the journal was deleted or replaced while its import was running; what was sent"
        f" has ended, and nothing more is sent; run the same import again ({words.existing})"
    )


def explained(path: Path, words: Words, exc: BaseException) -> JournalError:
    """Return SQLite's error in terms of what to do."""
    if isinstance(exc, JournalError):
        return exc
    name = getattr(exc, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_NOTADB"):
        return not_a_journal(path)
    if name.startswith("SQLITE_CORRUPT"):
        return corrupt(path, words)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return JournalError(
            f"{path}: another import is using this journal; wait for it, or stop it"
        )
    return JournalError(
        f"{path}: the journal cannot be read or written ({exc}); make room on its disk and check"
        " its permissions, then run the same import again: nothing is sent twice"
    )
