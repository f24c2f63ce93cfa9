"""Putting a backup back: beside what is there, looked at, then exchanged."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from accounts.tombstones import (
    tombstone_file,
    tombstones_all,
    tombstones_read,
    tombstones_write,
)
from config.backup import postgres
from config.backup.create import TREES, files_of
from config.backup.manifest import (
    DUMP,
    BackupError,
    BackupManifest,
    Show,
    copy_hashed,
    flush_folder,
    read_manifest,
    verify_files,
)
from config.backup.tried import failure_noted, note
from config.embedded.pids import read_record

# Rows in one of these mean that somebody lives here.
_LIVED_IN = ("accounts_user", "catalog_movie", "feedback_interaction")
_SMOKE_TIMEOUT_S = 300


@dataclass(frozen=True)
class Restored:
    """What was put back."""

    manifest: BackupManifest
    n_migrated: int
    smoke: str


def backup_restore(
    source: Path, *, is_forced: bool, show: Show, say: Callable[[str], None]
) -> Restored:
    """Put the backup in ``source`` into the database and folders that the settings name.

    Everything is built beside its place and tried there: checksums, rows of every table, newer
    migrations, without those who were forgotten here since, pages. Only then it is exchanged for
    what was there; a failure before that changes nothing. ``is_forced`` replaces films and people
    that are there. Raises ``BackupError``.
    """
    source = source.absolute()
    manifest = read_manifest(source)
    n_behind = _migrations_behind(manifest)
    with failure_noted(manifest):
        verify_files(source, manifest, show)
    connections.close_all()
    place = postgres.Database.of_django()
    _refuse_while_used(place)
    if not is_forced:
        _refuse_lived_in(place)
    with _rebuilt(source, manifest, place, n_behind=n_behind, show=show, say=say) as rebuilt:
        _exchange(rebuilt.database, place, rebuilt.folder)
    try:
        note(manifest, is_passed=True, said=rebuilt.smoke)
    except BackupError as error:  # restored all the same
        say(str(error))
    return Restored(manifest=manifest, n_migrated=n_behind, smoke=rebuilt.smoke)


def backup_try(source: Path, *, show: Show, say: Callable[[str], None]) -> Restored:
    """Everything that a restore does but the exchange: nothing here is touched, in use or not.

    The outcome is written down for ``/status/``. Raises ``BackupError``.
    """
    source = source.absolute()
    manifest = read_manifest(source)
    n_behind = _migrations_behind(manifest)
    with failure_noted(manifest):
        verify_files(source, manifest, show)
    connections.close_all()
    place = postgres.Database.of_django()
    with _rebuilt(source, manifest, place, n_behind=n_behind, show=show, say=say) as rebuilt:
        note(manifest, is_passed=True, said=rebuilt.smoke)
        return Restored(manifest=manifest, n_migrated=n_behind, smoke=rebuilt.smoke)


@dataclass(frozen=True)
class _Rebuilt:
    """The backup, put up beside the place and tried there."""

    database: postgres.Database
    folder: Path
    smoke: str


@contextmanager
def _rebuilt(
    source: Path,
    manifest: BackupManifest,
    place: postgres.Database,
    *,
    n_behind: int,
    show: Show,
    say: Callable[[str], None],
) -> Iterator[_Rebuilt]:
    draft = place.named(f"{place.name[:40]}_restoring_{secrets.token_hex(4)}")
    with _draft_database(draft), _draft_folder() as folder:
        with failure_noted(manifest):
            with draft.connected() as opened:
                tool = postgres.program("pg_restore", at_least=postgres.server_version(opened))
            postgres.load(draft, source / DUMP, tool=tool, show=show)
            _compare_rows(draft, manifest)
            _copy_files(source, folder, manifest, show)
            if n_behind:
                say(f"Applying {n_behind} newer migrations")
                _manage("migrate", "--no-input", "-v0", database=draft, folder=folder)
            _forget_again(draft, folder, say)
            say("Trying the restored pages")
            smoke = _manage("smoke", database=draft, folder=folder)
        yield _Rebuilt(draft, folder, smoke)


def _migrations_behind(manifest: BackupManifest) -> int:
    """How many migrations of this code the backup lacks; refuses a backup of newer code."""
    known = set(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)
    # What a replaced (squashed) migration stood for is known by the one that replaces it.
    loader = MigrationLoader(None, ignore_no_migrations=True)
    replaced = {old for migration in loader.disk_migrations.values() for old in migration.replaces}
    applied = {(app, name) for app, names in manifest.migrations.items() for name in names}
    unknown = sorted(applied - known - replaced)
    if unknown:
        shown = ", ".join(f"{app}.{name}" for app, name in unknown[:3])
        msg = (
            f"The backup was made by a newer Marquee (this one does not know {shown}): "
            "install that version, then restore."
        )
        raise BackupError(msg)
    return len(known - applied)


def _refuse_while_used(place: postgres.Database) -> None:
    record = read_record(Path(settings.VAR_DIR) / "run" / "up.json")
    if record is not None and record.process() is not None:
        msg = f"Marquee is running here ({record.note}, process {record.pid}): stop it first."
        raise BackupError(msg)
    if n_others := postgres.others_connected(place):
        msg = (
            f"{n_others} other connections use the database {place.name}: "
            "stop web, worker and beat on every host first."
        )
        raise BackupError(msg)


def _refuse_lived_in(place: postgres.Database) -> None:
    found = [setting for setting in TREES.values() if files_of(Path(getattr(settings, setting)))]
    with place.connected() as opened:
        tables = postgres.table_counts(opened)
    found += [name for name in _LIVED_IN if tables.get(name)]
    if found:
        msg = (
            f"This place is not empty ({', '.join(found)}): restore into an empty one, "
            "or add --force to replace what is here."
        )
        raise BackupError(msg)


@contextmanager
def _draft_database(draft: postgres.Database) -> Iterator[None]:
    postgres.create(draft)
    try:
        yield
    finally:
        # After the exchange there is none of that name any more.
        postgres.drop(draft)


@contextmanager
def _draft_folder() -> Iterator[Path]:
    try:
        root = Path(settings.VAR_DIR)
        root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".restoring-", dir=root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        msg = f"{error.filename or settings.VAR_DIR}: {error.strerror}. Nothing was changed."
        raise BackupError(msg) from error


def _compare_rows(draft: postgres.Database, manifest: BackupManifest) -> None:
    with draft.connected() as opened:
        found = postgres.table_counts(opened)
    if found != manifest.tables:
        wrong = [
            f"{name} {found.get(name, 'missing')} instead of {manifest.tables.get(name, 'none')}"
            for name in sorted(found.keys() | manifest.tables.keys())
            if found.get(name) != manifest.tables.get(name)
        ]
        msg = f"The restored rows are not those of the backup: {'; '.join(wrong[:5])}."
        raise BackupError(msg)


def _copy_files(source: Path, folder: Path, manifest: BackupManifest, show: Show) -> None:
    n_done = 0
    for name in TREES:
        (folder / name).mkdir()
    for entry in manifest.files:
        if entry.path == DUMP:
            continue
        copied = copy_hashed(source / entry.path, folder / entry.path)
        if copied.sha256 != entry.sha256:
            msg = f"{entry.path} changed while it was copied: the disk may be failing."
            raise BackupError(msg)
        n_done += entry.n_bytes
        show("Models and warehouse", n_done, manifest.n_bytes)
    for walked, _folders, _files in os.walk(folder):
        path = Path(walked)
        flush_folder(path)
        if path != folder:
            path.chmod(0o755)  # the workers may run as another user


def _manage(*arguments: str, database: postgres.Database, folder: Path) -> str:
    """A command of this code against the draft, in a process of its own."""
    env = {**os.environ, "DATABASE_URL": database.url(), "MARQUEE_VAR": str(folder)}
    env.pop("DATABASE_URL_FILE", None)
    # Secret and static files are those of this place.
    env.setdefault("SECRET_KEY", settings.SECRET_KEY)
    env["STATIC_ROOT"] = str(settings.STATIC_ROOT)
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SMOKE_TIMEOUT_S,
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        msg = f"manage.py {arguments[0]} failed on the restored data: {said[-1] if said else '?'}"
        raise BackupError(msg)
    return done.stdout.strip()


def _forget_again(draft: postgres.Database, folder: Path, say: Callable[[str], None]) -> None:
    """Whom this place has forgotten since the backup does not come back with it.

    Known from the file beside the database and from the database that is about to be replaced: both
    are written down before that, so that the next restore knows as much.
    """
    known = tombstones_all()
    connections.close_all()
    if not known:
        return
    written = tombstones_read(tombstone_file())
    if missing := {digest: at for digest, at in known.items() if digest not in written}:
        tombstones_write(missing, tombstone_file())
    tombstones_write(known, folder / tombstone_file().name)
    said = _manage("forget", "--replay-tombstones", database=draft, folder=folder)
    say(said.splitlines()[0])


def _exchange(draft: postgres.Database, place: postgres.Database, folder: Path) -> None:
    """The restored data takes its place; what was there goes once that is done.

    Killed between the two renames, running the same restore again with ``--force`` mends it: no
    file and no row of the backup is used up.
    """
    _refuse_while_used(place)
    former = place.named(f"{place.name[:40]}_former_{secrets.token_hex(4)}")
    postgres.exchange(draft=draft, place=place, former=former.name)
    for name, setting in TREES.items():
        target = Path(getattr(settings, setting))
        if target.exists():
            target.rename(folder / f"former-{name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / name).rename(target)
        flush_folder(target.parent)
    postgres.drop(former)
