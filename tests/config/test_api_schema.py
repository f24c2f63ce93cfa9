"""The API's schema is complete: it validates, and nothing about it had to be guessed."""

from __future__ import annotations

from io import StringIO

import pytest
import yaml
from django.core.management import call_command

pytestmark = pytest.mark.django_db


def test_the_schema_validates_without_a_warning():
    out = StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=out)
    schema = yaml.safe_load(out.getvalue())
    assert schema["openapi"].startswith("3.1")
    paths = {path.removeprefix("/api/v1") for path in schema["paths"]}
    expected = {"/health/", "/genres/", "/movies/", "/movies/{movie_id}/", "/me/ratings/"}
    expected |= {"/me/ratings/{movie_id}/", "/me/recommendations/", "/quiz/"}
    expected |= {"/feedback/", "/swipe/"}
    assert expected <= paths
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), f"{method} {path} has no summary"
            assert operation.get("tags"), f"{method} {path} has no tag"


def test_the_schema_is_served(client):
    answer = client.get("/api/v1/schema/")
    assert answer.status_code == 200
    assert "Marquee API" in answer.content.decode()
