"""Embedded Postgres and Redis for a machine that has neither.

``ensure_services()`` starts them under ``var/`` (or attaches to running ones) and exports
``DATABASE_URL`` and ``REDIS_URL``; settings only read the environment. Where these are set, by the
environment or by ``.env``, nothing is started. Whoever ends last stops the servers: a running
``manage.py up`` keeps them for all others (see ``lease``).
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

from config import env
from config.embedded import postgres, redis_server
from config.embedded.errors import EmbeddedServiceError
from config.embedded.lease import Lease
from config.embedded.places import exclusive, make_folder, var_dir

__all__ = ["EmbeddedServiceError", "Embedded", "ensure_services", "var_dir"]


@dataclass
class Embedded:
    """Which of the servers of one ``var/`` are embedded, and this process's share in them."""

    var_dir: Path
    has_postgres: bool
    has_redis: bool
    lease: Lease | None = None

    def start(self) -> None:
        """Start or attach to what is embedded; also brings back a server that was killed."""
        with exclusive(self.var_dir / "services.lock"):
            if self.lease is None:
                self.lease = Lease(self.var_dir)
            if self.has_postgres:
                os.environ["DATABASE_URL"] = postgres.start(self.var_dir / "postgres")
            if self.has_redis:
                os.environ["REDIS_URL"] = redis_server.start(self.var_dir / "redis")

    def release(self) -> None:
        """Give the share back; the last one stops the servers. A second call does nothing."""
        lease, self.lease = self.lease, None
        if lease is None or not lease.is_own:
            return
        with _unhurried(), exclusive(self.var_dir / "services.lock"):
            if lease.is_last():
                redis_server.stop(self.var_dir / "redis")
                postgres.stop(self.var_dir / "postgres")
            lease.close()

    def lost(self) -> list[str]:
        """The names of embedded servers that no longer run."""
        names = []
        if self.has_postgres and postgres.server_pid(self.var_dir / "postgres") is None:
            names.append("Postgres")
        if self.has_redis and redis_server.server_pid(self.var_dir / "redis") is None:
            names.append("Redis")
        return names


class _unhurried:  # noqa: N801 - reads as a statement
    """A second Ctrl-C must not leave a server half stopped."""

    def __enter__(self) -> None:
        self._before = None
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, signal.SIG_IGN)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)


_current: Embedded | None = None


def ensure_services() -> Embedded:
    """Postgres and Redis answer after this, and the environment says where.

    A second call in the same process gives the first one's answer. Raises
    ``EmbeddedServiceError`` with one sentence for people.
    """
    global _current
    if _current is not None:
        return _current
    env.load_file()
    services = Embedded(
        var_dir=var_dir(),
        has_postgres=not _is_given("DATABASE_URL"),
        has_redis=not _is_given("REDIS_URL"),
    )
    if services.has_postgres or services.has_redis:
        make_folder(services.var_dir)
        # Before the start: a start that fails half-way stops what it had started.
        atexit.register(services.release)
        services.start()
    _current = services
    return services


def _is_given(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))
