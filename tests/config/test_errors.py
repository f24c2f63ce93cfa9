"""Errors to Sentry: off by default, and nothing of people in what is sent."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import brotli
import pytest

from config.backup.postgres import Database
from config.errors import nameless

ROOT = Path(__file__).resolve().parent.parent.parent

# A person logs a search and sends a rating; the view fails with words that name them, a database
# error repeats their address, and a log line does.
BREAK = """
import logging, os, django
django.setup()
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from config import urls


def broken(request, pk):
    email = "ada@example.org"
    password = "correct-horse"
    raise ValueError(f"no film {pk} for {email}\\nDETAIL: Key (email)=(eve@example.org) exists.")

urls.urlpatterns.insert(0, path("broken/<int:pk>/", broken, name="broken"))
client = Client(raise_request_exception=False)
client.cookies["sessionid"] = "very-secret-cookie"
answer = client.post("/broken/7/?q=my-secret-search", {"stars": "secret-body"},
    headers={"user-agent": "Adas-Browser", "x-forwarded-for": "203.0.113.9"})
assert answer.status_code == 500, answer.status_code
print("request", answer["X-Request-ID"])
logging.getLogger("films").error("Could not write to %s for %s", "ada@example.org", "user 4711-081")
import sys
if "sentry_sdk" in sys.modules:
    sys.modules["sentry_sdk"].flush(10)
print("imported", "sentry_sdk" in sys.modules)
"""
SECRETS = (
    *("ada@example.org", "eve@example.org", "correct-horse", "very-secret-cookie", "4711-081"),
    *("my-secret-search", "secret-body", "Adas-Browser", "203.0.113.9", "Key (email)"),
)


class Endpoint:
    """What Sentry would have got."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                unpack = {"gzip": gzip.decompress, "br": brotli.decompress}
                body = unpack[self.headers["Content-Encoding"]](body)
                endpoint.bodies.append(body.decode())
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_args: object) -> None:
                """The test's output is no place for it."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def events(self) -> list[dict]:
        """The error events among the envelopes."""
        lines = [json.loads(line) for body in self.bodies for line in body.splitlines() if line]
        return [line for line in lines if "exception" in line or "logentry" in line]


@pytest.fixture
def endpoint():
    found = Endpoint()
    yield found
    found.server.shutdown()
    found.server.server_close()


def run_broken(**env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BREAK],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "DATABASE_URL": Database.of_django().url(),
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def test_an_error_is_reported_without_anything_of_people(endpoint, db):
    dsn = f"http://key@127.0.0.1:{endpoint.server.server_port}/1"
    done = run_broken(SENTRY_DSN=dsn)
    assert done.returncode == 0, done.stderr
    everything = "\n".join(endpoint.bodies)
    assert {secret for secret in SECRETS if secret in everything} == set()
    error = next(event for event in endpoint.events if "exception" in event)
    value = error["exception"]["values"][-1]
    assert (value["type"], value["value"]) == ("ValueError", "no film 7 for [address]")
    assert value["stacktrace"]["frames"][-1]["function"] == "broken"
    assert all("vars" not in frame for frame in value["stacktrace"]["frames"])
    assert error["transaction"] in ("/broken/{pk}/", "/broken/<int:pk>/", "broken")
    request_id = done.stdout.split()[1]
    assert error["tags"]["request_id"] == request_id
    assert not {"user", "request", "breadcrumbs", "extra", "modules"} & error.keys()
    logged = next(event for event in endpoint.events if event.get("logger") == "films")
    assert logged["logentry"] == {"message": "Could not write to %s for %s"}


def test_it_is_off_unless_asked_for(endpoint, db):
    done = run_broken(SENTRY_DSN="")
    assert done.returncode == 0, done.stderr
    assert "imported False" in done.stdout
    assert endpoint.bodies == []


def test_an_endpoint_that_is_gone_costs_no_answer(db):
    done = run_broken(SENTRY_DSN="http://key@127.0.0.1:1/1")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<ada@example.org> is taken", "<[address]> is taken"),
        ("duplicate key\nDETAIL:  Key (email)=(a@b.c) exists.\nmore", "duplicate key"),
        ("a @ b, 5 @ 6", "a @ b, 5 @ 6"),
    ],
)
def test_addresses_and_values_are_struck_out(text, left):
    assert nameless(text) == left
