"""Feedback through pages: fragments, redirects, refusals."""

from __future__ import annotations

import uuid

import pytest

from accounts.models import User
from feedback.models import Interaction, Rating, Reaction, WatchlistEntry
from tests.worlds import make_film

pytestmark = pytest.mark.django_db


@pytest.fixture
def movie():
    return make_film("Heat", year=1995)


@pytest.fixture
def user():
    return User.objects.create_user("ada@example.org", "a-long-password")


@pytest.fixture
def mine(client, user):
    client.force_login(user)
    return client


def htmx(target):
    return {"HX-Request": "true", "HX-Target": target}


def test_without_javascript_a_rating_leads_back_to_the_page(mine, movie):
    answer = mine.post(f"/films/{movie.pk}/rate/", {"stars": "4.5", "next": "/browse/?page=2"})
    assert (answer.status_code, answer["Location"]) == (302, "/browse/?page=2")
    assert str(Rating.objects.get().stars) == "4.5"


@pytest.mark.parametrize(
    "evil", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_nobody_is_sent_to_another_site(mine, movie, evil):
    answer = mine.post(f"/films/{movie.pk}/rate/", {"stars": "4", "next": evil})
    assert answer["Location"] == f"/films/{movie.pk}/"


def test_htmx_gets_the_widget_that_asked_and_a_way_back(mine, movie):
    event = str(uuid.uuid4())
    url = f"/films/{movie.pk}/rate/"
    answer = mine.post(
        url,
        {"stars": "4.5", "event_id": event, "surface": "film"},
        headers=htmx(f"film-actions-{movie.pk}"),
    )
    html = answer.content.decode()
    assert answer["HX-Trigger"] == "feedback:recorded"
    assert f'id="film-actions-{movie.pk}"' in html
    assert 'hx-swap-oob="beforeend"' in html
    assert f'hx-post="{url}"' in html
    again = mine.post(
        url, {"stars": "4.5", "event_id": event}, headers=htmx(f"film-actions-{movie.pk}")
    )
    assert again.status_code == 200
    assert "hx-swap-oob" not in again.content.decode()
    assert Interaction.objects.count() == 1


def test_undoing_a_second_rating_brings_back_the_first(mine, movie):
    mine.post(f"/films/{movie.pk}/rate/", {"stars": "2"})
    html = mine.post(
        f"/films/{movie.pk}/rate/", {"stars": "5"}, headers=htmx(f"film-actions-{movie.pk}")
    ).content.decode()
    assert '<input type="hidden" name="stars" value="2.0">' in html
    mine.post(f"/films/{movie.pk}/rate/", {"stars": "2.0", "surface": "undo"})
    assert str(Rating.objects.get().stars) == "2.0"


def test_undoing_a_like_that_replaced_a_dislike_brings_the_dislike_back(mine, movie):
    url = f"/films/{movie.pk}/react/"
    mine.post(url, {"kind": "dislike", "on": "1"})
    html = mine.post(
        url, {"kind": "like", "on": "1"}, headers=htmx(f"card-actions-{movie.pk}")
    ).content.decode()
    assert f'id="card-actions-{movie.pk}"' in html
    assert '<input type="hidden" name="kind" value="dislike">' in html


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("rate", {"stars": "4.3"}),
        ("rate", {"stars": "six"}),
        ("rate", {"stars": "4", "event_id": "not-a-uuid"}),
        ("rate", {"stars": "4", "position": "-1"}),
        ("react", {"kind": "adore", "on": "1"}),
        ("react", {"on": "1"}),
        ("react", {"kind": "like", "on": "maybe"}),
        ("watchlist", {"on": "2"}),
    ],
)
def test_rubbish_is_refused_with_a_sentence_and_changes_nothing(mine, movie, path, data):
    answer = mine.post(f"/films/{movie.pk}/{path}/", data)
    assert answer.status_code == 400
    assert answer.content.strip()
    assert not Interaction.objects.exists()
    assert not Rating.objects.exists()
    assert not Reaction.objects.exists()


def test_getting_changes_nothing(mine, movie):
    for path in ("rate", "react", "watchlist"):
        assert mine.get(f"/films/{movie.pk}/{path}/").status_code == 405
    assert not Interaction.objects.exists()


