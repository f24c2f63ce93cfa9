"""A database of a benchmark's own on the embedded server, dropped at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def own_database(name: str) -> Iterator[Path]:
    """Django on an empty, migrated database; yields a folder for files.

    ``manage`` and this process use it; a server of one's own (DATABASE_URL) is left alone.
    """
    work = ROOT / "var" / f"bench-{name}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    from config.embedded import ensure_services

    os.environ.pop("DATABASE_URL", None)
    ensure_services()
    import psycopg

    database = f"marquee_bench_{name}"
    url = os.environ["DATABASE_URL"]
    server_uri = f"postgresql://postgres@/postgres?host={url.split('host=')[1]}"
    drop = f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"
    with psycopg.connect(server_uri, autocommit=True) as server:
        server.execute(drop)
        server.execute(f"CREATE DATABASE {database}")
    os.environ["DATABASE_URL"] = url.replace("/marquee?", f"/{database}?")
    os.environ["MARQUEE_VAR"] = str(work)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.local"
    import django
    from django.db import connections

    django.setup()
    try:
        manage("migrate", "--verbosity", "0")
        yield work
    finally:
        connections.close_all()
        with psycopg.connect(server_uri, autocommit=True) as server:
            server.execute(drop)


def manage(*words: str) -> None:
    """A management command that has to succeed."""
    subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, check=True)
