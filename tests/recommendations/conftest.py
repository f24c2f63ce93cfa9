"""A small world with a trained model, made once per test that asks for it."""

from __future__ import annotations

import pytest

from recommendations.models import TrainingRun
from recommendations.services.training import train
from recommendations.snapshot import forget_snapshot
from tests.worlds import World, make_world


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    """Models and warehouse of the test's own; no snapshot of another test's database."""
    settings.MODELS_DIR = tmp_path / "models"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
    forget_snapshot()
    yield
    forget_snapshot()


@pytest.fixture
def world(db) -> World:
    """Two crowds, nothing trained yet."""
    return make_world()


@pytest.fixture
def trained(world) -> World:
    """Two crowds and a model that was promoted."""
    run = train()
    assert run.status == TrainingRun.Status.DONE, run.error
    return world
