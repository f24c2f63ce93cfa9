"""Guessing passwords, making visitors, asking who has an account: each has an end."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client

from accounts.models import User
from config.cache import DisposableCache
from feedback.models import Rating
from tests.security.conftest import EMAIL, PASSWORD
from tests.worlds import make_film

WRONG = "not-the-phrase-at-all"


def log_in(client, password=PASSWORD, email=EMAIL):
    return client.post("/accounts/login/", {"login": email, "password": password})


def is_in(client) -> bool:
    return "_auth_user_id" in client.session


@pytest.mark.django_db
def test_the_lock_holds_without_redis_and_in_another_process(ada, limits):
    for _ in range(5):
        log_in(Client(), WRONG)
    # Another process has new cache objects and knows only what is in the tables; Redis is away.
    limits.CACHES = {
        **limits.CACHES,
        "disposable": {**limits.CACHES["disposable"], "LOCATION": "redis://127.0.0.1:1"},
    }
    DisposableCache._asleep_until = 0.0
    client = Client()
    answer = log_in(client)
    DisposableCache._asleep_until = 0.0
    assert "Too many tries" in answer.content.decode()
    assert not is_in(client)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM marquee_cache WHERE cache_key LIKE '%login_failed%'")
        assert cursor.fetchone()[0] >= 1


@pytest.mark.django_db
def test_others_are_not_locked_out_by_it(ada, limits):
    bob = User.objects.create_user("bob@example.org", PASSWORD)
    for _ in range(5):
        log_in(Client(), WRONG)
    client = Client(REMOTE_ADDR="203.0.113.7")
    log_in(client, email=bob.email)
    assert is_in(client)


@pytest.mark.django_db
def test_a_new_password_opens_the_lock(ada, limits, mailoutbox):
    for _ in range(5):
        log_in(Client(), WRONG)
    client = Client()
    client.post("/accounts/password/reset/", {"email": EMAIL})
    link = next(word for word in mailoutbox[-1].body.split() if "/password/reset/key/" in word)
    page = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(page, {"password1": "another-long-phrase"})
    fresh = Client()
    log_in(fresh, "another-long-phrase")
    assert is_in(fresh)


@pytest.mark.django_db(transaction=True)
def test_guesses_that_arrive_at_the_same_moment_are_counted_one_by_one(ada, limits, monkeypatch):
    checked = []
    check = User.check_password

    def counted(self, raw):
        checked.append(raw)
        return check(self, raw)

    monkeypatch.setattr(User, "check_password", counted)
    together = threading.Barrier(12)

    def guess():
        together.wait(timeout=30)
        log_in(Client(), WRONG)
        connection.close()

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert 1 <= len(checked) <= 5


@pytest.mark.django_db
def test_limits_cannot_be_pushed_out_of_the_cache(ada, limits):
    """At Django's 300 entries a crowd of addresses would have thrown the lock out."""
    for _ in range(5):
        log_in(Client(), WRONG)
    for number in range(400):
        caches["default"].set(f"filler-{number}", 1)
    client = Client()
    log_in(client)
    assert not is_in(client)


@pytest.mark.django_db
def test_one_address_makes_only_so_many_visitors(limits):
    heat = make_film("Heat")
    rate = f"/films/{heat.pk}/rate/"
    for _ in range(3):
        assert Client().post(rate, {"stars": "4"}).status_code == 302
    page = Client().post(rate, {"stars": "4"})
    assert page.status_code == 429
    assert "Slowly, please" in page.content.decode()
    assert (User.objects.count(), Rating.objects.count()) == (3, 3)
    elsewhere = Client(REMOTE_ADDR="203.0.113.7")
    assert elsewhere.post(rate, {"stars": "4"}).status_code == 302


@pytest.mark.django_db
def test_the_api_says_so_in_its_own_shape_and_known_visitors_go_on(limits):
    heat = make_film("Heat")
    event = {"movie_id": heat.pk, "stars": 4}
    known = Client()

    def send(client):
        body = {"events": [{"type": "rating", "event_id": str(uuid.uuid4()), **event}]}
        return (
            client.put(
                f"/api/v1/me/ratings/{heat.pk}/", {"stars": "4.0"}, content_type="application/json"
            )
            or body
        )

    assert send(known).status_code in {200, 201}
    for _ in range(2):
        send(Client())
    refused = send(Client())
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "throttled")
    assert send(known).status_code == 200
    assert User.objects.count() == 3


@pytest.mark.django_db
class TestNobodyLearnsWhoHasAnAccount:
    """With confirmed addresses, as in production."""

    @pytest.fixture(autouse=True)
    def _mandatory(self, settings):
        settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"

    def faces(self, answer, client) -> tuple:
        """All that a stranger sees of an answer, random tokens taken out."""
        page = client.get(answer["Location"]) if answer.status_code == 302 else answer
        text = page.content.decode()
        for token in {line for line in text.split('"') if len(line) in {64, 32, 22, 24}}:
            text = text.replace(token, "")
        headers = sorted(set(answer.headers) - {"X-Request-ID"})
        return answer.status_code, answer.get("Location"), headers, text

    @pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/password/reset/"])
    def test_taken_and_free_addresses_look_the_same(self, ada, path):
        taken, free = Client(), Client()
        answers = [
            (client.post(path, {"email": email, "password1": PASSWORD}), client)
            for client, email in ((taken, EMAIL), (free, "someone@example.org"))
        ]
        seen = [self.faces(answer, client) for answer, client in answers]
        text = [face[3].replace(EMAIL, "").replace("someone@example.org", "") for face in seen]
        assert seen[0][:3] == seen[1][:3]
        assert text[0] == text[1]

    def test_an_unknown_address_costs_a_password_check_too(self, ada, monkeypatch):
        hashed = []
        monkeypatch.setattr(
            "django.contrib.auth.hashers.MD5PasswordHasher.encode",
            lambda self, password, salt: hashed.append(password) or f"md5${salt}$x",
        )
        log_in(Client(), WRONG)
        n_known = len(hashed)
        hashed.clear()
        log_in(Client(), WRONG, email="nobody@example.org")
        assert len(hashed) == n_known >= 1
