"""A served world, and clients that were generated from the API's own document."""

from __future__ import annotations

import os

import pytest
import requests
import yaml

from catalog.services.search_index import search_vectors_refresh
from config.management.commands.api_schema import document_now
from recommendations.models import TrainingRun
from recommendations.services.training import train
from recommendations.snapshot import forget_snapshot
from tests.api.client_generator import client_of
from tests.worlds import make_world

PASSWORD = "a-long-enough-phrase"
WRITE_EXAMPLES = os.environ.get("MARQUEE_WRITE_EXAMPLES") == "1"


@pytest.fixture
def served(settings, tmp_path, transactional_db):
    """Two crowds, and two model versions: one served, one to roll back to."""
    settings.MODELS_DIR = tmp_path / "models"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
    forget_snapshot()
    world = make_world()
    search_vectors_refresh()
    assert train().status == TrainingRun.Status.DONE
    yield world
    forget_snapshot()


@pytest.fixture
def document():
    """The OpenAPI document, as a stranger reads it."""
    return yaml.safe_load(document_now())


def prove(client, password=PASSWORD):
    """Gives the password once more, as an app does; the token stays or is told anew."""
    url = f"{client.url}/_allauth/app/v1/auth/reauthenticate"
    answer = client.session.post(url, json={"password": password}, timeout=60)
    assert answer.status_code == 200, answer.text
    client.session.headers["X-Session-Token"] = answer.json()["meta"].get(
        "session_token", client.session.headers["X-Session-Token"]
    )


@pytest.fixture
def sign_up(live_server, document):
    """A function that registers as an app does, and gives the generated client of that person."""

    def register(email="you@example.org"):
        answer = requests.post(
            f"{live_server.url}/_allauth/app/v1/auth/signup",
            json={"email": email, "password": PASSWORD},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        token = answer.json()["meta"]["session_token"]
        return client_of(live_server.url, document, {"X-Session-Token": token})

    return register
