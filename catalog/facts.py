"""Facts of films as arrays, for what looks at hundreds of films at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from ml.idmap import IdMap


@dataclass(frozen=True)
class FilmFacts:
    """Year, runtime, ratings and genres of the ``n`` films of ``films``.

    ``year``, ``runtime`` (minutes; both nan where unknown) and ``popularity`` (ratings) are
    float64[n]; ``genres`` is uint8[n, n_genres], multi-hot, its columns all genres that there are
    (``genre_names`` in that order): the same for whichever films, so that sums over them round
    alike. A film that is not among ``films`` counts as one of which nothing is known.
    """

    films: IdMap
    year: NDArray[np.float64]
    runtime: NDArray[np.float64]
    popularity: NDArray[np.float64]
    genres: NDArray[np.uint8]
    genre_names: tuple[str, ...] = ()

    def select(self, movie_ids: Sequence[int]) -> FilmFacts:
        """The facts of these films, place by place (``films`` stays the map of the whole)."""
        at = self.films.index(movie_ids)
        known = at >= 0
        if known.all():
            return FilmFacts(
                self.films,
                self.year[at],
                self.runtime[at],
                self.popularity[at],
                self.genres[at],
                self.genre_names,
            )
        if not len(self.films):
            nothing = np.full(len(at), np.nan)
            n_genres = self.genres.shape[1]
            genres = np.zeros((len(at), n_genres), np.uint8)
            return FilmFacts(
                self.films, nothing, nothing, np.zeros(len(at)), genres, self.genre_names
            )
        return FilmFacts(
            self.films,
            np.where(known, self.year[at], np.nan),
            np.where(known, self.runtime[at], np.nan),
            np.where(known, self.popularity[at], 0.0),
            self.genres[at] * known[:, None].astype(np.uint8),
            self.genre_names,
        )

    def multi_hot(self, movie_ids: Sequence[int]) -> NDArray[np.float64]:
        """float64[n, n_genres] of these films, place by place."""
        return self.select(movie_ids).genres.astype(np.float64)


# As text in one value: made into arrays by numpy, which is ten times faster than rows of objects.
_SQL = """
    SELECT
        (
            SELECT string_agg(concat_ws(',', id, coalesce(year, -1), coalesce(runtime_min, -1),
                rating_count), ',' ORDER BY id)
            FROM catalog_movie WHERE {everything} OR id = ANY (%(wanted)s)
        ),
        (
            SELECT string_agg(concat_ws(',', movie_id, genre_id), ',')
            FROM catalog_movie_genres WHERE {everything} OR movie_id = ANY (%(wanted)s)
        ),
        ARRAY(SELECT id FROM catalog_genre ORDER BY id),
        ARRAY(SELECT name FROM catalog_genre ORDER BY id)
"""


def read_facts(movie_ids: Iterable[int] | None = None) -> FilmFacts:
    """The facts of these films, or of all; one query."""
    wanted = [] if movie_ids is None else sorted(set(movie_ids))
    # One of two words of ours; what comes from outside is a parameter.
    sql = _SQL.format(everything="TRUE" if movie_ids is None else "FALSE")
    with connection.cursor() as cursor:
        cursor.execute(sql, {"wanted": wanted})
        films, pairs, genre_ids, genre_names = cursor.fetchone()
    facts, of_genres = _numbers(films).reshape(-1, 4), _numbers(pairs).reshape(-1, 2)
    known, columns = IdMap(facts[:, 0]), IdMap.of(genre_ids)
    genres = np.zeros((len(known), len(columns)), dtype=np.uint8)
    genres[known.index(of_genres[:, 0]), columns.index(of_genres[:, 1])] = 1
    return FilmFacts(
        films=known,
        year=np.where(facts[:, 1] < 0, np.nan, facts[:, 1]),
        runtime=np.where(facts[:, 2] < 0, np.nan, facts[:, 2]),
        popularity=facts[:, 3].astype(np.float64),
        genres=genres,
        genre_names=tuple(genre_names),
    )


# "" stands for films of which it is not known.
_ORIGINS_SQL = """
    SELECT 'language', language, array_agg(id) FROM catalog_movie GROUP BY language
    UNION ALL
    SELECT 'country', country, array_agg(id)
    FROM catalog_movie,
        unnest(CASE WHEN countries = '{}' THEN ARRAY[''] ELSE countries END) AS country
    GROUP BY country
    UNION ALL
    SELECT 'certification', certification, array_agg(id) FROM catalog_movie GROUP BY certification
"""


def read_origins() -> dict[tuple[str, str], NDArray[np.int64]]:
    """("language", "country" or "certification", code) -> ids of its films, of all films; one
    query."""
    with connection.cursor() as cursor:
        cursor.execute(_ORIGINS_SQL)
        rows = cursor.fetchall()
    return {(of, code): np.array(ids, dtype=np.int64) for of, code, ids in rows}


def _numbers(text: str | None) -> NDArray[np.int64]:
    return np.fromstring(text, dtype=np.int64, sep=",") if text else np.empty(0, dtype=np.int64)
