"""Facts and text about films from a table of records, as :class:`ml.types.ItemFeatures`.

The table is Parquet with the columns of TMDB's records (title, year, overview, tagline, keywords,
cast, director, original_language), a ``tmdb_id`` and a ``movielens_id``. Titles, years and genres
come from MovieLens' own list, because every film has them. Votes and popularity are never read:
they know how a film fared later.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.data import DataError
from ml.idmap import IdMap
from ml.items import YEAR, load_item_rows
from ml.text import TextEncoder, encode_cached, film_text
from ml.types import FloatArray, ItemFeatures

MAX_CAST = 5
LIST_COLUMNS = ("keywords", "cast")
# "Godfather, The" -> "The Godfather"
ARTICLE = re.compile(r"^(.*), (The|A|An|Les|La|Le|Il|El|Das|Der|Die)$")
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


def records_by_title(
    path: Path, titles: Sequence[str], years: Sequence[int | None]
) -> list[dict[str, Any]]:
    """One record per film found by title and year (off by one at most); else an empty dict.

    For lists with ids of their own, such as ML-100K's.
    """
    import polars as pl

    rows = pl.read_parquet(path, columns=["tmdb_id", *COLUMNS, *LIST_COLUMNS]).to_dicts()
    by_name = {(_plain(row["title"] or ""), row["year"]): row for row in rows}
    found = []
    for title, year in zip(titles, years, strict=True):
        near = (0,) if year is None else (year, year - 1, year + 1)
        keys = [(_plain(title), y) for y in near]
        found.append(next((by_name[key] for key in keys if key in by_name), {}))
    return found


def _plain(title: str) -> str:
    """A title for matching: article in front, no bracketed parts, letters and digits only."""
    bare = re.sub(r"\s*\(.*?\)", "", title).strip()
    turned = ARTICLE.match(bare)
    if turned:
        bare = f"{turned.group(2)} {turned.group(1)}"
    return re.sub(r"[^a-z0-9]", "", bare.lower())


def load_facts(
    folder: Path, items: IdMap, *, table: Path, encoder: TextEncoder | None, cache: Path | None
) -> ItemFeatures:
    """Facts and text of ``items``: a MovieLens folder's list joined to the table of records.

    Raises :class:`ml.data.DataError` when the folder has no list of films or ``table`` is missing.
    """
    if not table.is_file():
        raise DataError(f"{table} does not exist; a Parquet table of film records is needed")
    rows = load_item_rows(folder)
    if rows is None:
        raise DataError(f"{folder} has no list of films (movies.csv, movies.dat or u.item)")
    by_id = {row.movie_id: row for row in rows}
    unknown = [i for i in items.ids.tolist() if i not in by_id]
    if unknown:
        raise DataError(f"{folder}: its list of films lacks {len(unknown)} rated ones")
    films = [by_id[i] for i in items.ids.tolist()]
    titles = [YEAR.sub("", film.title).strip() for film in films]
    years = [None if np.isnan(film.year) else int(film.year) for film in films]
    if (folder / "u.item").is_file():
        records = records_by_title(table, titles, years)
    else:
        records = read_records(table, items.ids, tmdb_ids=_tmdb_links(folder))
    return item_features(
        records,
        titles=titles,
        genres=[film.genres for film in films],
        years=years,
        encoder=encoder,
        cache=cache,
    )


def _tmdb_links(folder: Path) -> dict[int, int]:
    source = folder / "links.csv"
    if not source.is_file():
        return {}
    with source.open(newline="", encoding="utf-8") as lines:
        rows = csv.DictReader(lines)
        return {int(row["movieId"]): int(row["tmdbId"]) for row in rows if row["tmdbId"]}


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
