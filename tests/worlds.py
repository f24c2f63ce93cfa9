"""Small worlds with known answers: two crowds that like different films."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
from django.db.models import Avg, Count
from model_bakery import baker

from accounts.models import User
from catalog.models import Genre, Movie
from feedback.models import Rating

START = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """Crowd 0 likes ``films[0]`` (crime), crowd 1 ``films[1]`` (musicals)."""

    films: tuple[list[Movie], list[Movie]]
    crowds: tuple[list[User], list[User]]

    @property
    def all_films(self) -> list[Movie]:
        return [*self.films[0], *self.films[1]]


def make_world(*, n_films: int = 24, n_people: int = 60, seed: int = 3) -> World:
    """``n_films`` films and ``n_people`` people per crowd.

    Everybody gives 4 to 5 stars to about two thirds of their own crowd's films and, here and there,
    1 or 2 stars to one of the other's. Within a crowd the earlier films are the more popular ones.
    """
    rng = np.random.default_rng(seed)
    genres = [baker.make(Genre, name=n, slug=n.lower()) for n in ("Crime", "Musical")]
    films = (_films_of(genres[0], n_films), _films_of(genres[1], n_films))
    crowds = (_crowd(0, n_people), _crowd(1, n_people))
    ratings = []
    for crowd, people in enumerate(crowds):
        for i, person in enumerate(people):
            chances = np.linspace(0.9, 0.45, n_films)
            at = START + timedelta(days=i)
            for film in np.flatnonzero(rng.random(n_films) < chances):
                stars = Decimal(int(rng.integers(8, 11))) / 2
                ratings.append(_rating(person, films[crowd][film], stars, at))
            if rng.random() < 0.5:
                other = films[1 - crowd][int(rng.integers(n_films))]
                ratings.append(_rating(person, other, Decimal(int(rng.integers(2, 5))) / 2, at))
    Rating.objects.bulk_create(ratings)
    count_ratings()
    return World(films=films, crowds=crowds)


def _films_of(genre: Genre, n: int) -> list[Movie]:
    return [make_film(f"{genre.name} Film {i}", year=1950 + i, genre=genre) for i in range(n)]


def _crowd(number: int, n: int) -> list[User]:
    return User.objects.bulk_create(
        [User(email=f"crowd{number}-{i}@example.org") for i in range(n)]
    )


def make_film(title: str, *, year: int | None = 2000, genre: Genre | None = None) -> Movie:
    """One film, searchable and rated by nobody."""
    movie = Movie(title=title, year=year, runtime_min=100, language="en")
    movie.save()
    if genre is not None:
        movie.genres.add(genre)
    return movie


def count_ratings() -> None:
    """Films' counts and means from the ratings in the database."""
    stats = Rating.objects.values("movie_id").annotate(n=Count("pk"), mean=Avg("stars"))
    for row in stats:
        Movie.objects.filter(pk=row["movie_id"]).update(
            rating_count=row["n"], rating_mean=float(row["mean"])
        )


def _rating(user: User, movie: Movie, stars: Decimal, at: datetime) -> Rating:
    return Rating(user=user, movie=movie, stars=stars, created_at=at, updated_at=at)
