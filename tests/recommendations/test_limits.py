"""A person's own limits hold on every surface, and an age ceiling fails closed."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from model_bakery import baker

from accounts.models import User
from accounts.services import Taste, taste_settings_set
from catalog.models import Movie
from feedback import services
from feedback.events import EventContext
from recommendations.limits import barred_movie_ids, certification_age
from recommendations.selectors import recommendations_for
from recommendations.services.inference import recommendations_refresh


@pytest.mark.parametrize(
    ("certification", "age"),
    [
        *(("G", 0), ("PG", 8), ("pg-13", 13), ("R", 17), ("NC-17", 18), ("12A", 12), ("16+", 16)),
        *(
            ("FSK 18", 18),
            ("M/12", 12),
            ("", None),
            ("Unrated", None),
            ("NR", None),
            ("K-9x", None),
        ),
    ],
)
def test_certifications_are_read_or_said_to_be_unreadable(certification, age):
    assert certification_age(certification) == age


@pytest.fixture
def person(trained):
    user = User.objects.create_user("ada@example.org", "a-long-password")
    for film, stars in ((trained.films[0][0], "5"), (trained.films[1][0], "4.5")):
        services.rating_set(user=user, movie=film, stars=Decimal(stars), event=EventContext())
    user.refresh_from_db()
    return user


LIMITS = {
    "years": (Taste(year_from=1955, year_to=1960), lambda m: 1955 <= m.year <= 1960),
    "genres": (
        Taste(excluded_genres=("Musical",)),
        lambda m: "Musical" not in m.genre_names,
    ),
    "runtime": (Taste(runtime_max_min=99), lambda m: (m.runtime_min or 0) <= 99),
    "languages": (Taste(languages=("fr",)), lambda m: m.language in {"", "fr"}),
    "age": (Taste(age_ceiling=12), lambda m: m.certification in {"G", "PG", "12"}),
}


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("is_stored", [False, True])
def test_no_surface_shows_a_film_outside_the_limits(trained, person, client, limit, is_stored):
    # Every third film is French, short and certified; every fifth has a certification that no
    # ceiling can be sure of.
    films = Movie.objects.order_by("pk")
    for i, film in enumerate(films):
        film.runtime_min = 80 if i % 3 == 0 else 120
        film.language = "fr" if i % 3 == 0 else "en"
        film.certification = "PG" if i % 3 == 0 else ("Unrated" if i % 5 == 0 else "R")
    Movie.objects.bulk_update(films, ["runtime_min", "language", "certification"])
    taste, is_allowed = LIMITS[limit]
    taste_settings_set(person, taste)
    person.refresh_from_db()
    if is_stored:
        assert recommendations_refresh() == 1
    client.force_login(person)
    shown = {f.movie_id for f in recommendations_for(person, n=60).films}
    for path in ("/", "/for-you/", f"/films/{trained.films[1][2].pk}/similar/"):
        answer = client.get(path)
        shown |= {int(pk) for pk in re.findall(r'data-movie="(\d+)"', answer.content.decode())}
        shown |= {card.movie.pk for card in answer.context.get("hero_cards", ())}
    body = client.get("/api/v1/me/recommendations/?n=60").json()
    shown |= {film["movie_id"] for film in body["results"]}
    assert shown
    wrong = [m for m in Movie.objects.filter(pk__in=shown) if not is_allowed(m)]
    assert wrong == []


def test_an_untouched_person_is_limited_by_editors_only(world):
    assert barred_movie_ids(Taste()) == frozenset()
    hidden = world.films[0][3]
    Movie.objects.filter(pk=hidden.pk).update(is_hidden=True)
    assert barred_movie_ids(Taste()) == {hidden.pk}


@pytest.mark.parametrize(
    ("chosen", "codes"),
    [("nb", {"no", "nb", "nn"}), ("zh", {"zh", "cn"}), ("fr", {"fr"})],
)
def test_a_language_is_found_under_every_code_that_film_databases_write(db, chosen, codes):
    kept = {baker.make(Movie, language=code).pk for code in codes}
    unknown = baker.make(Movie, language="").pk
    other = {baker.make(Movie, language=code).pk for code in {"no", "cn", "fr"} - codes}
    barred = barred_movie_ids(Taste(languages=(chosen,)))
    assert barred == other
    assert not barred & (kept | {unknown})
