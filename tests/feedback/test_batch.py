"""``POST /api/v1/feedback``: many events at once, each for itself, each once."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from accounts.models import User
from feedback.models import Interaction, Rating, Reaction, WatchlistEntry
from feedback.selectors import last_answers, passed_movie_ids
from tests.worlds import make_film

pytestmark = pytest.mark.django_db


@pytest.fixture
def films():
    return [make_film(f"Film {i}") for i in range(6)]


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.org", "a-long-password")


@pytest.fixture
def mine(client, ada):
    client.force_login(ada)
    return client


def event(film, verb, **more):
    return {"event_id": str(uuid.uuid4()), "movie_id": film.pk, "verb": verb, **more}


def send(client, *events):
    return client.post("/api/v1/feedback/", {"events": events}, content_type="application/json")


def statuses(answer):
    return [result["status"] for result in answer.json()["results"]]


def test_every_verb_does_what_its_name_says(mine, ada, films):
    answer = send(
        mine,
        event(films[0], "like"),
        event(films[1], "dislike"),
        event(films[2], "watchlist"),
        event(films[3], "never"),
        event(films[4], "not_seen", surface="swipe"),
        event(films[5], "rate", stars=4.5),
    )
    assert answer.status_code == 200
    assert statuses(answer) == ["recorded"] * 6
    body = answer.json()
    assert (body["recorded"], body["repeated"], body["refused"]) == (6, 0, 0)
    kinds = dict(Reaction.objects.filter(user=ada).values_list("movie_id", "kind"))
    assert kinds == {films[0].pk: "like", films[1].pk: "dislike", films[3].pk: "never"}
    assert WatchlistEntry.objects.get().movie_id == films[2].pk
    assert float(Rating.objects.get().stars) == 4.5
    assert passed_movie_ids(ada) == {films[4].pk}
    assert Interaction.objects.get(kind="pass").surface == "swipe"
    ada.refresh_from_db()
    assert ada.feedback_generation == 6


def test_off_takes_each_of_them_back(mine, ada, films):
    verbs = ["like", "dislike", "watchlist", "never", "not_seen"]
    send(mine, *(event(film, verb) for film, verb in zip(films, verbs, strict=False)))
    send(mine, event(films[5], "rate", stars=3))
    offs = [event(film, verb, on=False) for film, verb in zip(films, verbs, strict=False)]
    answer = send(mine, *offs, event(films[5], "rate"))
    assert statuses(answer) == ["recorded"] * 6
    assert answer.json()["results"][5]["previous"] == "3.0"
    assert not Reaction.objects.exists()
    assert not WatchlistEntry.objects.exists()
    assert not Rating.objects.exists()
    assert passed_movie_ids(ada) == frozenset()
    assert last_answers(ada, surface="api", n=10) == []


def test_sent_twice_counts_once_in_one_batch_and_in_two(mine, films):
    like = event(films[0], "like")
    assert statuses(send(mine, like, like)) == ["recorded", "repeated"]
    assert statuses(send(mine, like)) == ["repeated"]
    assert Interaction.objects.count() == 1


def test_a_bad_event_is_refused_and_the_others_are_kept(mine, films):
    used = event(films[0], "like")
    send(mine, used)
    answer = send(
        mine,
        event(films[1], "like"),
        {**used, "verb": "dislike"},
        {"event_id": str(uuid.uuid4()), "movie_id": 999_999, "verb": "like"},
        event(films[2], "adore"),
        event(films[2], "rate", stars=4.2),
        "nonsense",
        event(films[3], "watchlist"),
    )
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [(r["status"], r["code"]) for r in results] == [
        ("recorded", ""),
        ("refused", "conflict"),
        ("refused", "not_found"),
        ("refused", "invalid"),
        ("refused", "invalid"),
        ("refused", "invalid"),
        ("recorded", ""),
    ]
    assert all(r["message"] for r in results if r["status"] == "refused")
    assert "verb" in results[3]["message"]
    assert results[5]["event_id"] is None
    assert Reaction.objects.get(movie=films[0]).kind == "like"
    assert Interaction.objects.count() == 3


def test_a_hidden_film_takes_no_feedback(mine, films):
    films[0].is_hidden = True
    films[0].save(update_fields=["is_hidden"])
    assert send(mine, event(films[0], "like")).json()["results"][0]["code"] == "not_found"
    assert not Interaction.objects.exists()


@pytest.mark.parametrize("n", [0, 201])
def test_a_batch_has_one_to_two_hundred_events(mine, films, n):
    answer = send(mine, *(event(films[0], "not_seen") for _ in range(n)))
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["events"]
    assert not Interaction.objects.exists()


def test_two_hundred_events_are_taken(mine, films):
    answer = send(mine, *(event(films[i % 6], "not_seen") for i in range(200)))
    assert answer.json()["recorded"] == 200
    assert Interaction.objects.count() == 200


def test_who_was_nobody_becomes_one_visitor_by_the_first_batch(films):
    client = Client(enforce_csrf_checks=True)
    client.get("/about/")
    token = client.cookies["csrftoken"].value
    for film in films[:2]:
        answer = client.post(
            "/api/v1/feedback/",
            {"events": [event(film, "like")]},
            content_type="application/json",
            headers={"X-CSRFToken": token},
        )
        assert statuses(answer) == ["recorded"]
    visitor = User.objects.get()
    assert visitor.is_visitor
    assert Reaction.objects.filter(user=visitor).count() == 2


def test_nobody_becomes_a_visitor_without_the_token_or_by_nonsense(films):
    client = Client(enforce_csrf_checks=True)
    client.get("/about/")
    assert send(client, event(films[0], "like")).status_code in {401, 403}
    token = client.cookies["csrftoken"].value
    answer = client.post(
        "/api/v1/feedback/",
        {"events": [{"verb": "like"}]},
        content_type="application/json",
        headers={"X-CSRFToken": token},
    )
    assert statuses(answer) == ["refused"]
    assert not User.objects.exists()


def test_the_last_answers_are_those_that_still_hold(mine, ada, films):
    send(mine, *(event(film, "like", surface="swipe") for film in films[:4]))
    send(mine, event(films[0], "like", on=False, surface="swipe"))
    send(mine, event(films[1], "rate", stars=2, surface="film"))
    last = last_answers(ada, surface="swipe", n=10)
    assert [(answer.movie_id, answer.verb) for answer in last] == [
        (films[3].pk, "like"),
        (films[2].pk, "like"),
    ]
    assert last[0].title == "Film 3"
