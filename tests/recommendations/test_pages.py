"""Home, For you and similar films: never empty, never twice, at a fixed price."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from accounts.models import User
from catalog.models import Movie
from catalog.shelf import forget_shelf, look_for_changes
from feedback import services
from feedback.events import EventContext
from feedback.models import Rating, Slate
from recommendations.experiments.serving import keep_watched as experiments_watched
from recommendations.experiments.serving import look_for_experiment
from recommendations.services.inference import recommendations_refresh
from recommendations.snapshot import keep_watched, look_for_snapshot


@pytest.fixture
def person(db):
    return User.objects.create_user("ada@example.org", "a-long-password")


def rate(user, movie, stars):
    services.rating_set(user=user, movie=movie, stars=Decimal(stars), event=EventContext())


def films_of(html):
    return [int(pk) for pk in re.findall(r'data-movie="(\d+)"', html)]


def test_an_empty_catalogue_is_a_page_with_a_sentence(client, db):
    answer = client.get("/")
    assert answer.status_code == 200
    assert "The catalogue is empty" in answer.content.decode()


def test_a_visitor_sees_rows_without_a_film_twice(trained, client):
    html = client.get("/").content.decode()
    hero = [card.movie.pk for card in client.get("/").context["hero_cards"]]
    shown = [*hero, *films_of(html)]
    assert len(hero) == 3
    assert len(shown) == len(set(shown)) >= 15
    assert "What people here watch" in html
    assert not Slate.objects.exists()


def test_a_person_sees_their_own_rows_with_the_reason_in_the_title(trained, client, person):
    rate(person, trained.films[0][0], "5")
    rate(person, trained.films[1][0], "4.5")
    client.force_login(person)
    answer = client.get("/")
    html = answer.content.decode()
    shown = films_of(html)
    assert len(shown) == len(set(shown))
    assert "Because you gave <em>Crime Film 0</em> 5 stars" in html
    rated = {trained.films[0][0].pk, trained.films[1][0].pk}
    assert not rated & set(shown)
    mine = next(row for row in answer.context["rows"] if row.slug == "for-you")
    slate = Slate.objects.get()
    logged = list(slate.impressions.order_by("position").values_list("movie_id", flat=True))
    hero = answer.context["hero_cards"]
    assert logged == [card.movie.pk for card in (*hero, *mine.cards)]


@pytest.fixture
def as_web():
    """As in a web process, where threads keep the model and the catalogue (config.wsgi)."""

    def start() -> None:
        look_for_snapshot()
        keep_watched(True)
        look_for_experiment()
        experiments_watched(True)
        look_for_changes()

    yield start
    keep_watched(False)
    experiments_watched(False)
    forget_shelf()


WEB_BUDGETS = {
    # session, user · feedback · standing (settings, hidden films, last visit, stored list) · most
    # ratings, popular, loved, short, newest, old, trending · titles of loved films · editors'
    # picks · savepoint, slate, release · states: ratings, reactions, watchlist
    "/": 20,
    # session, user · feedback · standing · model of the stars · what is trending · savepoint,
    # slate, release · states: three
    "/for-you/": 12,
    # session, user · standing · feedback · savepoint, slate, release
    "/api/v1/me/recommendations/": 7,
}
# Elsewhere the active model and the running experiment are looked up, and films are read: facts
# (again for the list without the latest likes) · films, genres, titles · whether the audience is
# simulated.
BUDGETS = {"/": 28, "/for-you/": 23, "/api/v1/me/recommendations/": 13}


@pytest.mark.parametrize("is_web", [True, False])
def test_pages_cost_the_same_whatever_the_history(
    trained, client, person, django_assert_num_queries, as_web, is_web
):
    rate(person, trained.films[0][0], "5")
    rate(person, trained.films[0][1], "5")
    client.force_login(person)
    budgets = BUDGETS
    if is_web:
        as_web()
        budgets = WEB_BUDGETS
        client.get("/for-you/")  # what the filters choose from is on the shelf then
    for path, budget in budgets.items():
        with django_assert_num_queries(budget):
            assert client.get(path).status_code == 200
    for film in trained.films[0][2:7]:
        rate(person, film, "4")
    for path, budget in budgets.items():
        with django_assert_num_queries(budget):
            assert client.get(path).status_code == 200


def test_what_the_shelf_says_changes_no_list(trained, client, person, as_web):
    rate(person, trained.films[0][0], "5")
    rate(person, trained.films[1][1], "4")
    client.force_login(person)
    path = "/api/v1/me/recommendations/?n=30"
    plain = client.get(path).json()
    as_web()
    assert client.get(path).json() | {"request_id": ""} == plain | {"request_id": ""}


def test_for_you_takes_a_source_and_says_which(trained, client, person):
    rate(person, trained.films[0][0], "5")
    client.force_login(person)
    html = client.get("/for-you/?source=item_item").content.decode()
    assert re.search(r'href="\?source=item_item" aria-current="true"', html)
    assert Slate.objects.get().policy == "item_item"


def test_for_you_without_ratings_says_how_to_make_it_yours(trained, client, person):
    client.force_login(person)
    answer = client.get("/for-you/")
    assert "Rate a few films" in answer.context["notice"]
    assert len(answer.context["cards"]) == 24


def test_for_you_of_nobody_in_particular_is_popular_films_and_says_so(trained, client):
    page = client.get("/for-you/")
    assert page.status_code == 200
    assert len(page.context["cards"]) == 24
    assert "Rate a few films and this list becomes yours" in page.context["notice"]
    assert not User.objects.filter(is_visitor=True).exists()


def test_similar_films_are_of_the_same_crowd_and_not_what_i_know(trained, client, person):
    film = trained.films[1][2]
    rate(person, trained.films[1][3], "5")
    client.force_login(person)
    html = client.get(f"/films/{film.pk}/similar/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in html
    shown = films_of(html)
    assert shown
    assert set(shown) <= {m.pk for m in trained.films[1]} - {film.pk, trained.films[1][3].pk}
    assert "<html" in client.get(f"/films/{film.pk}/similar/").content.decode()


def test_a_film_nobody_rated_has_an_honest_empty_row(trained, client):
    lonely = Movie(title="Lonely", year=2001)
    lonely.save()
    html = client.get(f"/films/{lonely.pk}/similar/").content.decode()
    assert "Too few people have rated this film" in html


def test_personal_pages_are_never_kept_by_a_cache(trained, client, person):
    client.force_login(person)
    for path in ("/", "/for-you/", "/ratings/"):
        assert "no-store" in client.get(path)["Cache-Control"]


def test_a_stored_list_is_served_on_the_page(trained, client, person):
    rate(person, trained.films[0][0], "5")
    client.force_login(person)
    live = films_of(client.get("/for-you/").content.decode())
    recommendations_refresh()
    assert films_of(client.get("/for-you/").content.decode()) == live
    assert list(
        Slate.objects.order_by("created_at").values_list("context__is_stored", flat=True)
    ) == [
        False,
        True,
    ]
    assert Rating.objects.filter(user=person).count() == 1
