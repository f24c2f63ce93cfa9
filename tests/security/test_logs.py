"""What people send cannot write the log."""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from hypothesis import given
from hypothesis import strategies as st

from config.logs import LineFormatter, RequestIdFilter
from tests.security.conftest import EMAIL, PASSWORD

RECORD = re.compile(r"2\d{3}-\d\d-\d\d ")
nasty = st.text(
    alphabet=st.sampled_from("\r\n\x0b\x0c\x1b\x1c\x85\u2028\u2029\0\x7f2 a-0E[") | st.characters(),
    max_size=40,
)


def written(message: str, *args: object, error: Exception | None = None) -> str:
    """What a handler writes for one record."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    form = django_settings.LOGGING["formatters"]["line"]
    handler.setFormatter(LineFormatter(form["format"], style=form["style"]))
    handler.addFilter(RequestIdFilter())
    info = None if error is None else (type(error), error, None)
    handler.handle(logging.LogRecord("x", logging.WARNING, "f", 1, message, args, info))
    return stream.getvalue()


@given(nasty)
def test_one_record_is_one_line_without_a_terminals_orders(said):
    text = written("A person said %s", said)
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


@given(nasty.map(lambda said: f"{said}\n2026-01-01 00:00:00,000 ERROR   admin [-] forged"))
def test_no_line_of_a_traceback_passes_for_a_record(said):
    text = written("It broke", error=ValueError(said))
    lines = text.splitlines()
    assert RECORD.match(lines[0])
    assert [line for line in lines[1:] if not line.startswith("  | ")] == []


@pytest.mark.django_db
def test_a_path_with_a_line_break_is_logged_as_one_line(client, caplog):
    with caplog.at_level(logging.WARNING, logger="django.request"):
        client.get("/none%0a2026-01-01%20ERROR%20forged/")
    (record,) = [r for r in caplog.records if r.name == "django.request"]
    assert len(LineFormatter("%(message)s").format(record).splitlines()) == 1


@pytest.mark.django_db
def test_coming_in_and_failing_to_are_logged_without_names(client, ada, caplog):
    with caplog.at_level(logging.INFO, logger="accounts.adapter"):
        client.post("/accounts/login/", {"login": EMAIL, "password": "not-it-at-all"})
        client.post("/accounts/login/", {"login": EMAIL, "password": PASSWORD})
    said = [record.getMessage() for record in caplog.records if record.name == "accounts.adapter"]
    assert said == ["A log-in failed from 127.0.0.1", f"Account {ada.pk} logged in from 127.0.0.1"]


def test_nothing_logs_a_password_a_token_or_a_body():
    """The words never stand among what is logged; arguments are looked at as they are written."""
    root = Path(django_settings.BASE_DIR)
    calls = re.compile(r"logger\.\w+\(([^()]*(?:\([^()]*\)[^()]*)*)\)", re.DOTALL)
    secret = re.compile(r"password|secret|api_key|token|\.body\b|request\.POST|\.email\b", re.I)
    found = [
        f"{path.relative_to(root)}: {call.strip()[:80]}"
        for app in ("accounts", "catalog", "config", "dashboard", "feedback", "recommendations")
        for path in (root / app).rglob("*.py")
        for call in calls.findall(path.read_text(encoding="utf-8"))
        if secret.search(call)
    ]
    assert found == []
