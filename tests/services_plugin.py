"""Starts the tests' own Postgres and Redis before Django reads its settings.

Loaded by ``-p tests.services_plugin`` (pyproject.toml): a conftest would come too late. The tests
never touch the services of a running Marquee: theirs live under ``var/test``, and ``.env`` is not
read. ``TEST_DATABASE_URL`` and ``TEST_REDIS_URL`` name others.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent


def _own_redis_database(url: str, worker: str) -> str:
    """Each xdist worker has a database of its own (1, 2, ...): queues are not shared."""
    number = 1 + int(worker.removeprefix("gw") or 0)
    if url.startswith("unix://"):
        return f"{url.partition('?')[0]}?db={number}"
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))


# Importing the config package names the local settings as the default, and the environment wins
# over pyproject.toml: so the tests' own are named first.
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"

if not os.environ.get("MARQUEE_TEST_READY"):
    os.environ["MARQUEE_VAR"] = str(ROOT / "var" / "test")
    os.environ["MARQUEE_ENV_FILE"] = ""
    os.environ["MARQUEE_OFFLINE"] = "1"
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
        if given := os.environ.get(f"TEST_{name}"):
            os.environ[name] = given
    from config.embedded import ensure_services

    ensure_services()
    # xdist's workers inherit the environment; the process that started pytest holds the lease.
    os.environ["MARQUEE_TEST_READY"] = "1"

os.environ["REDIS_URL"] = _own_redis_database(
    os.environ["REDIS_URL"], os.environ.get("PYTEST_XDIST_WORKER", "")
)
