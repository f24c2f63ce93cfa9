"""Staff, and models and metrics of the test's own."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from recommendations.snapshot import forget_snapshot


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    """Models, warehouse and backups of the test's own; no snapshot of another test's database."""
    settings.MODELS_DIR = tmp_path / "models"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
    settings.BACKUPS_DIR = tmp_path / "backups"
    forget_snapshot()
    yield
    forget_snapshot()


@pytest.fixture
def boss(db) -> User:
    """Staff who may see everything."""
    return User.objects.create_superuser("boss@example.org", "a-long-enough-phrase")


@pytest.fixture
def staff_client(boss) -> Client:
    """Logged in as staff."""
    client = Client()
    client.force_login(boss)
    return client
