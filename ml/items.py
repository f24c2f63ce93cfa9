"""Facts about films from a MovieLens folder: genres, and the year in the title."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from ml.data import DataError
from ml.idmap import IdMap
from ml.types import ItemFeatures

# "Toy Story (1995)", and series such as "Lost (2004-2010)": the first year counts.
YEAR = re.compile(r"\((\d{4})(?:\s*[-\u2013]\s*\d{0,4})?\)\s*$")
NO_GENRE = frozenset({"(no genres listed)", "unknown", ""})
# The flags of ML-100K's u.item in order, as its u.genre lists them.
U_ITEM_GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One film as listed: its id in the source, title as printed, genres."""

    movie_id: int
    title: str
    genres: tuple[str, ...]

    @property
    def year(self) -> float:
        """The year at the end of the title; nan where there is none."""
        found = YEAR.search(self.title)
        return float(found.group(1)) if found else float("nan")


def load_item_rows(folder: Path) -> list[ItemRow] | None:
    """The films of movies.csv, movies.dat or u.item; None where the folder has none of them."""
    folder = Path(folder)
    readers = {"movies.csv": _movies_csv, "movies.dat": _movies_dat, "u.item": _u_item}
    for name, reader in readers.items():
        if (folder / name).is_file():
            try:
                return list(reader(folder / name))
            except (ValueError, IndexError, KeyError, pl.exceptions.PolarsError) as error:
                raise DataError(f"{folder / name} cannot be read: {error}") from error
    return None


def load_item_features(path: Path, items: IdMap) -> ItemFeatures:
    """Genres [n_items, n_genres] and year [n_items] of ``items``; absent (None) without a list.

    ``path`` is a MovieLens folder or a ratings file beside such a list.
    """
    path = Path(path)
    rows = load_item_rows(path if path.is_dir() else path.parent)
    if rows is None:
        return ItemFeatures(n_items=len(items))
    names = tuple(sorted({g for row in rows for g in row.genres}))
    column = {name: i for i, name in enumerate(names)}
    genres = np.zeros((len(items), len(names)), dtype=np.float32)
    year = np.full(len(items), np.nan, dtype=np.float32)
    positions = items.index([row.movie_id for row in rows])
    for row, at in zip(rows, positions, strict=True):
        if at >= 0:
            genres[at, [column[g] for g in row.genres]] = 1.0
            year[at] = row.year
    return ItemFeatures(n_items=len(items), genres=genres, genre_names=names, year=year)


def _split_genres(text: str) -> tuple[str, ...]:
    return tuple(g for g in (part.strip() for part in text.split("|")) if g not in NO_GENRE)


def _movies_csv(source: Path) -> Iterator[ItemRow]:
    for row in pl.read_csv(source, infer_schema=False).iter_rows(named=True):
        yield ItemRow(int(row["movieId"]), row["title"] or "", _split_genres(row["genres"] or ""))


def _lines(source: Path) -> Iterator[str]:
    raw = source.read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")  # the old MovieLens sets as shipped
    return (line for line in text.splitlines() if line.strip())


def _movies_dat(source: Path) -> Iterator[ItemRow]:
    for line in _lines(source):
        movie_id, title, genres = line.split("::")
        yield ItemRow(int(movie_id), title, _split_genres(genres))


def _u_item(source: Path) -> Iterator[ItemRow]:
    for line in _lines(source):
        fields = line.split("|")
        flags = fields[5 : 5 + len(U_ITEM_GENRES)]
        genres = tuple(
            g
            for g, flag in zip(U_ITEM_GENRES, flags, strict=True)
            if flag == "1" and g not in NO_GENRE
        )
        yield ItemRow(int(fields[0]), fields[1], genres)
