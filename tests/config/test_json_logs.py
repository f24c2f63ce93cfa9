"""Log lines for machines: one object each, joined to a request, a person and a model."""

from __future__ import annotations

import io
import json
import logging

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from config import env
from config.logs import RequestIdFilter, json_formatter, request_var
from config.middleware import RequestIdMiddleware


def written(message, *args, info=None):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(json_formatter())
    handler.addFilter(RequestIdFilter())
    handler.handle(logging.LogRecord("marquee.x", logging.WARNING, "f", 1, message, args, info))
    return stream.getvalue()


def test_a_line_carries_who_and_which_model(rf, db, monkeypatch):
    ada = User.objects.create_user("ada@example.org")
    monkeypatch.setattr("recommendations.snapshot.served_version", lambda: "hybrid-1")
    said = []

    def view(request):
        request._cached_user = ada  # as django.contrib.auth leaves it once somebody asked
        said.append(json.loads(written("Film %s", 7)))
        return {}

    RequestIdMiddleware(view)(rf.get("/", headers={"X-Request-ID": "a-request-id"}))
    [line] = said
    at = line.pop("at")
    assert at.endswith("Z")
    assert line == {
        "event": "Film 7",
        "level": "warning",
        "logger": "marquee.x",
        "request_id": "a-request-id",
        "user_id": ada.pk,
        "model_version": "hybrid-1",
    }


def test_logging_asks_the_database_nothing(rf):
    # No django_db mark: a query would fail the test.
    request_var.set(rf.get("/"))
    assert json.loads(written("nothing"))["user_id"] is None
    request_var.set(None)


@given(st.text())
def test_whatever_is_said_is_one_line(said):
    text = written("%s", said)
    assert len(text.splitlines()) == 1
    assert json.loads(text)["event"] == said


def test_a_traceback_is_a_field():
    try:
        raise ValueError("no\nsuch thing")
    except ValueError as error:
        line = json.loads(written("failed", info=(type(error), error, error.__traceback__)))
    assert line["exception"].endswith("such thing")
    assert "Traceback" in line["exception"]


def test_another_form_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "xml")
    with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT must be one of line, json"):
        env.one_of("LOG_FORMAT", ("line", "json"), default="line")
