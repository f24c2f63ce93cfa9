"""Whatever somebody sends, answers are as the document says; ``make fuzz`` asks much more of each.

The server is a process's own thread here, and granian there; the world and the rules are the same.
"""

from __future__ import annotations

import pytest

from recommendations.snapshot import forget_snapshot
from recommendations.swipe_apis import SwipeApi
from tests.api.fuzz_world import make_fuzz_world
from tests.api.fuzzing import fuzz

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def known(settings, tmp_path, transactional_db):
    settings.MODELS_DIR = tmp_path / "models"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 3600
    forget_snapshot()
    yield make_fuzz_world()
    forget_snapshot()


def test_every_operation_keeps_to_its_document(known, live_server, tmp_path):
    done = fuzz(
        live_server.url,
        "staff",
        known,
        folder=tmp_path / "fuzz",
        n_examples=2,
        phases=("examples", "fuzzing"),
    )
    assert done.is_clean, done.said
    assert done.operations >= 88
    assert done.requests >= 2 * done.operations


def test_one_that_breaks_is_found(known, live_server, tmp_path, monkeypatch):
    def broken(_self, _request):
        raise RuntimeError("a fault that nobody foresaw")

    monkeypatch.setattr(SwipeApi, "post", broken)
    done = fuzz(
        live_server.url,
        "anonymous",
        known,
        folder=tmp_path / "fuzz",
        n_examples=2,
        phases=("fuzzing",),
        only="^/api/v1/swipe/$",
    )
    assert (done.operations, done.failures, done.errors) == (1, 1, 0)
    assert "Server error" in done.said
