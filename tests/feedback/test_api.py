"""``/api/v1/me/ratings``."""

from __future__ import annotations

import uuid

import pytest

from accounts.models import User
from feedback.models import Interaction, Rating
from tests.worlds import make_film

pytestmark = pytest.mark.django_db


@pytest.fixture
def movie():
    return make_film("Heat", year=1995)


@pytest.fixture
def mine(client):
    client.force_login(User.objects.create_user("ada@example.org", "a-long-password"))
    return client


def put(client, movie, **body):
    return client.put(f"/api/v1/me/ratings/{movie.pk}/", body, content_type="application/json")


def test_set_read_and_clear(mine, movie):
    url = f"/api/v1/me/ratings/{movie.pk}/"
    assert mine.get(url).status_code == 404
    assert put(mine, movie, stars=4.5).json()["stars"] == 4.5
    body = mine.get(url).json()
    assert (body["movie_id"], body["title"], body["year"]) == (movie.pk, "Heat", 1995)
    assert mine.delete(url).status_code == 204
    assert mine.delete(url).status_code == 204
    assert mine.get(url).status_code == 404


def test_the_same_event_twice_counts_once_and_another_body_is_a_conflict(mine, movie):
    event = str(uuid.uuid4())
    assert put(mine, movie, stars=4, event_id=event).status_code == 200
    assert put(mine, movie, stars=4, event_id=event).status_code == 200
    conflict = put(mine, movie, stars=1, event_id=event)
    assert (conflict.status_code, conflict.json()["error"]["code"]) == (409, "conflict")
    assert Interaction.objects.count() == 1
    assert float(Rating.objects.get().stars) == 4


@pytest.mark.parametrize("body", [{}, {"stars": 0}, {"stars": 4.2}, {"stars": 9}, {"stars": "x"}])
def test_wrong_stars_are_named_and_change_nothing(mine, movie, body):
    answer = put(mine, movie, **body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "invalid"
    assert list(error["fields"]) == ["stars"]
    assert not Interaction.objects.exists()


def test_pages_by_cursor_lose_and_repeat_nothing_while_rows_are_added(mine):
    films = [make_film(f"Film {i}") for i in range(7)]
    for film in films[:5]:
        put(mine, film, stars=4)
    first = mine.get("/api/v1/me/ratings/?page_size=2").json()
    put(mine, films[5], stars=4)
    seen = [row["movie_id"] for row in first["results"]]
    url = first["next"]
    while url:
        page = mine.get(url).json()
        seen += [row["movie_id"] for row in page["results"]]
        url = page["next"]
    assert sorted(seen) == sorted(film.pk for film in films[:5])


def test_only_ones_own(client, mine, movie):
    put(mine, movie, stars=4)
    client.logout()
    assert client.get("/api/v1/me/ratings/").status_code == 401
    client.force_login(User.objects.create_user("eve@example.org", "a-long-password"))
    assert client.get("/api/v1/me/ratings/").json()["results"] == []
    assert client.get(f"/api/v1/me/ratings/{movie.pk}/").status_code == 404


def test_an_unknown_film_is_404_in_the_one_error_shape(mine):
    answer = mine.put("/api/v1/me/ratings/999999/", {"stars": 4}, content_type="application/json")
    assert answer.status_code == 404
    assert answer.json() == {"error": {"code": "not_found", "message": "Not found.", "fields": {}}}
