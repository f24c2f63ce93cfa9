"""The front page's rows: no film twice, another page another day, the same page all day."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import User
from catalog.models import Collection, CollectionEntry, Movie
from feedback import services
from feedback.events import EventContext
from feedback.models import Slate
from recommendations.home import home_page
from recommendations.home_rows import rotated
from recommendations.models import TrendingWindow
from recommendations.ranked import RankedFilm
from tests.worlds import make_film


@pytest.fixture
def ada(trained):
    user = User.objects.create_user("ada@example.org", "a-long-password")
    for film in trained.films[0][:6]:
        services.rating_set(user=user, movie=film, stars=Decimal("5"), event=EventContext())
    return User.objects.get(pk=user.pk)


@pytest.fixture
def many(trained):
    """A catalogue that has more than one page's films."""
    genre = trained.films[0][0].genres.get()
    return [make_film(f"Filler {i}", year=1950 + i % 60, genre=genre) for i in range(120)]


def shown(page):
    rows = {row.slug: [card.movie.pk for card in row.cards] for row in page.rows}
    return rows, [card.movie.pk for card in page.hero_cards]


def test_no_film_twice_and_every_row_has_films(ada, many):
    rows, hero = shown(home_page(ada))
    films = [pk for row in rows.values() for pk in row] + hero
    assert len(films) == len(set(films))
    assert min(len(row) for row in rows.values()) >= 4
    assert len({tuple(row) for row in rows.values()}) == len(rows)


def test_the_page_holds_still_for_a_day_and_is_another_the_next(ada, many):
    now = timezone.now()
    rows, _ = shown(home_page(ada, now=now))
    assert shown(home_page(ada, now=now))[0] == rows
    later, _ = shown(home_page(ada, now=now + timedelta(days=1)))
    assert later != rows
    before, after = set(rows["new"]), set(later["new"])
    assert len(before & after) <= 0.7 * len(before)


def test_two_people_see_other_rotations(ada, many, trained):
    mine, _ = shown(home_page(ada))
    other = User.objects.create_user("bob@example.org", "a-long-password")
    assert shown(home_page(other))[0]["new"] != mine["new"]


def test_rows_say_what_is_true_of_them(ada, many):
    picks = Collection.objects.create(slug="quiet", title="Quiet nights", is_shown=True)
    for position, film in enumerate(many[:5]):
        CollectionEntry.objects.create(collection=picks, movie=film, position=position)
    TrendingWindow.objects.create(days=7, movie_ids=[film.pk for film in many[5:11]])
    page = home_page(ada)
    rows, _ = shown(page)
    titles = {row.slug: "".join(part.text for part in row.title) for row in page.rows}
    assert titles["trending"] == "Trending this week"
    assert rows["trending"] == [film.pk for film in many[5:11]]
    assert titles["picks-quiet"] == "Quiet nights"
    assert rows["picks-quiet"] == [film.pk for film in many[:5]]
    assert titles["new"] == "New to the catalogue"


def test_gentle_films_are_short_and_not_harsh(ada, many, trained):
    genre = trained.films[1][0].genres.get()
    assert genre.name == "Musical"
    rows, _ = shown(home_page(AnonymousUser()))
    for film in Movie.objects.filter(pk__in=rows.get("gentle", [])):
        assert film.runtime_min <= 105
        assert not set(film.genre_names) & {"Crime", "Horror", "Thriller", "War", "Film-Noir"}


def test_out_of_your_usual_holds_nothing_of_the_persons_genres(ada, trained):
    rows, _ = shown(home_page(ada))
    assert set(rows["unusual"]) <= {film.pk for film in trained.films[1]}


def test_the_slate_keeps_the_seed_and_the_rows(client, ada, many):
    client.force_login(ada)
    answer = client.get("/")
    slate = Slate.objects.get()
    rows = {r.slug: [c.movie.pk for c in r.cards] for r in answer.context["rows"]}
    assert slate.context["seed"].startswith(f"{ada.pk}:")
    kept = slate.context["rows"]
    assert set(kept) == set(rows)
    assert all(kept[slug] == films for slug, films in rows.items() if slug != "for-you")


def test_rotation_prefers_the_better_and_loses_nobody():
    films = [RankedFilm(movie_id=i, source="x") for i in range(60)]
    first = [f.movie_id for f in rotated(films, seed="1:2026-01-01", slug="loved")]
    assert sorted(first) == list(range(60))
    assert first == [f.movie_id for f in rotated(films, seed="1:2026-01-01", slug="loved")]
    heads = [
        f.movie_id for day in range(200) for f in rotated(films, seed=f"1:{day}", slug="loved")[:12]
    ]
    assert sum(heads) / len(heads) < 25
    assert rotated(films[:1], seed="a", slug="b") == films[:1]
