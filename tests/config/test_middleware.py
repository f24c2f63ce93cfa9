"""Request ids, and personal pages that no cache keeps."""

from __future__ import annotations

import logging

import pytest

from config.logs import LineFormatter


@pytest.mark.django_db
def test_a_well_formed_request_id_is_kept_and_another_replaced(client):
    assert client.get("/livez", headers={"X-Request-ID": "abcdef-12345"})["X-Request-ID"] == (
        "abcdef-12345"
    )
    for bad in ("short", "with space and more", "x" * 65, "new\\nline-12345"):
        answer = client.get("/livez", headers={"X-Request-ID": bad})["X-Request-ID"]
        assert answer != bad
        assert len(answer) == 32


def test_user_input_cannot_start_a_second_log_line():
    record = logging.LogRecord("x", logging.INFO, "f", 1, "one\nERROR two\r\n", None, None)
    assert LineFormatter("%(message)s").format(record) == "one\\nERROR two\\r\\n"


@pytest.mark.django_db
def test_pages_for_a_session_are_not_stored_and_others_may_be(client, django_user_model):
    assert not client.get("/about/").has_header("Cache-Control")
    client.force_login(django_user_model.objects.create_user("ann@films.example"))
    assert client.get("/about/")["Cache-Control"] == "private, no-store"
    manifest = client.get("/manifest.webmanifest")["Cache-Control"]
    assert manifest == "max-age=86400, public"
