"""Facts of films as arrays, for what looks at hundreds of films at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from catalog.models import Genre
from ml.idmap import IdMap


@dataclass(frozen=True)
class FilmFacts:
    """Year, runtime, ratings and genres of the ``n`` films of ``films``.

    ``year``, ``runtime`` (minutes; both nan where unknown) and ``popularity`` (ratings) are
    float64[n]; ``genres`` is uint8[n, n_genres], multi-hot, its columns all genres that there are:
    the same for whichever films, so that sums over them round alike. A film that is not among
    ``films`` counts as one of which nothing is known.
    """

    films: IdMap
    year: NDArray[np.float64]
    runtime: NDArray[np.float64]
    popularity: NDArray[np.float64]
    genres: NDArray[np.uint8]

    def select(self, movie_ids: Sequence[int]) -> FilmFacts:
        """The facts of these films, place by place (``films`` stays the map of the whole)."""
        at = self.films.index(movie_ids)
        known = at >= 0
        if known.all():
            return FilmFacts(
                self.films, self.year[at], self.runtime[at], self.popularity[at], self.genres[at]
            )
        if not len(self.films):
            nothing = np.full(len(at), np.nan)
            n_genres = self.genres.shape[1]
            genres = np.zeros((len(at), n_genres), np.uint8)
            return FilmFacts(self.films, nothing, nothing, np.zeros(len(at)), genres)
        return FilmFacts(
            self.films,
            np.where(known, self.year[at], np.nan),
            np.where(known, self.runtime[at], np.nan),
            np.where(known, self.popularity[at], 0.0),
            self.genres[at] * known[:, None].astype(np.uint8),
        )

    def multi_hot(self, movie_ids: Sequence[int]) -> NDArray[np.float64]:
        """float64[n, n_genres] of these films, place by place."""
        return self.select(movie_ids).genres.astype(np.float64)


# As text in one value: made into arrays by numpy, which is ten times faster than rows of objects.
_FACTS_SQL = """
    SELECT coalesce(string_agg(concat_ws(',', id, coalesce(year, -1), coalesce(runtime_min, -1),
        rating_count), ',' ORDER BY id), '')
    FROM catalog_movie {where}
"""
_GENRES_SQL = """
    SELECT coalesce(string_agg(concat_ws(',', movie_id, genre_id), ','), '')
    FROM catalog_movie_genres {where}
"""


def read_facts(movie_ids: Iterable[int] | None = None) -> FilmFacts:
    """The facts of these films, or of all; three queries whatever their number."""
    wanted = None if movie_ids is None else [sorted(set(movie_ids))]
    films = _numbers(_FACTS_SQL, "id", wanted).reshape(-1, 4)
    pairs = _numbers(_GENRES_SQL, "movie_id", wanted).reshape(-1, 2)
    columns = IdMap.of(list(Genre.objects.values_list("pk", flat=True)))
    known = IdMap(films[:, 0])
    genres = np.zeros((len(known), len(columns)), dtype=np.uint8)
    row, column = known.index(pairs[:, 0]), columns.index(pairs[:, 1])
    # A film or genre that came between two of the queries is in the next reading.
    whole = (row >= 0) & (column >= 0)
    genres[row[whole], column[whole]] = 1
    return FilmFacts(
        films=known,
        year=np.where(films[:, 1] < 0, np.nan, films[:, 1]),
        runtime=np.where(films[:, 2] < 0, np.nan, films[:, 2]),
        popularity=films[:, 3].astype(np.float64),
        genres=genres,
    )


def _numbers(sql: str, key: str, wanted: list[list[int]] | None) -> NDArray[np.int64]:
    where = "" if wanted is None else f"WHERE {key} = ANY (%s)"
    with connection.cursor() as cursor:
        # ``key`` is one of two names above; what comes from outside is a parameter.
        cursor.execute(sql.format(where=where), wanted)
        text = cursor.fetchone()[0]
    if not text:
        return np.empty(0, dtype=np.int64)
    return np.fromstring(text, dtype=np.int64, sep=",")
