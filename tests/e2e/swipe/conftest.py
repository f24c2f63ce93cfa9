"""Films to swipe through."""

from __future__ import annotations

import pytest

from catalog.models import Movie
from tests.worlds import count_ratings, make_world


@pytest.fixture
def films(settings, tmp_path):
    """Forty-eight films, the well-known ones first; no model, so their order is known."""
    settings.MODELS_DIR = tmp_path / "models"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
    world = make_world(n_people=12)
    Movie.objects.update(synopsis="Somebody wants something badly. It is in the way.")
    count_ratings()
    return world
