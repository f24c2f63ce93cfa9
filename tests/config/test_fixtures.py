"""The shared fixtures do what they promise."""

from __future__ import annotations

import os

import psutil
import pytest


@pytest.mark.slow
def test_the_worker_process_answers_and_is_gone_after_stop(celery_worker_process):
    from config.celery import app

    pid = celery_worker_process.pid
    answer = app.control.inspect(destination=[celery_worker_process.name], timeout=5).ping()
    assert answer == {celery_worker_process.name: {"ok": "pong"}}
    assert pid != os.getpid()
    celery_worker_process.stop()
    assert not psutil.pid_exists(pid)


@pytest.mark.e2e
def test_a_page_is_driven_and_foreign_requests_are_refused(live_server, page, browser_problems):
    page.goto(f"{live_server.url}/livez")
    assert "alive" in page.content()
    refused = page.evaluate(
        "fetch('http://films.example/').then(() => 'answered', () => 'refused')"
    )
    assert refused == "refused"
    assert browser_problems.foreign == ["http://films.example/"]
    assert browser_problems.all