def test_a_hidden_film_cannot_be_rated(mine, movie):
    type(movie).objects.update(is_hidden=True)
    assert mine.post(f"/films/{movie.pk}/rate/", {"stars": "4"}).status_code == 404


def test_my_lists_show_mine_and_nobody_elses(mine, client, user, movie):
    other = User.objects.create_user("eve@example.org", "a-long-password")
    theirs = make_film("Ronin", year=1998)
    for who, film in ((user, movie), (other, theirs)):
        Rating.objects.create(user=who, movie=film, stars="4.0")
        Reaction.objects.create(user=who, movie=film, kind="never")
        WatchlistEntry.objects.create(user=who, movie=film)
    for path in ("/ratings/", "/hidden/", "/watchlist/"):
        html = mine.get(path).content.decode()
        assert "Heat" in html
        assert "Ronin" not in html


@pytest.mark.parametrize("path", ["/ratings/", "/hidden/", "/watchlist/"])
def test_lists_cost_the_same_for_one_film_and_for_thirty(
    mine, user, path, django_assert_num_queries
):
    films = [make_film(f"Film {i}") for i in range(30)]

    def add(some):
        for film in some:
            Rating.objects.create(user=user, movie=film, stars="4.0")
            Reaction.objects.create(user=user, movie=film, kind="never")
            WatchlistEntry.objects.create(user=user, movie=film)

    add(films[:1])
    # session, user, count, rows with their films, genres
    with django_assert_num_queries(5):
        mine.get(path)
    add(films[1:])
    with django_assert_num_queries(5):
        mine.get(path)


@pytest.mark.parametrize("path", ["/ratings/", "/hidden/", "/watchlist/"])
def test_empty_lists_say_what_to_do(mine, path):
    answer = mine.get(path)
    assert answer.status_code == 200
    assert 'class="empty' in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("act", "data"),
    [
        ("rate", {"stars": "4.5"}),
        ("react", {"kind": "never", "on": "1"}),
        ("watchlist", {"on": "1"}),
    ],
)
def test_the_next_page_says_what_was_done_and_how_to_take_it_back(mine, movie, act, data):
    mine.post(f"/films/{movie.pk}/{act}/", {**data, "next": "/browse/"})
    html = mine.get("/browse/").content.decode()
    said = html[html.index('class="messages"') : html.index("</ul>", html.index("messages"))]
    assert "Heat" in said
    assert f'action="/films/{movie.pk}/{act}/"' in said
    assert '<input type="hidden" name="next" value="/browse/">' in said
    assert "hx-post" not in said  # the page comes anew, with what it shows
    assert 'class="messages"' not in mine.get("/browse/").content.decode()  # said once


@pytest.mark.parametrize(
    ("act", "data", "target"),
    [
        ("rate", {"stars": ""}, "ledger-ratings"),
        ("watchlist", {"on": "0"}, "ledger-watchlist"),
        ("react", {"kind": "dislike", "on": "0"}, "ledger-dislike"),
    ],
)
def test_a_row_that_leaves_its_list_offers_the_way_back(mine, user, movie, act, data, target):
    Rating.objects.create(user=user, movie=movie, stars="4.0")
    WatchlistEntry.objects.create(user=user, movie=movie)
    for kind in ("dislike", "never"):
        Reaction.objects.create(user=user, movie=movie, kind=kind)
    row_id = f"{target}-{movie.pk}"
    url = f"/films/{movie.pk}/{act}/"
    html = mine.post(url, data, headers=htmx(row_id)).content.decode()
    assert f'<li id="{row_id}" class="is-gone">' in html
    assert 'hx-swap-oob="beforeend"' in html
    assert Reaction.objects.filter(kind="never").exists()  # another row, another matter
    way_back = {"rate": {"stars": "4.0"}, "watchlist": {"on": "1"}}.get(act, {**data, "on": "1"})
    for name, value in way_back.items():
        assert f'<input type="hidden" name="{name}" value="{value}">' in html
    again = mine.post(url, way_back, headers=htmx(row_id)).content.decode()
    assert f'<li id="{row_id}">' in again
