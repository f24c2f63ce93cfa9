"""A small TMDB of our own, and films of ours that it knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from catalog.models import DataSource, ExternalId
from catalog.services.films import upsert_films
from catalog.services.records import FilmRecord
from catalog.tmdb.breaker import Breaker
from catalog.tmdb.client import TmdbClient
from catalog.tmdb.fake.faults import Fault, Mischief
from catalog.tmdb.fake.records import Records
from catalog.tmdb.fake.server import FakeTmdb, running
from catalog.tmdb.transport import Limits, Transport

LIMITS = Limits(connect_s=2.0, read_s=1.0, total_s=2.0, max_bytes=2 << 20)


class FreePace:
    """Everybody's turn is now; remembers what it was told to hold."""

    def __init__(self) -> None:
        self.turns = 0
        self.held: list[float] = []

    def turn(self) -> float:
        self.turns += 1
        return 0.0

    def hold(self, pause_s: float) -> None:
        self.held.append(pause_s)


def row(tmdb_id: int, **values: Any) -> dict[str, Any]:
    """A film at TMDB; film n is called "Film n" and came out in 1990."""
    return {
        "tmdb_id": tmdb_id,
        "imdb_id": f"tt{tmdb_id:07d}",
        "title": f"Film {tmdb_id}",
        "original_title": f"Film {tmdb_id}",
        "original_language": "fr",
        "release_date": "1990-05-01",
        "year": 1990,
        "runtime": 101,
        "genres": ["Drama", "Science Fiction", "TV Movie"],
        "overview": f"What happens in film {tmdb_id}.",
        "tagline": "See it.",
        "keywords": ["Time Travel", "paris"],
        "cast": ["Anna Bell", "Carl Dorn"],
        "director": "Eva Frey",
        "poster_path": f"/poster{tmdb_id}.jpg",
        "backdrop_path": f"/backdrop{tmdb_id}.jpg",
        "production_countries": ["FR", "BE"],
        "mpaa": "PG-13",
        "vote_average": 7.5,
        "vote_count": 120,
        "popularity": 3.25,
        **values,
    }


@contextmanager
def tmdb(
    rows: Iterable[dict[str, Any]], *, script: Iterable[Fault] = (), **options: Any
) -> Iterator[FakeTmdb]:
    """The fake, serving these films; ``script`` is what goes wrong with the first requests."""
    options.setdefault("mischief", Mischief(script=script))
    with running(FakeTmdb(Records(list(rows)), **options)) as fake:
        yield fake


class Waits(list):
    """Instead of sleeping: what was waited for."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client_of(
    fake: FakeTmdb, *, waits: Waits | None = None, limits: Limits = LIMITS, **options: Any
) -> TmdbClient:
    """A client of the fake that never sleeps."""
    return TmdbClient(
        Transport(fake.url, limits=limits),
        key=options.pop("key", "any"),
        pace=options.pop("pace", FreePace()),
        breaker=options.pop("breaker", Breaker(threshold=20)),
        sleep=waits if waits is not None else Waits(),
        **options,
    )


def movielens_films(numbers: Iterable[int], *, is_linked: bool = True) -> dict[int, int]:
    """Our films of these numbers, as MovieLens brings them; number -> our id."""
    records = []
    for number in numbers:
        ids = [(ExternalId.Source.MOVIELENS, str(number))]
        if is_linked:
            ids += [
                (ExternalId.Source.IMDB, f"tt{number:07d}"),
                (ExternalId.Source.TMDB, str(number)),
            ]
        records.append(
            FilmRecord(
                external_ids=tuple(ids), title=f"Film {number}", year=1990, genres=("Comedy",)
            )
        )
    upsert_films(records, source=DataSource.MOVIELENS)
    rows = ExternalId.objects.filter(source="movielens")
    return {int(value): movie_id for value, movie_id in rows.values_list("value", "movie_id")}
