"""A wide table of films (Parquet or CSV), row by row, checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from catalog.ingestion.errors import IngestionError
from catalog.titles import normalize_title, trigrams
from catalog.tmdb.answers import MAX_CAST, MAX_KEYWORDS
from catalog.tmdb.mapping import genres_of

REQUIRED = ("tmdb_id", "title")
# Lists in a CSV cell are written a|b|c.
LISTS = ("movielens_ids", "genres", "keywords", "cast", "production_countries")
_MAX_INT32 = (1 << 31) - 1
_IMDB_ID = re.compile(r"tt\d{7,10}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_IMAGE_PATH = re.compile(r"/[A-Za-z0-9_-]{1,100}\.(?:jpg|jpeg|png|webp)", re.ASCII)


@dataclass(frozen=True)
class TableFilm:
    """A row that can be used; None where it does not say."""

    tmdb_id: str
    imdb_id: str | None
    movielens_ids: list[str]
    title: str
    title_normalized: str
    titles_normalized: list[str]
    title_trigrams: list[str]
    original_title: str | None
    original_normalized: str | None
    year: int | None
    runtime_min: int | None
    language: str | None
    countries: list[str] | None
    certification: str | None
    tagline: str | None
    synopsis: str | None
    poster_path: str | None
    backdrop_path: str | None
    released_on: date | None
    vote_average: float | None
    vote_count: int | None
    popularity: float | None
    genres: tuple[str, ...]
    keywords: tuple[str, ...]
    directors: tuple[str, ...]
    cast: tuple[str, ...]


def open_table(path: Path) -> pl.DataFrame:
    """The table; raises ``IngestionError`` where it is none or lacks what names a film."""
    try:
        if path.suffix.casefold() == ".csv":
            # As text: a column that looks like numbers for 1,000 rows may not stay so.
            frame = pl.read_csv(path, infer_schema=False)
        else:
            frame = pl.read_parquet(path)
    except FileNotFoundError as error:
        raise IngestionError(f"{path} does not exist. Give a Parquet or CSV file.") from error
    except (OSError, pl.exceptions.PolarsError) as error:
        raise IngestionError(f"{path} cannot be read as a table: {str(error)[:200]}") from error
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        raise IngestionError(f"{path} lacks the column {' and '.join(missing)}.")
    return frame


def read_rows(frame: pl.DataFrame) -> Iterator[TableFilm | str]:
    """Each row, or why it cannot be used. Of several rows of one film the first counts."""
    seen: set[str] = set()
    for row in frame.iter_rows(named=True):
        film = _film(row)
        if isinstance(film, TableFilm):
            if film.tmdb_id in seen:
                yield "a film with this tmdb_id came before"
                continue
            seen.add(film.tmdb_id)
        yield film


def _film(row: Mapping[str, Any]) -> TableFilm | str:
    tmdb_id = _whole(row.get("tmdb_id"), 1, _MAX_INT32)
    if tmdb_id is None:
        return "tmdb_id is no positive whole number"
    title = _text(row, "title", 300)
    if not title:
        return "it has no title"
    if row.get("adult") is True or str(row.get("adult")).casefold() == "true":
        return "it is marked as adult"
    original = _text(row, "original_title", 300)
    normal, original_normal = normalize_title(title), normalize_title(original or "") or None
    normals = list(dict.fromkeys(name for name in (normal, original_normal) if name))
    released_on = _date(row.get("release_date"))
    keywords = tuple(dict.fromkeys(word.casefold() for word in _list(row, "keywords", 120)))
    year = _whole(row.get("year"), 1870, 2100)
    return TableFilm(
        tmdb_id=str(tmdb_id),
        imdb_id=_matching(row, "imdb_id", _IMDB_ID),
        movielens_ids=_movielens_ids(row),
        title=title,
        title_normalized=normal,
        titles_normalized=normals,
        title_trigrams=trigrams(" ".join(normals)),
        original_title=original,
        original_normalized=original_normal,
        year=year if year is not None or released_on is None else released_on.year,
        runtime_min=_whole(row.get("runtime"), 1, 1500),
        language=_matching(row, "original_language", _LANGUAGE),
        countries=[
            code for code in _list(row, "production_countries", 2) if _COUNTRY.fullmatch(code)
        ]
        or None,
        certification=_text(row, "mpaa", 16),
        tagline=_text(row, "tagline", 300),
        synopsis=_text(row, "overview", 5000),
        poster_path=_matching(row, "poster_path", _IMAGE_PATH),
        backdrop_path=_matching(row, "backdrop_path", _IMAGE_PATH),
        released_on=released_on,
        vote_average=_float(row.get("vote_average")),
        vote_count=_whole(row.get("vote_count"), 0, _MAX_INT32),
        popularity=_float(row.get("popularity")),
        genres=genres_of(_list(row, "genres", 40), keywords),
        keywords=keywords[:MAX_KEYWORDS],
        directors=tuple(_list({"director": row.get("director")}, "director", 200)),
        cast=tuple(_list(row, "cast", 200)[:MAX_CAST]),
    )


def _movielens_ids(row: Mapping[str, Any]) -> list[str]:
    values = _list(row, "movielens_ids", 20) or _list(row, "movielens_id", 20)
    return [str(number) for value in values if (number := _whole(value, 1, _MAX_INT32)) is not None]


def _text(row: Mapping[str, Any], name: str, longest: int) -> str | None:
    value = row.get(name)
    if not isinstance(value, str):
        return None
    return value.replace("\0", "").strip()[:longest] or None


def _list(row: Mapping[str, Any], name: str, longest: int) -> list[str]:
    """Distinct entries of a list, of an "a|b" cell, or of a single value."""
    value = row.get(name)
    if value is None:
        return []
    if isinstance(value, str):
        items: list[Any] = value.split("|") if name in LISTS else [value]
    else:
        items = list(value) if isinstance(value, (list, tuple)) else [value]
    texts = (str(item).replace("\0", "").strip()[:longest] for item in items if item is not None)
    return list(dict.fromkeys(text for text in texts if text))


def _matching(row: Mapping[str, Any], name: str, shape: re.Pattern[str]) -> str | None:
    value = _text(row, name, 120)
    return value if value and shape.fullmatch(value) else None


def _whole(value: Any, low: int, high: int) -> int | None:
    number = _float(value)
    if number is None or number != int(number):
        return None
    return int(number) if low <= number <= high else None


def _float(value: Any) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    # Neither NaN nor infinity says anything.
    return number if abs(number) < 1e15 else None


def _date(value: Any) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
