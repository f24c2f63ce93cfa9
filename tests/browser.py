"""Playwright driving the system's Chromium: no plugin, no download, no network."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.db import connection

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = [
    # Chromium's sandbox needs privileges that containers do not give.
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
]
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
TIMEOUT_MS = 15_000


@dataclass
class BrowserProblems:
    """What went wrong inside the pages of one test; ``assert not problems.all``."""

    console: list[str] = field(default_factory=list)
    csp: list[str] = field(default_factory=list)
    page_errors: list[str] = field(default_factory=list)
    # Requests to other hosts: they were refused, and a page should not make them.
    foreign: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        """Everything, for one assertion."""
        return [*self.console, *self.csp, *self.page_errors, *self.foreign]


def find_chromium() -> str | None:
    """``MARQUEE_CHROMIUM``, a browser of the system, or the one Playwright downloaded."""
    if given := os.environ.get("MARQUEE_CHROMIUM"):
        return given
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None  # noqa: PTH110 - a plain question


@contextmanager
def launch_chromium(executable: str) -> Iterator[Any]:
    """A running browser."""
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop running in this thread, so that Django takes every query of a
    # test for one made from async code.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)
            yield browser
            browser.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def open_page(browser: Any, problems: BrowserProblems, **options: Any) -> Any:
    """A page in a context of its own that reaches this machine only and reports to ``problems``."""
    options.setdefault("viewport", {"width": 1440, "height": 900})
    # A worker's own requests pass by the route below: only tests of the worker let it in.
    options.setdefault("service_workers", "block")
    context = browser.new_context(**options)
    context.set_default_timeout(TIMEOUT_MS)

    def only_loopback(route: Any) -> None:
        parts = urlsplit(route.request.url)
        if parts.scheme in {"data", "blob"} or parts.hostname in _LOOPBACK:
            route.continue_()
        else:
            problems.foreign.append(route.request.url)
            route.abort()

    def on_console(message: Any) -> None:
        if message.type == "error":
            is_csp = "Content Security Policy" in message.text
            (problems.csp if is_csp else problems.console).append(message.text)

    context.route("**/*", only_loopback)
    page = context.new_page()
    page.on("console", on_console)
    page.on("pageerror", lambda error: problems.page_errors.append(str(error)))
    return page


def wait_for_silence(timeout_s: float = 5.0) -> None:
    """Until nothing was going on in the test's database for a moment, or ``timeout_s`` passed.

    A page that was closed can leave a request under way; it and the emptying of the tables after
    the test would wait for each other.
    """
    known = connection.get_connection_params()
    params = {k: known[k] for k in ("dbname", "user", "host", "port", "password") if known.get(k)}
    busy = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND state <> 'idle'"
    )
    ends_at = time.monotonic() + timeout_s
    n_quiet = 0
    with psycopg.connect(**params, autocommit=True) as looker:
        while n_quiet < 4 and time.monotonic() < ends_at:
            row = looker.execute(busy).fetchone()
            n_quiet = n_quiet + 1 if row == (0,) else 0
            time.sleep(0.03)
