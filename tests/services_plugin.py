"""Starts the tests' own Postgres and Redis before Django reads its settings.

Loaded by ``-p tests.services_plugin`` (pyproject.toml): a conftest would come too late. The tests
never touch the services of a running Marquee: theirs live under ``var/test``.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

if not os.environ.get("MARQUEE_TEST_READY"):
    os.environ["MARQUEE_VAR"] = str(ROOT / "var" / "test")
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
        if given := os.environ.get(f"TEST_{name}"):
            os.environ[name] = given
    from config.embedded import ensure_services

    ensure_services()
    # xdist's workers inherit the environment and attach to the same services.
    os.environ["MARQUEE_TEST_READY"] = "1"
