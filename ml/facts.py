"""Facts and text about films from a table of records, as :class:`ml.types.ItemFeatures`.

The table is Parquet with the columns of TMDB's records (title, year, genres, overview, tagline,
keywords, cast, director, original_language) and a ``movielens_id``; MovieLens' own genres win
over TMDB's where they are given, because every film has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.text import TextEncoder, encode_cached, film_text
from ml.types import FloatArray, ItemFeatures

MAX_CAST = 5
LIST_COLUMNS = ("genres", "keywords", "cast")
COLUMNS = ("title", "year", "overview", "tagline", "director", "original_language")


def read_records(
    path: Path, movielens_ids: NDArray[np.int64], *, tmdb_ids: dict[int, int] | None = None
) -> list[dict[str, Any]]:
    """One record per MovieLens id, in order; an empty dict where the table has none.

    ``tmdb_ids`` (MovieLens id -> TMDB id, from MovieLens' ``links.csv``) finds films that the
    table knows under their TMDB id only.
    """
    import polars as pl

    table = pl.read_parquet(path, columns=["tmdb_id", "movielens_id", *COLUMNS, *LIST_COLUMNS])
    rows = table.to_dicts()
    by_movielens = {row["movielens_id"]: row for row in rows if row["movielens_id"] is not None}
    by_tmdb = {row["tmdb_id"]: row for row in rows}
    links = tmdb_ids or {}
    found = []
    for movie_id in movielens_ids.tolist():
        row = by_movielens.get(movie_id) or by_tmdb.get(links.get(movie_id, -1)) or {}
        found.append(row)
    return found


def item_features(
    records: Sequence[dict[str, Any]],
    *,
    titles: Sequence[str],
    genres: Sequence[Sequence[str]],
    years: Sequence[int | None] | None = None,
    encoder: TextEncoder | None = None,
    cache: Path | None = None,
) -> ItemFeatures:
    """Features of the films: genres and titles as given, the rest from ``records``.

    Without an ``encoder`` there are no text vectors; with one, ``cache`` (an .npz) keeps them.
    """
    names = tuple(sorted({name for row in genres for name in row}))
    position = {name: i for i, name in enumerate(names)}
    multi_hot = np.zeros((len(titles), len(names)), dtype=np.float32)
    for i, row in enumerate(genres):
        multi_hot[i, [position[name] for name in row]] = 1.0
    given = years if years is not None else [None] * len(titles)
    year_of = [y or r.get("year") for y, r in zip(given, records, strict=True)]
    texts = [
        film_text(
            title,
            year=year,
            genres=row,
            keywords=record.get("keywords") or (),
            tagline=record.get("tagline") or "",
            synopsis=record.get("overview") or "",
        )
        for title, year, row, record in zip(titles, year_of, genres, records, strict=True)
    ]
    return ItemFeatures(
        n_items=len(titles),
        genres=multi_hot,
        genre_names=names,
        year=np.array([np.nan if y is None else y for y in year_of], dtype=np.float32),
        text=_vectors(texts, encoder, cache),
        tags=_tags(records),
    )


def _vectors(
    texts: list[str], encoder: TextEncoder | None, cache: Path | None
) -> FloatArray | None:
    if encoder is None:
        return None
    return encoder.encode(texts) if cache is None else encode_cached(encoder, texts, cache)


def _tags(records: Sequence[dict[str, Any]]) -> dict[str, list[tuple[str, ...]]]:
    def several(key: str, limit: int) -> list[tuple[str, ...]]:
        return [tuple((r.get(key) or ())[:limit]) for r in records]

    def single(key: str) -> list[tuple[str, ...]]:
        return [(r[key],) if r.get(key) else () for r in records]

    return {
        "keyword": several("keywords", 50),
        "cast": several("cast", MAX_CAST),
        "director": single("director"),
        "language": single("original_language"),
    }
