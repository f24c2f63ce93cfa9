"""Fixtures that every test may use: a real browser and a real Celery worker."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest

from config.translations import compile_changed
from tests.browser import (
    BrowserProblems,
    find_chromium,
    launch_chromium,
    open_page,
    wait_for_silence,
)
from tests.worker import CeleryWorker

# A busy machine generates slowly too: how long an example takes is no property of ours.
hypothesis.settings.register_profile(
    "marquee", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("marquee")


def pytest_configure():
    """German pages are tested in German: from the texts as they are now."""
    compile_changed()


REFUSE_SKIPS = os.environ.get("MARQUEE_REFUSE_SKIPS") == "1"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With MARQUEE_REFUSE_SKIPS=1 (.ci/run) a skipped e2e test is a failed one."""
    outcome = yield
    report = outcome.get_result()
    if REFUSE_SKIPS and report.skipped and item.get_closest_marker("e2e"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and here it must run: {report.longrepr}"


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """One Chromium for the session; e2e tests are skipped by name where there is none."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium: install Debian's chromium, or set MARQUEE_CHROMIUM to a binary")
    with launch_chromium(executable) as chromium:
        yield chromium


@pytest.fixture
def browser_problems() -> BrowserProblems:
    """What the test's pages complained about: console errors, CSP violations, page errors."""
    return BrowserProblems()


@pytest.fixture
def new_page(request, browser, browser_problems):
    """A function that opens a page of its own person (cookies apart); keywords go to Playwright.

    ``new_page(viewport={"width": 390, "height": 844}, java_script_enabled=False)``
    """
    contexts = []

    def open_one(**options):
        page = open_page(browser, browser_problems, **options)
        contexts.append(page.context)
        return page

    yield open_one
    for context in contexts:
        context.close()
    if "live_server" in request.fixturenames:
        wait_for_silence()


@pytest.fixture
def page(new_page):
    """A page at 1440 x 900."""
    return new_page()


@pytest.fixture
def celery_worker_process(transactional_db) -> Iterator[CeleryWorker]:
    """A real ``celery worker`` process on the test's database and Redis, ready for tasks.

    The worker sees committed rows only: hence ``transactional_db``. Its ``pid`` may be killed.
    """
    worker = CeleryWorker()
    worker.start()
    yield worker
    worker.stop()
