"""Diary and lists: one's own, in one's own order, nobody else's business unless shared."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from feedback import journal
from feedback.merging import visitor_merge
from feedback.models import DiaryEntry, FilmList, ListItem, Rating, Reaction, WatchlistEntry
from feedback.selectors import feedback_of
from feedback.services import FeedbackError
from tests.worlds import make_film

pytestmark = pytest.mark.django_db


@pytest.fixture
def heat():
    return make_film("Heat", year=1995)


@pytest.fixture
def ronin():
    return make_film("Ronin", year=1998)


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


def names(film_list):
    return [item.movie.title for item in film_list.items.select_related("movie")]


def write(client, movie, day, **more):
    return client.post(f"/films/{movie.pk}/diary/", {"watched_on": day, **more})


def test_a_viewing_is_written_down_and_the_film_counts_as_seen(mine, ada, heat):
    answer = write(mine, heat, "2024-05-01", note=" slow and perfect ")
    assert (answer.status_code, answer["Location"]) == (302, f"/films/{heat.pk}/journal/")
    entry = DiaryEntry.objects.get()
    assert (entry.user, entry.watched_on, entry.is_rewatch) == (ada, date(2024, 5, 1), False)
    assert entry.note == "slow and perfect"
    ada.refresh_from_db()
    assert heat.pk in feedback_of(ada).hidden_ids
    html = mine.get("/diary/").content.decode()
    assert "May 2024" in html
    assert "slow and perfect" in html


def test_a_later_viewing_is_a_rewatch_and_the_same_day_changes_the_entry(mine, heat):
    write(mine, heat, "2024-05-01")
    write(mine, heat, "2024-06-01", note="first note")
    write(mine, heat, "2024-06-01", note="second note")
    write(mine, heat, "2023-01-01", is_rewatch="on")
    found = DiaryEntry.objects.order_by("watched_on").values_list("is_rewatch", "note")
    assert list(found) == [(True, ""), (False, ""), (True, "second note")]
    assert Reaction.objects.filter(kind="seen").count() == 1


def test_a_rated_film_is_known_already(ada, heat):
    Rating.objects.create(user=ada, movie=heat, stars="4.0")
    journal.diary_add(user=ada, movie=heat, watched_on=date(2024, 1, 1))
    assert not Reaction.objects.exists()


@pytest.mark.parametrize("day", ["", "yesterday", "2024-13-01", "2999-01-01"])
def test_a_day_that_is_none_or_has_not_come_is_refused_with_a_sentence(mine, heat, day):
    answer = write(mine, heat, day)
    assert answer.status_code == 422
    assert 'class="errors"' in answer.content.decode()
    assert not DiaryEntry.objects.exists()
    assert not Reaction.objects.exists()


def test_tomorrow_is_today_somewhere(ada, heat):
    tomorrow = timezone.now().date() + timedelta(days=1)
    assert journal.diary_add(user=ada, movie=heat, watched_on=tomorrow).pk
    with pytest.raises(FeedbackError):
        journal.diary_add(user=ada, movie=heat, watched_on=tomorrow + timedelta(days=1))


def test_a_visitor_has_a_diary_and_lists_and_keeps_them(client, ada, heat):
    write(client, heat, "2024-05-01", note="theirs")
    client.post("/lists/new/", {"name": "Heists", "movie": heat.pk})
    visitor = User.objects.get(is_visitor=True)
    journal.diary_add(user=ada, movie=heat, watched_on=date(2024, 5, 1), note="mine")
    visitor_merge(visitor=visitor, account=ada)
    assert DiaryEntry.objects.get().note == "mine\ntheirs"
    assert names(FilmList.objects.get(user=ada)) == ["Heat"]


def test_a_list_is_made_named_filled_ordered_noted_and_deleted(mine, ada, heat, ronin):
    third = make_film("Thief", year=1981)
    answer = mine.post("/lists/new/", {"name": " Heists ", "note": "Men at work"})
    made = FilmList.objects.get()
    assert answer["Location"] == f"/lists/{made.pk}/"
    assert (made.name, made.user, made.share_key) == ("Heists", ada, None)
    url = f"/lists/{made.pk}/films"
    for film in (heat, ronin, third, heat):
        mine.post(f"{url}/{film.pk}/", {"do": "in"})
    assert names(made) == ["Heat", "Ronin", "Thief"]
    mine.post(f"{url}/{third.pk}/", {"do": "up"})
    mine.post(f"{url}/{third.pk}/", {"do": "up"})
    mine.post(f"{url}/{third.pk}/", {"do": "up"})  # the first stays the first
    mine.post(f"{url}/{heat.pk}/", {"do": "down"})
    assert names(made) == ["Thief", "Ronin", "Heat"]
    mine.post(f"{url}/{ronin.pk}/", {"do": "out"})
    mine.post(f"{url}/{heat.pk}/", {"do": "note", "note": "again and again"})
    assert names(made) == ["Thief", "Heat"]
    html = mine.get(f"/lists/{made.pk}/").content.decode()
    assert "again and again" in html
    assert "Men at work" in html
    mine.post(f"/lists/{made.pk}/change/", {"name": "Robberies", "note": ""})
    assert "Robberies" in mine.get("/lists/").content.decode()
    mine.post(f"/lists/{made.pk}/delete/")
    assert not FilmList.objects.exists()
    assert not ListItem.objects.exists()


@pytest.mark.parametrize("data", [{"name": ""}, {"name": "x" * 81}])
def test_a_list_without_a_fitting_name_is_not_made(mine, data):
    assert mine.post("/lists/new/", data).status_code == 422
    assert not FilmList.objects.exists()


def test_an_act_that_is_none_is_refused(mine, ada, heat):
    made = journal.list_create(user=ada, name="Heists")
    answer = mine.post(f"/lists/{made.pk}/films/{heat.pk}/", {"do": "explode"})
    assert answer.status_code == 400
    assert not ListItem.objects.exists()


def test_another_persons_entries_and_lists_are_404(ada, eve, heat):
    entry = journal.diary_add(user=ada, movie=heat, watched_on=date(2024, 5, 1))
    made = journal.list_create(user=ada, name="Heists")
    journal.list_put(film_list=made, movie=heat, is_in=True)
    for stranger in (eve, Client()):
        assert stranger.post(f"/diary/{entry.pk}/remove/").status_code == 404
        assert stranger.get(f"/lists/{made.pk}/").status_code == 404
        for act in ("change", "share", "delete"):
            answer = stranger.post(f"/lists/{made.pk}/{act}/", {"name": "Mine now", "on": "1"})
            assert answer.status_code == 404
        answer = stranger.post(f"/lists/{made.pk}/films/{heat.pk}/", {"do": "out"})
        assert answer.status_code == 404
        for path in ("/diary/", "/lists/", f"/films/{heat.pk}/journal/"):
            html = stranger.get(path).content.decode()
            assert "Heists" not in html
            assert "1 May 2024" not in html
    made.refresh_from_db()
    assert (made.name, made.share_key, names(made)) == ("Heists", None, ["Heat"])


def test_sharing_is_off_until_it_is_on_and_a_new_address_each_time(mine, ada, heat):
    made = journal.list_create(user=ada, name="Heists")
    journal.list_put(film_list=made, movie=heat, is_in=True)
    reader = Client()
    assert reader.get("/shared/None/").status_code == 404
    mine.post(f"/lists/{made.pk}/share/", {"on": "1"})
    made.refresh_from_db()
    first = f"/shared/{made.share_key}/"
    answer = reader.get(first)
    html = answer.content.decode()
    assert "Heat" in html
    assert "ada" not in html
    assert answer["X-Robots-Tag"] == "noindex"
    mine.post(f"/lists/{made.pk}/share/", {"on": "0"})
    assert reader.get(first).status_code == 404
    mine.post(f"/lists/{made.pk}/share/", {"on": "1"})
    assert reader.get(first).status_code == 404


def test_getting_changes_nothing(mine, ada, heat):
    made = journal.list_create(user=ada, name="Heists")
    paths = [f"/lists/{made.pk}/{act}/" for act in ("change", "share", "delete")]
    for path in (*paths, "/lists/new/", f"/films/{heat.pk}/diary/"):
        assert mine.get(path).status_code == 405
    assert FilmList.objects.count() == 1


def test_htmx_gets_the_part_of_the_film_page_again(mine, ada, heat):
    made = journal.list_create(user=ada, name="Heists")
    headers = {"HX-Request": "true"}
    html = mine.post(
        f"/lists/{made.pk}/films/{heat.pk}/", {"do": "in"}, headers=headers
    ).content.decode()
    assert html.lstrip().startswith(f'<div class="journal" id="journal-{heat.pk}"')
    assert 'aria-pressed="true">Heists' in html


@pytest.mark.parametrize(
    ("sort", "titles"),
    [
        ("newest", ["Ronin", "Heat"]),
        ("oldest", ["Heat", "Ronin"]),
        ("title", ["Heat", "Ronin"]),
        ("year", ["Ronin", "Heat"]),
        ("stars", ["Heat", "Ronin"]),
        ("'; drop", ["Ronin", "Heat"]),
    ],
)
def test_my_films_in_the_order_i_ask_for(mine, ada, heat, ronin, sort, titles):
    for days, (film, stars) in enumerate(((ronin, "3.0"), (heat, "5.0"))):
        when = timezone.now() - timedelta(days=days)
        Rating.objects.create(user=ada, movie=film, stars=stars, updated_at=when)
    page = mine.get("/ratings/", {"sort": sort}).context["page_obj"]
    assert [row.movie.title for row in page] == titles


@pytest.mark.parametrize("path", ["/diary/", "/lists/", "/lists/{list}/", "/films/{film}/journal/"])
def test_pages_cost_the_same_for_one_film_and_for_twenty(
    mine, ada, heat, path, django_assert_num_queries
):
    made = journal.list_create(user=ada, name="Heists")
    url = path.format(list=made.pk, film=heat.pk)
    # session, user · and the page's own: films and genres; lists; viewings, lists, places
    budget = {"/diary/": 5, "/lists/": 3, "/lists/{list}/": 5, "/films/{film}/journal/": 6}[path]
    for n in (1, 19):
        for i in range(n):
            film = make_film(f"Film {n}-{i}")
            journal.list_put(film_list=made, movie=film, is_in=True)
            journal.diary_add(user=ada, movie=film, watched_on=date(2024, 1, 1))
        with django_assert_num_queries(budget):
            assert mine.get(url).status_code == 200


def test_the_watchlist_draws_one_of_its_own(mine, ada, heat, ronin):
    assert mine.get("/surprise/?from=watchlist")["Location"] == "/watchlist/"
    WatchlistEntry.objects.create(user=ada, movie=heat)
    assert mine.get("/surprise/?from=watchlist")["Location"] == f"/films/{heat.pk}/"
