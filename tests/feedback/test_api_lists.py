"""Verbs, watchlist, history, diary and lists over the API: the same services as the pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from feedback import journal
from feedback.models import DiaryEntry, FilmList, Interaction, Reaction, WatchlistEntry
from tests.worlds import make_film

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.org", "a-long-password")


@pytest.fixture
def mine(client, ada):
    client.force_login(ada)
    return client


@pytest.fixture
def eve():
    client = Client()
    client.force_login(User.objects.create_user("eve@example.org", "a-long-password"))
    return client


@pytest.fixture
def heat():
    return make_film("Heat", year=1995)


def put(client, path, **body):
    return client.put(f"/api/v1/{path}", body, content_type=JSON)


def post(client, path, **body):
    return client.post(f"/api/v1/{path}", body, content_type=JSON)


def ids(answer):
    return [row["movie"]["id"] for row in answer.json()["results"]]


class TestVerbs:
    def test_put_see_and_take_back(self, mine, heat):
        state = put(mine, f"me/reactions/{heat.pk}/like/").json()
        assert (state["is_liked"], state["is_disliked"], state["stars"]) == (True, False, None)
        state = put(mine, f"me/reactions/{heat.pk}/dislike/").json()
        assert (state["is_liked"], state["is_disliked"]) == (False, True)
        assert ids(mine.get("/api/v1/me/reactions/?kind=dislike")) == [heat.pk]
        assert ids(mine.get("/api/v1/me/reactions/?kind=like")) == []
        assert mine.delete(f"/api/v1/me/reactions/{heat.pk}/dislike/").status_code == 204
        assert mine.get(f"/api/v1/me/films/{heat.pk}/").json()["is_disliked"] is False
        assert not Reaction.objects.exists()

    def test_dont_learn_from_it_hides_nothing_and_is_listed(self, mine, heat):
        put(mine, f"me/ratings/{heat.pk}/", stars=5)
        assert put(mine, f"me/reactions/{heat.pk}/muted/").json()["is_muted"] is True
        assert ids(mine.get("/api/v1/me/reactions/?kind=muted")) == [heat.pk]
        assert ids(mine.get("/api/v1/me/hidden/")) == []

    @pytest.mark.parametrize("path", ["me/reactions/{}/loathe/", "me/reactions/999999/like/"])
    def test_what_there_is_not_is_404_and_changes_nothing(self, mine, heat, path):
        assert put(mine, path.format(heat.pk)).status_code == 404
        assert mine.get("/api/v1/me/reactions/?kind=loathe").status_code == 400
        assert not Interaction.objects.exists()

    def test_an_event_id_is_one_event(self, mine, heat):
        event = "6f1c9a52-6d1b-4d38-9d0c-0a2b7f1f1a11"
        put(mine, f"me/reactions/{heat.pk}/like/", event_id=event)
        put(mine, f"me/reactions/{heat.pk}/like/", event_id=event)
        answer = put(mine, f"me/reactions/{heat.pk}/never/", event_id=event)
        assert answer.status_code == 409
        answer = put(mine, f"me/watchlist/{heat.pk}/", event_id=event)
        assert answer.status_code == 409
        assert Interaction.objects.count() == 1

    def test_the_hidden_list_and_the_way_back(self, mine, ada, heat):
        alien = make_film("Alien")
        for kind in ("never", "not_tonight", "dislike"):
            put(mine, f"me/reactions/{heat.pk}/{kind}/")
        put(mine, f"me/reactions/{alien.pk}/seen/")
        assert set(ids(mine.get("/api/v1/me/hidden/"))) == {heat.pk}
        assert mine.delete(f"/api/v1/me/hidden/{heat.pk}/").status_code == 204
        assert ids(mine.get("/api/v1/me/hidden/")) == []
        assert mine.delete(f"/api/v1/me/hidden/{heat.pk}/").status_code == 204
        kinds = Reaction.objects.filter(user=ada).values_list("kind", flat=True)
        assert list(kinds) == [Reaction.Kind.SEEN]
        # as any other act: in the log, and lists know of it
        assert Interaction.objects.filter(kind=Interaction.Kind.UNREACT).count() == 3

    def test_not_tonight_leaves_the_hidden_list_by_itself(self, mine, heat):
        put(mine, f"me/reactions/{heat.pk}/not_tonight/")
        Reaction.objects.update(expires_at=timezone.now())
        assert ids(mine.get("/api/v1/me/hidden/")) == []


class TestWatchlist:
    def test_on_off_and_again(self, mine, heat):
        for _ in range(2):
            assert put(mine, f"me/watchlist/{heat.pk}/").status_code == 204
        assert ids(mine.get("/api/v1/me/watchlist/")) == [heat.pk]
        for _ in range(2):
            assert mine.delete(f"/api/v1/me/watchlist/{heat.pk}/").status_code == 204
        assert ids(mine.get("/api/v1/me/watchlist/")) == []

    def test_the_history_holds_what_was_taken_back(self, mine, heat):
        put(mine, f"me/watchlist/{heat.pk}/")
        mine.delete(f"/api/v1/me/watchlist/{heat.pk}/")
        put(mine, f"me/ratings/{heat.pk}/", stars=4.5)
        rows = mine.get("/api/v1/me/history/").json()["results"]
        said = [(row["kind"], row["value"]) for row in rows]
        assert said == [("rate", "4.5"), ("unwatchlist", ""), ("watchlist", "")]
        assert {row["surface"] for row in rows} == {"api"}


class TestDiary:
    def test_write_change_and_remove(self, mine, heat):
        day = str(timezone.now().date())
        first = post(mine, "me/diary/", movie_id=heat.pk, watched_on=day, note="Late")
        assert (first.status_code, first.json()["note"]) == (201, "Late")
        again = post(mine, "me/diary/", movie_id=heat.pk, watched_on=day, note="Very late")
        assert again.json()["id"] == first.json()["id"]
        assert [r["note"] for r in mine.get("/api/v1/me/diary/").json()["results"]] == ["Very late"]
        assert mine.get(f"/api/v1/me/films/{heat.pk}/").json()["is_seen"] is True
        assert mine.delete(f"/api/v1/me/diary/{first.json()['id']}/").status_code == 204
        assert not DiaryEntry.objects.exists()

    def test_a_day_to_come_is_refused(self, mine, heat):
        day = str(timezone.now().date() + timedelta(days=3))
        answer = post(mine, "me/diary/", movie_id=heat.pk, watched_on=day)
        assert list(answer.json()["error"]["fields"]) == ["watched_on"]
        assert not DiaryEntry.objects.exists()


class TestLists:
    def test_make_fill_order_note_share_and_delete(self, mine, client, heat):
        alien = make_film("Alien")
        made = post(mine, "me/lists/", name="Nights", note="Loud ones")
        assert made.status_code == 201
        url = made["Location"]
        pk = made.json()["id"]
        put(mine, f"me/lists/{pk}/films/{heat.pk}/")
        found = put(mine, f"me/lists/{pk}/films/{alien.pk}/", position=0, note="First").json()
        films = [(row["movie"]["title"], row["position"], row["note"]) for row in found["films"]]
        assert films == [("Alien", 0, "First"), ("Heat", 1, "")]
        again = put(mine, f"me/lists/{pk}/films/{alien.pk}/").json()  # nothing sent: it stays
        assert again["films"] == found["films"]
        changed = mine.patch(url, {"name": "Late"}, content_type=JSON).json()
        assert (changed["name"], changed["note"], changed["n_films"]) == ("Late", "Loud ones", 2)
        key = put(mine, f"me/lists/{pk}/share/").json()["key"]
        shared = Client().get(f"/api/v1/shared-lists/{key}/").json()
        assert set(shared) == {"name", "note", "films"}
        assert len(shared["films"]) == 2
        assert mine.delete(f"/api/v1/me/lists/{pk}/share/").status_code == 204
        assert Client().get(f"/api/v1/shared-lists/{key}/").status_code == 404
        assert mine.delete(f"/api/v1/me/lists/{pk}/films/{heat.pk}/").status_code == 204
        assert mine.get("/api/v1/me/lists/").json()["results"][0]["n_films"] == 1
        assert mine.delete(url).status_code == 204
        assert not FilmList.objects.exists()

    def test_one_list_too_many_is_said(self, mine, monkeypatch):
        monkeypatch.setattr(journal, "MAX_LISTS", 1)
        post(mine, "me/lists/", name="One")
        answer = post(mine, "me/lists/", name="Two")
        assert "Delete one first" in answer.json()["error"]["fields"]["name"][0]
        assert FilmList.objects.count() == 1


def test_another_persons_things_are_404_and_stay(mine, eve, ada, heat):
    pk = post(mine, "me/lists/", name="Nights").json()["id"]
    put(mine, f"me/lists/{pk}/films/{heat.pk}/")
    day = str(timezone.now().date())
    entry = post(mine, "me/diary/", movie_id=heat.pk, watched_on=day).json()["id"]
    put(mine, f"me/watchlist/{heat.pk}/")
    put(mine, f"me/reactions/{heat.pk}/never/")
    for client in (eve, Client()):
        assert client.get(f"/api/v1/me/lists/{pk}/").status_code in {401, 404}
        for method, path in [
            ("patch", f"me/lists/{pk}/"),
            ("delete", f"me/lists/{pk}/"),
            ("put", f"me/lists/{pk}/share/"),
            ("delete", f"me/lists/{pk}/share/"),
            ("put", f"me/lists/{pk}/films/{heat.pk}/"),
            ("delete", f"me/lists/{pk}/films/{heat.pk}/"),
            ("delete", f"me/diary/{entry}/"),
        ]:
            answer = getattr(client, method)(f"/api/v1/{path}", {}, content_type=JSON)
            assert answer.status_code in {401, 404}, (method, path)
        client.delete(f"/api/v1/me/watchlist/{heat.pk}/")
        client.delete(f"/api/v1/me/hidden/{heat.pk}/")
        client.delete(f"/api/v1/me/reactions/{heat.pk}/never/")
    found = FilmList.objects.get()
    assert (found.name, found.share_key, found.items.count()) == ("Nights", None, 1)
    assert DiaryEntry.objects.count() == 1
    assert WatchlistEntry.objects.filter(user=ada).exists()
    assert Reaction.objects.filter(user=ada, kind="never").exists()


# The session and its account, then: a page of rows and their films' genres.
BUDGETS = {
    "me/ratings/": 3,
    "me/reactions/": 4,
    "me/hidden/": 4,
    "me/watchlist/": 4,
    "me/history/": 4,
    "me/diary/": 4,
    "me/lists/": 3,
    "me/lists/{list}/": 5,
    "me/films/{film}/": 6,
}


@pytest.mark.parametrize("path", BUDGETS)
def test_a_list_costs_the_same_whatever_its_length(
    mine, ada, heat, path, django_assert_num_queries
):
    made = journal.list_create(user=ada, name="Nights")
    url = f"/api/v1/{path.format(list=made.pk, film=heat.pk)}"
    for n in (1, 5):
        for film in [make_film(f"Film {n} {i}") for i in range(n)]:
            put(mine, f"me/ratings/{film.pk}/", stars=4)
            put(mine, f"me/reactions/{film.pk}/never/")
            put(mine, f"me/watchlist/{film.pk}/")
            post(mine, "me/diary/", movie_id=film.pk, watched_on="2024-01-01")
            put(mine, f"me/lists/{made.pk}/films/{film.pk}/")
        with django_assert_num_queries(BUDGETS[path]):
            assert mine.get(url).status_code == 200
