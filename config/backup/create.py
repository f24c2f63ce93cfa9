"""Making a backup while everything runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psycopg
from django.conf import settings

from config.backup import postgres
from config.backup.manifest import (
    DUMP,
    BackupError,
    BackupManifest,
    FileEntry,
    Show,
    copy_hashed,
    flush_folder,
    sha256_of,
)

#: What is copied beside the database: its name in the backup, and the setting with its place.
TREES = {"warehouse": "WAREHOUSE_DIR", "models": "MODELS_DIR"}


def backup_create(target: Path, *, now: datetime, show: Show) -> BackupManifest:
    """Write a backup to ``target``, which must not exist or be empty.

    Rows are counted in the very snapshot that is dumped. Files are copied after it: a version or a
    data set that the snapshot names and that has no files any more is told in ``warnings``. Raises
    ``BackupError``; whatever was begun is taken away.
    """
    target = target.absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        msg = f"{target} is there already: name a new folder, or remove it first."
        raise BackupError(msg)
    database = postgres.Database.of_django()
    with _drafted(target) as draft, database.connected() as opened:
        tool = postgres.program("pg_dump", at_least=postgres.server_version(opened))
        with _snapshot(opened) as name:
            tables = postgres.table_counts(opened)
            migrations = _migrations(opened)
            needed = _needed_files(opened)
            postgres.dump(database, draft / DUMP, snapshot=name, tool=tool, show=show)
        dump = draft / DUMP
        entries = [FileEntry(DUMP, dump.stat().st_size, sha256_of(dump)), *_copy_trees(draft, show)]
        held = {entry.path for entry in entries}
        manifest = BackupManifest(
            created_at=now.isoformat(timespec="seconds"),
            postgres=str(postgres.server_version(opened)),
            migrations=migrations,
            tables=tables,
            files=entries,
            warnings=[f"{what}: {path} is missing" for path, what in needed if path not in held],
        )
        manifest.write(draft)
    return manifest


@contextmanager
def _drafted(target: Path) -> Iterator[Path]:
    """A folder beside ``target``, renamed to it at the end; gone where something went wrong."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Private: password hashes and everything that people ever said are in it.
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            yield draft
            flush_folder(draft)
            if target.exists():
                target.rmdir()
            draft.rename(target)
            flush_folder(target.parent)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        msg = f"{error.filename or target}: {error.strerror}. No backup was made."
        raise BackupError(msg) from error


@contextmanager
def _snapshot(opened: psycopg.Connection) -> Iterator[str]:
    """One moment of the database, which pg_dump can read, too."""
    with opened.transaction():
        opened.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        row = opened.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None  # noqa: S101 - the function returns a row or raises
        yield str(row[0])


def _migrations(opened: psycopg.Connection) -> dict[str, list[str]]:
    applied: dict[str, list[str]] = {}
    try:
        rows = opened.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
    except psycopg.errors.UndefinedTable as error:
        msg = "The database holds no tables of Marquee: there is nothing to back up."
        raise BackupError(msg) from error
    for app, name in rows.fetchall():
        applied.setdefault(app, []).append(name)
    return applied


def _needed_files(opened: psycopg.Connection) -> list[tuple[str, str]]:
    """Paths in the backup without which something would be missing, and whose they are."""
    versions = opened.execute(
        "SELECT path, version FROM recommendations_modelversion WHERE status = 'active'"
    ).fetchall()
    datasets = opened.execute(
        "SELECT slug, fingerprint FROM catalog_dataset WHERE fingerprint <> ''"
    ).fetchall()
    return [(f"models/{path}/manifest.json", f"model {version}") for path, version in versions] + [
        (f"warehouse/{slug}/ratings/{fingerprint}.parquet", f"data set {slug}")
        for slug, fingerprint in datasets
    ]


def _copy_trees(draft: Path, show: Show) -> list[FileEntry]:
    found = [
        (source, Path(name) / source.relative_to(root))
        for name, setting in TREES.items()
        for root in [Path(getattr(settings, setting))]
        for source in files_of(root)
    ]
    total = sum(source.stat().st_size for source, _place in found if source.exists())
    entries: list[FileEntry] = []
    n_done = 0
    for source, place in found:
        try:
            entry = copy_hashed(source, draft / place)
        except FileNotFoundError:
            # Pruned since the listing; what is needed is looked for by its name.
            (draft / place).unlink(missing_ok=True)
            continue
        entries.append(FileEntry(place.as_posix(), entry.n_bytes, entry.sha256))
        n_done += entry.n_bytes
        show("Models and warehouse", n_done, total)
    for folder, _folders, _files in os.walk(draft):
        flush_folder(Path(folder))
    return entries


def files_of(root: Path) -> list[Path]:
    """The finished files of a folder: what is being written has a name with a dot before it."""
    return sorted(
        path
        for path in root.rglob("*")
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(root).parts)
    )
