"""Small MovieLens datasets in every published shape, and a warehouse of the test's own."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from catalog.ingestion.movielens import ImportReport, import_movielens
from catalog.models import Genre, Movie

NOW_S = 1_700_000_000

MOVIES = {
    1: ("Toy Story (1995)", "Animation|Children|Comedy"),
    2: ("Matrix, The (1999)", "Action|Sci-Fi|Thriller"),
    3: ("Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)", "Comedy|Romance"),
    4: ("Heat (1995)", "Action|Crime|Thriller"),
    5: ("Nobody Knows", "(no genres listed)"),
}
RATINGS = [
    (1, 1, 4.0, 1_000_000_000),
    (1, 2, 4.5, 1_000_000_100),
    (2, 2, 3.5, 1_000_000_050),
    (2, 4, 5.0, 1_000_000_060),
    (3, 3, 0.5, 1_000_000_070),
]


def write_csv(folder: Path, *, ratings: list[str] | None = None, links: bool = True) -> Path:
    """ml-latest's shape; ``ratings`` are lines after the header."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["movieId,title,genres", *(f'{n},"{t}",{g}' for n, (t, g) in MOVIES.items())]
    (folder / "movies.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    lines = ratings or [",".join(map(str, row)) for row in RATINGS]
    text = "\n".join(["userId,movieId,rating,timestamp", *lines])
    (folder / "ratings.csv").write_text(text + "\n", encoding="utf-8")
    if links:
        ids = ["movieId,imdbId,tmdbId", "1,0114709,862", "2,0133093,603", "3,0211915,194"]
        (folder / "links.csv").write_text("\n".join([*ids, "4,0113277,949", "5,0000005,"]) + "\n")
    return folder


def write_dat(folder: Path, *, encoding: str = "latin-1") -> Path:
    """ml-1m's and ml-10m's shape."""
    folder.mkdir(parents=True)
    movies = "".join(f"{n}::{t}::{g}\n" for n, (t, g) in MOVIES.items())
    (folder / "movies.dat").write_text(movies, encoding=encoding)
    lines = "".join(f"{u}::{m}::{r:g}::{at}\n" for u, m, r, at in RATINGS)
    (folder / "ratings.dat").write_text(lines)
    return folder


def write_parquet(folder: Path) -> Path:
    """ml-1m with its ratings as Parquet."""
    write_dat(folder)
    (folder / "ratings.dat").unlink()
    columns = ["userId", "movieId", "rating", "timestamp"]
    pl.DataFrame(RATINGS, schema=columns, orient="row").write_parquet(folder / "ratings.parquet")
    return folder


def write_100k(folder: Path) -> Path:
    """ml-100k's shape: own film numbers, genres as flags."""
    folder.mkdir(parents=True)
    flags = {1: "0001110000000000000", 2: "0100000000000001100", 3: "0000010000000010000"}
    lines = [
        f"{n}|{MOVIES[n][0]}|01-Jan-1995||http://example.invalid/|{'|'.join(flags[n])}\n"
        for n in (1, 2, 3)
    ]
    (folder / "u.item").write_text("".join(lines), encoding="latin-1")
    rows = [row for row in RATINGS if row[1] <= 3]
    text = "".join(f"{u}\t{m}\t{max(1, round(r))}\t{at}\n" for u, m, r, at in rows)
    (folder / "u.data").write_text(text)
    return folder


def run_import(target: Path | str, **options: str) -> ImportReport:
    """An import of a fixed day, without a progress bar."""
    return import_movielens(
        str(target), progress=lambda what, done, total: None, now_s=NOW_S, **options
    )


@pytest.fixture
def warehouse_dir(settings, tmp_path) -> Path:
    """Where the test's ratings go."""
    settings.VAR_DIR = tmp_path / "var"
    settings.WAREHOUSE_DIR = settings.VAR_DIR / "warehouse"
    return settings.WAREHOUSE_DIR


@pytest.fixture
def make_movie(db):
    """Films by hand: ``make_movie("Heat", 1995, "Crime", rating_count=3)``."""

    def make(title: str, year: int | None = None, *genres: str, **fields: object) -> Movie:
        movie = Movie.objects.create(title=title, year=year, **fields)
        for name in genres:
            genre, _ = Genre.objects.get_or_create(name=name, slug=name.lower())
            movie.genres.add(genre)
        return movie

    return make


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real MovieLens data."""
    folder = os.environ.get("MARQUEE_DATA_DIR", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("MARQUEE_DATA_DIR names no folder with MovieLens data")
    return Path(folder)
