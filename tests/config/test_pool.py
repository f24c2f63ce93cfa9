"""Threads of a web process share connections: few of them, and none is missed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worker import database_url_of_test

ROOT = Path(__file__).resolve().parent.parent.parent
# Twelve threads at once, each a "request" that ends as Django's do; most connections seen.
CROWD = """
import json, threading
import django; django.setup()
from django.db import close_old_connections, connection
most, errors, lock = 0, [], threading.Lock()
together = threading.Barrier(12)
def go():
    global most
    together.wait()
    for _ in range(5):
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*), (SELECT true FROM pg_sleep(0.02)) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND application_name = 'pooled'")
                n = cursor.fetchone()[0]
            with lock:
                most = max(most, n)
        except Exception as error:
            errors.append(repr(error))
        close_old_connections()
threads = [threading.Thread(target=go) for _ in range(12)]
[t.start() for t in threads]
[t.join() for t in threads]
print(json.dumps({"most": most, "errors": errors}))
"""
# Three "requests"; before the second the server ends the connection that the first gave back.
ENDED = """
import json, os
import django; django.setup()
import psycopg
from django.db import close_old_connections, connection
from config.postgres.base import has_ended
def ask():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        found = cursor.fetchone()[0]
    kept = connection.connection
    close_old_connections()
    return found, kept
first, kept = ask()
was_ended = [has_ended(kept)]
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
    other.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
was_ended.append(has_ended(kept))
second, third = ask()[0], ask()[0]
print(json.dumps([was_ended, first == second, second == third]))
"""
# What a request gets where nobody listens, and how long it waits for it.
DOWN = """
import json, time
import django; django.setup()
from django.db import OperationalError, connection
from config.faults import is_database_away
started = time.monotonic()
try:
    connection.ensure_connection()
except OperationalError as error:
    print(json.dumps([is_database_away(error), time.monotonic() - started]))
"""


def run(code: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PGAPPNAME": "pooled", **changes},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(("size", "expected"), [("3", 3), ("0", 12)])
def test_a_pool_is_never_larger_than_it_may_be_and_serves_everybody(
    transactional_db, size, expected
):
    done = run(CROWD, DATABASE_URL=database_url_of_test(), DATABASE_POOL=size)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"most": expected, "errors": []}


def test_a_connection_that_the_server_ended_is_not_given_out(transactional_db):
    done = run(ENDED, DATABASE_URL=database_url_of_test(), DATABASE_POOL="1")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[False, True], False, True]


def test_without_postgres_a_request_soon_learns_that_it_is_away():
    done = run(DOWN, DATABASE_URL="postgres://nobody@127.0.0.1:1/none", DATABASE_POOL="3")
    assert done.returncode == 0, done.stderr
    is_away, waited_s = json.loads(done.stdout)
    assert is_away is True
    assert waited_s < 5


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "8"),
        ({"WEB_THREADS": "6"}, "10"),
        ({"WEB_THREADS": "6", "WEB_CONNECTIONS": "3"}, "3"),
        ({"DATABASE_POOL": "99"}, "8"),
    ],
)
def test_the_web_process_has_one_for_each_working_thread_and_some(tmp_path, given, expected):
    assert pool_of("web", tmp_path, given) == expected


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_a_process_that_forks_has_none_whatever_the_environment_says(tmp_path, name):
    assert pool_of(name, tmp_path, {"DATABASE_POOL": "8"}) == "0"


def pool_of(name: str, folder: Path, given: dict[str, str]) -> str:
    """What the process's program finds in its environment."""
    for program in ("granian", "celery"):
        (folder / program).write_text('#!/bin/sh\necho "$DATABASE_POOL"\n')
        (folder / program).chmod(0o755)
    done = subprocess.run(
        [ROOT / "deploy" / "process", name],
        env={"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", **given},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_size_that_is_none_is_refused_by_name():
    done = run("import django; django.setup()", DATABASE_POOL="many")
    assert done.returncode == 1
    assert "DATABASE_POOL must be a whole number, got 'many'" in done.stderr
