"""What Prometheus is told of requests and tasks, by every web and worker process.

Each process counts in a file of its own under PROMETHEUS_MULTIPROC_DIR, and whoever is asked for
``/metrics`` adds them up: a worker of the web server knows its own requests only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery.signals import task_postrun, task_prerun
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

REQUESTS = Counter(
    "marquee_requests", "Requests answered, by view and status.", ["view", "method", "status"]
)
REQUEST_SECONDS = Histogram(
    "marquee_request_seconds",
    "Time to answer a request.",
    ["view"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
TASKS = Counter("marquee_tasks", "Tasks that ended, by how.", ["task", "state"])
TASK_SECONDS = Histogram(
    "marquee_task_seconds",
    "Time that a task took.",
    ["task"],
    buckets=(0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0),
)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_started: dict[str, float] = {}


class MetricsMiddleware:
    """Counts what was asked for and how long it took. Addresses are counted by view: a film's
    number, or what somebody made up, is no label."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        view = (match.view_name or match.func.__name__) if match else "none"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(view=view, method=method, status=str(response.status_code)).inc()
        REQUEST_SECONDS.labels(view=view).observe(time.perf_counter() - started)
        return response


def make_folder() -> None:
    """Where the processes count; before the first of them does."""
    Path(settings.METRICS_DIR).mkdir(parents=True, exist_ok=True)


def forget_counts() -> None:
    """Drops what processes counted that are gone: called where none is running."""
    for file in Path(settings.METRICS_DIR).glob("*.db"):
        file.unlink(missing_ok=True)


@task_prerun.connect
def _task_begins(task_id: str = "", **_: Any) -> None:
    _started[task_id] = time.perf_counter()


@task_postrun.connect
def _task_ended(task_id: str = "", task: Any = None, state: str | None = None, **_: Any) -> None:
    started = _started.pop(task_id, None)
    name = getattr(task, "name", "unknown")
    TASKS.labels(task=name, state=(state or "unknown").lower()).inc()
    if started is not None:
        TASK_SECONDS.labels(task=name).observe(time.perf_counter() - started)
