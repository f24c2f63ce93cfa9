"""Web processes notice promotions by themselves, and requests only read."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommendations import snapshot as snapshots
from recommendations.models import ModelVersion
from recommendations.services.registry import model_promote, model_rollback
from recommendations.services.training import train
from recommendations.snapshot import current_snapshot, forget_snapshot
from recommendations.watch import SnapshotWatch
from tests.worlds import make_world

Status = ModelVersion.Status


@pytest.fixture
def two(transactional_db):
    """Two versions; the second one is active. Committed: the watch has its own connection."""
    make_world()
    train()
    train(is_forced=True)
    forget_snapshot()
    old, new = ModelVersion.objects.order_by("pk")
    return old, new


@pytest.fixture
def watch(two):
    found = SnapshotWatch(look_every_s=0.02)
    found.start()
    yield found
    found.stop()


def becomes(version: str) -> bool:
    """Whether ``version`` is served within two seconds."""
    waiter = threading.Event()
    for _ in range(100):
        served = current_snapshot()
        if served is not None and served.version == version:
            return True
        waiter.wait(0.02)
    return False


def test_the_model_is_there_at_the_start_and_reading_it_costs_no_query(two, watch):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        served = current_snapshot()
    assert served.version == two[1].version
    assert len(queries) == 0


def test_a_promotion_and_a_rollback_are_noticed_and_the_old_object_stays_whole(two, watch):
    old, new = two
    held = current_snapshot()
    model_promote(old)
    assert becomes(old.version)
    assert held.version == new.version  # a request that began before goes on with what it had
    model_rollback()
    assert becomes(new.version)


def test_a_damaged_promotion_leaves_the_one_before_in_service(two, watch, settings):
    old, _new = two
    model_promote(old)
    assert becomes(old.version)
    broken = ModelVersion.objects.create(version="gone", path="gone", status=Status.RETIRED)
    ModelVersion.objects.filter(pk=old.pk).update(status=Status.RETIRED)
    ModelVersion.objects.filter(pk=broken.pk).update(status=Status.ACTIVE)
    waiter = threading.Event()
    for _ in range(100):
        if broken.pk in snapshots._broken:  # noqa: SLF001 - what the log says
            break
        waiter.wait(0.02)
    assert broken.pk in snapshots._broken  # noqa: SLF001
    assert current_snapshot() is not None
    assert not (Path(settings.MODELS_DIR) / "gone").exists()


def test_without_a_model_nothing_is_served_until_there_is_one(transactional_db):
    forget_snapshot()
    watch = SnapshotWatch(look_every_s=0.02)
    watch.start()
    try:
        assert current_snapshot() is None
        make_world()
        train()
        assert becomes(ModelVersion.objects.get().version)
    finally:
        watch.stop()
