"""What a worker's process took is given back."""

from __future__ import annotations

import psutil
import pytest

from recommendations.models import ScheduledRun
from recommendations.tasks import refresh_recommendations_task
from tests.worker import CeleryWorker

pytestmark = pytest.mark.django_db(transaction=True)
FAR_MORE, FAR_LESS = "100000", "1"  # MiB than a process holds


def pool_of(worker):
    return {child.pid for child in psutil.Process(worker.pid).children(recursive=True)}


def refresh(worker):
    """Has the worker do the minute's job."""
    refresh_recommendations_task.delay()
    done = ScheduledRun.objects.filter(name="refresh-recommendations", finished_at__isnull=False)
    worker.wait_for(done.exists)


@pytest.fixture
def started():
    """Starts a worker with settings of its own; it ends with the test."""
    workers = []

    def start(**environment):
        worker = CeleryWorker(**environment)
        workers.append(worker)
        worker.start()
        return worker

    yield start
    for worker in workers:
        worker.stop()


def test_a_process_that_grew_too_large_is_replaced_and_its_task_done(started):
    worker = started(WORKER_MAX_MIB=FAR_LESS)
    [before] = pool_of(worker)
    refresh(worker)
    after = worker.wait_for(lambda: pool_of(worker) - {before})
    assert len(after) == 1
    worker.wait_for(lambda: before not in pool_of(worker))


def test_others_stay(started):
    worker = started(WORKER_MAX_MIB=FAR_MORE)
    before = pool_of(worker)
    refresh(worker)
    assert pool_of(worker) == before
