"""My taste: counts that can be checked by hand."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from model_bakery import baker

from accounts.models import User
from catalog.models import Genre, Movie
from dashboard.judged import judged_for, label_of
from dashboard.taste import Shift, taste_of_person
from feedback import services
from feedback.events import EventContext
from feedback.models import Impression, Rating, Reaction, Slate
from tests.worlds import make_film

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.org", "a-long-password")


@pytest.fixture
def shelf():
    """Ten crime films of the seventies, made in France, and ten musicals of the fifties."""
    found = {}
    for name, year, country in (("Crime", 1971, "FR"), ("Musical", 1953, "US")):
        genre = baker.make(Genre, name=name, slug=name.lower())
        films = [make_film(f"{name} {i}", year=year, genre=genre) for i in range(10)]
        Movie.objects.filter(pk__in=[film.pk for film in films]).update(countries=[country])
        found[name] = films
    return found


def rate(user, film, stars, *, days=0):
    at = timezone.now() - timedelta(days=days)
    Rating.objects.create(user=user, movie=film, stars=stars, created_at=at, updated_at=at)


def test_who_said_too_little_is_told_what_to_do(client, ada, shelf):
    rate(ada, shelf["Crime"][0], "5.0")
    for path_of in (lambda: client.get("/me/taste/"),):
        html = path_of().content.decode()
        assert 'href="/start/rate/"' in html
        client.force_login(ada)
        assert 'href="/start/rate/"' in path_of().content.decode()


def test_profile_counts_liked_films_against_the_catalogue(ada, shelf):
    for film in shelf["Crime"][:3]:
        rate(ada, film, "4.5")
    rate(ada, shelf["Musical"][0], "4.0")
    rate(ada, shelf["Musical"][1], "1.0")  # known, and not liked
    taste = taste_of_person(ada)
    assert (taste.n_films, taste.n_liked, taste.mean_stars) == (5, 4, 3.7)
    charts = {chart.slug: chart for chart in taste.profiles}
    rows = {slug: [(b.label, b.mine, b.theirs) for b in c.bars] for slug, c in charts.items()}
    assert rows == {
        "genres": [("Crime", 0.75, 0.5), ("Musical", 0.25, 0.5)],
        "decades": [("1950s", 0.25, 0.5), ("1970s", 0.75, 0.5)],
        "countries": [("France", 0.75, 0.5), ("United States", 0.25, 0.5)],
    }
    assert {card.movie.pk for card in taste.liked} == {
        *(film.pk for film in shelf["Crime"][:3]),
        shelf["Musical"][0].pk,
    }


def test_a_like_counts_and_muted_films_do_not(ada, shelf):
    for film in shelf["Crime"][:4]:
        services.reaction_set(user=ada, movie=film, kind=Reaction.Kind.LIKE, event=EventContext())
    services.reaction_set(
        user=ada, movie=shelf["Crime"][0], kind=Reaction.Kind.MUTED, event=EventContext()
    )
    taste = taste_of_person(ada)
    assert (taste.n_liked, taste.mean_stars) == (3, None)


def test_two_strands_are_named_by_what_marks_them(ada, shelf):
    for name in shelf:
        for film in shelf[name][:5]:
            rate(ada, film, "5.0")
    groups = taste_of_person(ada).groups
    assert sorted((group.names, group.n_films) for group in groups) == [
        (("Crime",), 5),
        (("Musical",), 5),
    ]


def test_time_and_recent_taste_show_the_change(ada, shelf):
    for i, film in enumerate(shelf["Musical"]):
        rate(ada, film, "5.0", days=400 + i)
    for i, film in enumerate(shelf["Crime"]):
        rate(ada, film, "5.0", days=i)
    taste = taste_of_person(ada)
    lines = {line.label: line.shares for line in taste.over_time.lines}
    assert set(lines) == {"Crime", "Musical"}
    assert (lines["Musical"][0], lines["Musical"][-1]) == (1.0, 0.0)
    assert (lines["Crime"][0], lines["Crime"][-1]) == (0.0, 1.0)
    assert taste.recent == (Shift("Crime", 0, 100), Shift("Musical", 100, 0))


def shown(user, films, *, days, surface="for_you"):
    at = timezone.now() - timedelta(days=days)
    slate = Slate.objects.create(
        request_id=uuid.uuid4(), user=user, surface=surface, policy="hybrid", created_at=at
    )
    Impression.objects.bulk_create(
        [Impression(slate=slate, movie=film, position=i) for i, film in enumerate(films)]
    )


def test_lists_are_judged_by_ratings_given_after_they_were_shown(ada, shelf):
    first, second, third, fourth, fifth = shelf["Crime"][:5]
    shown(ada, [first, second, third, fifth], days=5)
    shown(ada, [first], days=1)  # the first time counts
    shown(ada, [fourth], days=5, surface="similar")  # not shown because of the person
    other = User.objects.create_user("eve@example.org", "a-long-password")
    shown(other, shelf["Musical"], days=5)
    rate(ada, first, "5.0", days=3)
    rate(ada, second, "2.0", days=2)
    rate(ada, third, "4.0", days=9)  # before it was shown
    rate(ada, fourth, "3.0")
    judged = judged_for(ada)
    assert (judged.n_shown, judged.n_rated, judged.n_liked, judged.liked_percent) == (4, 2, 1, 50)
    assert (judged.mean_stars, judged.n_others, judged.mean_others) == (3.5, 2, 3.5)
    assert judged_for(other).liked_percent is None


def test_the_label_adds_up_and_names_the_gap(ada, shelf):
    for film in shelf["Crime"][:5]:
        rate(ada, film, "5.0")
    Movie.objects.filter(pk__in=[f.pk for f in shelf["Musical"]]).update(rating_count=50)
    label = label_of(ada, taste_of_person(ada))
    parts = dict(label.parts)
    assert label.n_films == 15  # all that is not rated: nothing was trained here
    assert [(r.name, r.listed, r.liked) for r in parts["Genres"]] == [
        ("Musical", 67, 0),
        ("Crime", 33, 100),
    ]
    assert sum(row.listed for row in parts["How well known"]) == 100
    assert label.gap > 0.5


def test_the_page_costs_the_same_whatever_the_history(
    client, ada, shelf, django_assert_num_queries
):
    client.force_login(ada)
    # session, user · feedback twice · history's films, genres · catalogue: count, genres, decades,
    # countries · judged: two · list: model, standing, popular · its films, genres, counts ·
    # kinds of audience · log · simulated
    for start, stop in ((0, 4), (4, 10)):
        for film in shelf["Crime"][start:stop]:
            rate(ada, film, "5.0")
        with django_assert_num_queries(21):
            html = client.get("/me/taste/").content.decode()
    assert "You against the catalogue" in html
    assert "<table" in html


def test_a_visitor_has_a_taste_too_and_nobody_elses(client, ada, shelf):
    for film in shelf["Musical"][:4]:
        rate(ada, film, "5.0")
    for film in shelf["Crime"][:3]:
        client.post(f"/films/{film.pk}/rate/", {"stars": "5"})
    html = client.get("/me/taste/").content.decode()
    assert "Crime 0" in html
    assert "Musical 0" not in html
    assert Decimal(taste_of_person(ada).n_films) == 4
