"""The health addresses answer from the first day."""

import pytest


@pytest.mark.django_db
def test_livez_and_readyz_answer(client):
    assert client.get("/livez").json() == {"status": "alive"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "postgres": "ok", "redis": "ok"}


@pytest.mark.django_db
def test_home_is_served(client):
    assert client.get("/").status_code == 200
