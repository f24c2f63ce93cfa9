"""``Idempotency-Key``: a write that is sent twice happens once."""

from __future__ import annotations

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from accounts.api import idempotency
from accounts.api.idempotency import answers_sweep
from accounts.models import ApiToken, KeptAnswer, User
from feedback.models import Interaction, Rating
from tests.worlds import make_film

JSON = "application/json"


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada@example.org", "a-long-password")


@pytest.fixture
def mine(client, ada):
    client.force_login(ada)
    return client


def rate(client, movie, stars, key=None):
    headers = {"Idempotency-Key": key} if key else {}
    url = f"/api/v1/me/ratings/{movie.pk}/"
    return client.put(url, {"stars": stars}, content_type=JSON, headers=headers)


def code_of(answer):
    return answer.json()["error"]["code"]


def test_the_same_twice_happens_once_and_is_answered_the_same(mine):
    film = make_film("Heat")
    first = rate(mine, film, 4, "k1")
    again = rate(mine, film, 4, "k1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
    assert Interaction.objects.count() == 1
    assert again["Cache-Control"] == "private, no-store"


def test_without_a_key_each_request_is_an_act(mine):
    film = make_film("Heat")
    rate(mine, film, 4)
    rate(mine, film, 4)
    assert Interaction.objects.count() == 2
    assert not KeptAnswer.objects.exists()


def test_the_key_with_another_body_or_another_address_is_refused(mine):
    film, other = make_film("Heat"), make_film("Alien")
    rate(mine, film, 4, "k1")
    for answer in (rate(mine, film, 2, "k1"), rate(mine, other, 4, "k1")):
        assert (answer.status_code, code_of(answer)) == (422, "idempotency_key_reused")
    assert [float(row.stars) for row in Rating.objects.all()] == [4.0]


def test_a_refusal_is_an_answer_too(mine):
    film = make_film("Heat")
    first = rate(mine, film, 9, "k1")
    again = rate(mine, film, 9, "k1")
    assert (first.status_code, again.status_code) == (400, 400)
    assert first.content == again.content
    assert again["Idempotency-Replayed"] == "true"


def test_an_answer_without_a_body_is_kept(mine):
    url = f"/api/v1/me/ratings/{make_film('Heat').pk}/"
    first = mine.delete(url, headers={"Idempotency-Key": "k1"})
    again = mine.delete(url, headers={"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code, again.content) == (204, 204, b"")
    assert again["Idempotency-Replayed"] == "true"
    assert Interaction.objects.count() == 1


def test_keys_are_ones_own(mine):
    film = make_film("Heat")
    rate(mine, film, 4, "k1")
    eve = Client()
    eve.force_login(User.objects.create_user("eve@example.org", "a-long-password"))
    assert "Idempotency-Replayed" not in rate(eve, film, 2, "k1")
    assert Rating.objects.count() == 2


def test_a_visitor_has_keys_too(client, db):
    film, other = make_film("Heat"), make_film("Alien")
    rate(client, film, 4)  # becomes a visitor
    rate(client, other, 4, "k1")
    assert rate(client, other, 4, "k1")["Idempotency-Replayed"] == "true"
    assert Interaction.objects.count() == 2


def test_a_day_later_the_key_is_free(mine):
    film = make_film("Heat")
    rate(mine, film, 4, "k1")
    KeptAnswer.objects.update(created_at=timezone.now() - idempotency.KEPT_FOR)
    assert "Idempotency-Replayed" not in rate(mine, film, 2, "k1")
    assert float(Rating.objects.get().stars) == 2
    assert answers_sweep() == 0
    assert answers_sweep(now=timezone.now() + timedelta(hours=25)) == 1


@pytest.mark.parametrize("key", ["", "two words", "x" * 201])
def test_a_key_that_is_none_is_said(mine, key):
    url = f"/api/v1/me/ratings/{make_film('Heat').pk}/"
    headers = {"Idempotency-Key": key}
    answer = mine.put(url, {"stars": 4}, content_type=JSON, headers=headers)
    assert (answer.status_code, code_of(answer)) == (400, "invalid_idempotency_key")
    assert not Interaction.objects.exists()


def test_a_secret_is_not_kept(mine):
    body = {"name": "Shell", "scopes": ["read"]}
    headers = {"Idempotency-Key": "k1"}
    mine.post("/accounts/reauthenticate/", {"password": "a-long-password"})
    first = mine.post("/api/v1/me/tokens/", body, content_type=JSON, headers=headers).json()
    again = mine.post("/api/v1/me/tokens/", body, content_type=JSON, headers=headers).json()
    assert again == {**first, "token": None}
    assert first["token"] not in KeptAnswer.objects.get().body
    assert ApiToken.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_fault_of_ours_leaves_nothing_and_the_key_stays_free(monkeypatch):
    user = User.objects.create_user("ada@example.org", "a-long-password")
    client = Client(raise_request_exception=False)
    client.force_login(user)
    film = make_film("Heat")

    def broken(*_args, **_kwargs):
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "_rendered", broken)  # after the write, before its note
        assert rate(client, film, 4, "k1").status_code == 500
    assert not Rating.objects.exists()
    assert not KeptAnswer.objects.exists()
    assert rate(client, film, 4, "k1").status_code == 200
    assert Rating.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_meanwhile_the_same_key_waits_for_nobody():
    user = User.objects.create_user("ada@example.org", "a-long-password")
    client = Client()
    client.force_login(user)
    film = make_film("Heat")
    is_held, may_end = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            assert idempotency._lock(user, "k1")
            is_held.set()
            may_end.wait(10)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert is_held.wait(10)
    busy = rate(client, film, 4, "k1")
    may_end.set()
    thread.join()
    assert (busy.status_code, code_of(busy)) == (409, "in_progress")
    assert not Rating.objects.exists()
    assert rate(client, film, 4, "k1").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_are_one_act():
    user = User.objects.create_user("ada@example.org", "a-long-password")
    film = make_film("Heat")
    start = threading.Barrier(8)

    def send(_number):
        client = Client()
        client.force_login(user)
        start.wait(20)
        try:
            return rate(client, film, 4, "k1").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(send, range(8)))
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert Interaction.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_ratings_and_keys_agree_with_a_dictionary():
    """Any order of rating, clearing and repeating: what the API holds is what a dict would."""

    class Ratings(RuleBasedStateMachine):
        @initialize()
        def begin(self):
            self.client = Client()
            email = f"{uuid.uuid4().hex}@example.org"
            self.client.force_login(User.objects.create_user(email, "a-long-password"))
            self.films = [make_film(f"Film {i}") for i in range(3)]
            self.stars: dict[int, float] = {}
            self.sent: dict[str, tuple[int, float, int, bytes]] = {}

        @rule(film=st.integers(0, 2), halves=st.integers(0, 11), key=st.sampled_from("abc"))
        def rate(self, film, halves, key):
            movie, stars = self.films[film], halves / 2
            answer = rate(self.client, movie, stars, key)
            if key in self.sent:
                then_film, then_stars, status, body = self.sent[key]
                if (then_film, then_stars) == (film, stars):
                    assert (answer.status_code, answer.content) == (status, body)
                else:
                    assert answer.status_code == 422
                return
            assert answer.status_code == (200 if 1 <= halves <= 10 else 400)
            self.sent[key] = (film, stars, answer.status_code, answer.content)
            if answer.status_code == 200:
                self.stars[movie.pk] = stars

        @rule(film=st.integers(0, 2))
        def clear(self, film):
            movie = self.films[film]
            assert self.client.delete(f"/api/v1/me/ratings/{movie.pk}/").status_code == 204
            self.stars.pop(movie.pk, None)

        @invariant()
        def agrees(self):
            if not hasattr(self, "stars"):
                return
            rows = json.loads(self.client.get("/api/v1/me/ratings/").content)["results"]
            assert {row["movie_id"]: row["stars"] for row in rows} == self.stars

    checks = [HealthCheck.too_slow]
    Ratings.TestCase.settings = settings(
        max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=checks
    )
    Ratings.TestCase().runTest()
