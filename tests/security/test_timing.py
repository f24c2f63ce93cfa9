"""How long an answer takes does not tell who has an account here."""

from __future__ import annotations

import os
import threading

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from accounts.models import User
from config.mail import _line
from tests.security.conftest import EMAIL, PASSWORD

pytestmark = pytest.mark.django_db
IS_OPEN = threading.Event()
HAS_ARRIVED = threading.Event()


class HangingMail(EmailBackend):
    """A mail server that takes nothing until it is told to."""

    def send_messages(self, messages):
        assert IS_OPEN.wait(20)
        done = super().send_messages(messages)
        HAS_ARRIVED.set()
        return done


class BrokenMail(EmailBackend):
    """A mail server that refuses, naming whom."""

    def send_messages(self, messages):
        HAS_ARRIVED.set()
        raise OSError(f"refused: {messages[0].to}")


@pytest.fixture
def later(settings):
    """As in production, with one of the servers above behind it."""
    IS_OPEN.clear()
    HAS_ARRIVED.clear()
    settings.EMAIL_BACKEND = "config.mail.LaterBackend"
    settings.EMAIL_LATER_BACKEND = f"{__name__}.HangingMail"
    yield settings
    IS_OPEN.set()
    everything_is_delivered()


def everything_is_delivered() -> None:
    """As at the end of a process: what waits is handed over first."""
    _line(os.getpid()).shutdown()
    _line.cache_clear()


def test_a_reset_is_answered_before_the_mail_server_has_taken_the_mail(later, client, ada):
    for email in (EMAIL, "nobody@example.org"):
        answer = client.post("/accounts/password/reset/", {"email": email})
        assert answer["Location"] == "/accounts/password/reset/done/"
    assert mail.outbox == []
    IS_OPEN.set()
    everything_is_delivered()
    assert [message.to for message in mail.outbox] == [[EMAIL]]


def test_a_mail_that_was_refused_is_logged_without_its_address(later, client, ada, caplog):
    later.EMAIL_LATER_BACKEND = f"{__name__}.BrokenMail"
    client.post("/accounts/password/reset/", {"email": EMAIL})
    everything_is_delivered()
    assert HAS_ARRIVED.is_set()
    assert "1 mails were not taken by the mail server (OSError)" in caplog.text
    assert EMAIL not in caplog.text


@pytest.mark.parametrize(
    ("path", "field", "password"),
    [
        ("/accounts/login/", "login", {"password": "not-" + PASSWORD}),
        ("/accounts/signup/", "email", {"password1": "quite-" + PASSWORD}),
    ],
)
def test_one_password_is_hashed_whether_there_is_an_account_or_not(
    settings, client, ada, monkeypatch, path, field, password
):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    hashed = []
    encode = MD5PasswordHasher.encode

    def counted(self, given, salt):
        hashed.append(given)
        return encode(self, given, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    counts = []
    for email in (EMAIL, "nobody@example.org"):
        hashed.clear()
        client.post(path, {field: email, **password})
        counts.append(len(hashed))
    assert counts[0] == counts[1] > 0
    assert User.objects.filter(email=EMAIL).count() == 1
