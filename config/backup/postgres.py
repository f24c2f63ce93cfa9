"""Postgres's own programs and the few statements around them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from django.db import connection
from psycopg import sql

from config.backup.manifest import BackupError, Show
from config.embedded.errors import EmbeddedServiceError
from config.embedded.postgres import program_folder

_POLL_S = 0.2
_STARTER = "postgres"  # every server has it; databases are made and renamed from there


@dataclass(frozen=True)
class Database:
    """Where a database is, and how one logs in."""

    name: str
    host: str
    port: str
    user: str
    password: str
    sslmode: str

    @classmethod
    def of_django(cls) -> Database:
        """The one that Django uses."""
        found = connection.settings_dict
        return cls(
            name=str(found["NAME"]),
            host=str(found.get("HOST") or ""),
            port=str(found.get("PORT") or ""),
            user=str(found.get("USER") or ""),
            password=str(found.get("PASSWORD") or ""),
            sslmode=str((found.get("OPTIONS") or {}).get("sslmode") or ""),
        )

    def named(self, name: str) -> Database:
        """Another database of the same server."""
        return replace(self, name=name)

    def environment(self) -> dict[str, str]:
        """For Postgres's programs: a password on a command line could be read by everybody."""
        named = {
            "PGDATABASE": self.name,
            "PGHOST": self.host,
            "PGPORT": self.port,
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGSSLMODE": self.sslmode,
        }
        given = {name: value for name, value in named.items() if value}
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **given}

    def url(self) -> str:
        """As ``DATABASE_URL``."""
        login = quote(self.user, safe="") + (
            f":{quote(self.password, safe='')}" if self.password else ""
        )
        query = {"sslmode": self.sslmode} if self.sslmode else {}
        if self.host.startswith("/"):
            place, query = "", {**query, "host": self.host}
        else:
            place = self.host + (f":{self.port}" if self.port else "")
        tail = f"?{urlencode(query, safe='/')}" if query else ""
        return f"postgres://{login}@{place}/{quote(self.name, safe='')}{tail}"

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection]:
        """A connection of one's own, in autocommit."""
        options = {
            "dbname": self.name,
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "sslmode": self.sslmode,
        }
        given = {name: value for name, value in options.items() if value}
        try:
            opened = psycopg.connect(autocommit=True, connect_timeout=5, **given)  # type: ignore[arg-type]
        except psycopg.OperationalError as error:
            msg = f"Postgres cannot be reached: {str(error).strip()}"
            raise BackupError(msg) from error
        with opened:
            yield opened


def server_version(opened: psycopg.Connection) -> int:
    """The major version, such as 18."""
    return opened.info.server_version // 10_000


def program(name: str, *, at_least: int) -> Path:
    """``pg_dump`` or ``pg_restore``, not older than the server.

    First the folder ``PG_BIN``, then what the embedded server brings, then ``PATH``.
    """
    folders = [Path(os.environ["PG_BIN"])] if os.environ.get("PG_BIN") else []
    try:
        folders.append(program_folder())
    except EmbeddedServiceError:
        folders = folders[:1]
    candidates = [folder / name for folder in folders]
    if found := shutil.which(name):
        candidates.append(Path(found))
    for candidate in candidates:
        if candidate.exists() and _version_of(candidate) >= at_least:
            return candidate
    msg = (
        f"The server is PostgreSQL {at_least}, and there is no {name} of that version or a newer "
        f"one here: install it (Debian: postgresql-client-{at_least}) or name its folder in PG_BIN."
    )
    raise BackupError(msg)


def _version_of(path: Path) -> int:
    said = subprocess.run(  # noqa: S603 - Postgres's own program, fixed arguments
        [str(path), "--version"], capture_output=True, text=True, check=False
    ).stdout
    found = re.search(r"(\d+)", said)
    return int(found.group(1)) if found else 0


def dump(database: Database, target: Path, *, snapshot: str, tool: Path, show: Show) -> None:
    """``pg_dump`` of one snapshot, in the custom format."""
    command = [
        *(str(tool), "--format=custom", "--no-owner", "--no-privileges", "--no-comments"),
        *(f"--snapshot={snapshot}", f"--file={target}"),
    ]
    with database.connected() as opened:
        row = opened.execute("SELECT pg_database_size(current_database())").fetchone()
    size = int(row[0]) if row else 0
    # The dump is smaller than the database: the bar says that something moves, not how far.
    _run(
        command,
        database,
        on_wait=lambda: show("Database", min(_size(target), size), size),
    )


def load(database: Database, source: Path, *, tool: Path, show: Show) -> None:
    """``pg_restore`` into an empty database, two tables at a time."""
    command = [
        *(str(tool), "--exit-on-error", "--no-owner", "--no-privileges", "--no-comments"),
        *("--jobs=2", f"--dbname={database.name}", str(source)),
    ]
    size = _size(source)
    with database.connected() as watching:

        def look() -> None:
            row = watching.execute("SELECT pg_database_size(current_database())").fetchone()
            show("Database", min(int(row[0]) if row else 0, size), size)

        _run(command, database, on_wait=look)


def table_counts(opened: psycopg.Connection) -> dict[str, int]:
    """Rows of every table, exactly."""
    rows = opened.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    ).fetchall()
    counts = {}
    for (name,) in rows:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
        row = opened.execute(query).fetchone()
        counts[name] = int(row[0]) if row else 0
    return counts


def create(database: Database) -> None:
    """A new, empty database beside the others."""
    with database.named(_STARTER).connected() as opened:
        opened.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database.name)))


def drop(database: Database) -> None:
    """Remove a database of ours, whoever is connected; nothing where it is not there."""
    with database.named(_STARTER).connected() as opened:
        opened.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.name))
        )


def exchange(*, draft: Database, place: Database, former: str) -> None:
    """``draft`` becomes ``place``, and what was there ``former``: both or neither."""
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with place.named(_STARTER).connected() as opened, opened.transaction():
        opened.execute(rename.format(sql.Identifier(place.name), sql.Identifier(former)))
        opened.execute(rename.format(sql.Identifier(draft.name), sql.Identifier(place.name)))


def others_connected(database: Database) -> int:
    """How many clients use a database, this one not counted."""
    with database.named(_STARTER).connected() as opened:
        row = opened.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
            [database.name],
        ).fetchone()
    return int(row[0]) if row else 0


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _run(command: list[str], database: Database, *, on_wait: Callable[[], None]) -> None:
    """Run a program to its end; an interrupted caller ends it, too."""
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        running = subprocess.Popen(  # noqa: S603 - Postgres's own program, arguments are a list
            command,
            env=database.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while running.poll() is None:
                on_wait()
                time.sleep(_POLL_S)
        finally:
            if running.poll() is None:
                running.terminate()
                running.wait(timeout=10)
        output.seek(0)
        said = output.read().strip()
    if running.returncode != 0:
        reason = said.splitlines()[-1] if said else f"code {running.returncode}"
        msg = f"{Path(command[0]).name} did not succeed: {reason}"
        raise BackupError(msg)
