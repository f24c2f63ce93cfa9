"""Ratings on disk -> :class:`Interactions`, and interactions -> weighted sparse matrices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from ml.idmap import IdMap
from ml.types import Interactions, LongArray

DAY_S = 86_400

# Looked for in this order inside a folder: MovieLens 1M re-issues, 20M/25M/latest, 1M, 100K.
FOLDER_FILES = ("ratings.parquet", "ratings.csv", "ratings.dat", "u.data")
ALIASES = {
    "user": "userId",
    "userid": "userId",
    "user_id": "userId",
    "item": "movieId",
    "itemid": "movieId",
    "item_id": "movieId",
    "movieid": "movieId",
    "movie_id": "movieId",
    "rating": "rating",
    "timestamp": "timestamp",
    "user_seq": "user_seq",
}


class DataError(ValueError):
    """The given file or folder cannot be read as ratings; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Ratings with the maps back to their own ids.

    ``has_timestamps`` is False where the source has no time column: protocols that need time
    refuse such a dataset instead of guessing an order.
    """

    name: str
    interactions: Interactions
    users: IdMap
    items: IdMap
    has_timestamps: bool


def load_ratings(path: Path, *, ordered_only: bool = False) -> Dataset:
    """Read a MovieLens folder, or a CSV or Parquet file with userId, movieId, rating[, timestamp].

    Rows keep the order of the source, which breaks ties of equal timestamps. A ``user_seq`` column
    (each person's true order) orders ties where it is known; ``ordered_only`` drops the rows
    without it, if there is such a column. Of several ratings of one film by one person the
    latest counts. Raises :class:`DataError`.
    """
    path = Path(path)
    source = find_ratings_file(path)
    frame = normalise(read_table(source), source)
    if "user_seq" in frame.columns:
        if ordered_only:
            frame = frame.drop_nulls("user_seq")
        frame = frame.sort("userId", "timestamp", "user_seq", nulls_last=True, maintain_order=True)
    has_timestamps = "timestamp" in frame.columns
    if not has_timestamps:
        frame = frame.with_columns(pl.lit(0, dtype=pl.Int64).alias("timestamp"))
    frame = (
        frame.with_row_index("row")
        .sort("timestamp", "row")
        .unique(["userId", "movieId"], keep="last", maintain_order=True)
        .sort("row")
    )
    users = IdMap.of(frame["userId"].to_numpy())
    items = IdMap.of(frame["movieId"].to_numpy())
    interactions = Interactions(
        user_index=users.index(frame["userId"].to_numpy()),
        item_index=items.index(frame["movieId"].to_numpy()),
        rating=frame["rating"].to_numpy().astype(np.float32),
        timestamp=frame["timestamp"].to_numpy().astype(np.int64),
        n_users=len(users),
        n_items=len(items),
    )
    name = path.stem if path.is_file() else path.resolve().name
    return Dataset(name, interactions, users, items, has_timestamps)


def find_ratings_file(path: Path) -> Path:
    """The file that holds the ratings of ``path`` (a file, or a folder in a MovieLens layout)."""
    if path.is_file():
        return path
    if not path.exists():
        raise DataError(
            f"{path} does not exist. Give a MovieLens folder, or a CSV or Parquet file."
        )
    for name in FOLDER_FILES:
        if (path / name).is_file():
            return path / name
    raise DataError(f"{path} holds none of {', '.join(FOLDER_FILES)}.")


def read_table(source: Path) -> pl.DataFrame:
    """The raw table of a ratings file; MovieLens' headerless layouts get their column names."""
    names = ["userId", "movieId", "rating", "timestamp"]
    suffix = source.suffix.lower()
    try:
        if suffix == ".parquet":
            return pl.read_parquet(source)
        if suffix == ".dat":
            # "::" is no separator polars knows; split at ":" every second column is empty.
            raw = pl.read_csv(source, separator=":", has_header=False, columns=[0, 2, 4, 6])
            return raw.rename(dict(zip(raw.columns, names, strict=True)))
        if suffix in {".data", ".base", ".test"}:
            return pl.read_csv(source, separator="\t", has_header=False, new_columns=names)
        if suffix in {".csv", ".tsv"}:
            return pl.read_csv(source, separator="," if suffix == ".csv" else "\t")
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise DataError(f"{source} cannot be read: {first_line}") from error
    raise DataError(f"{source}: unknown kind of file. Use .csv, .tsv, .parquet, .dat or u.data.")


def normalise(frame: pl.DataFrame, source: Path) -> pl.DataFrame:
    """Known columns under their own names and types; anything unusable raises DataError."""
    found = {c: ALIASES[c.lower()] for c in frame.columns if c.lower() in ALIASES}
    if len(set(found.values())) < len(found):
        raise DataError(f"{source}: two columns mean the same: {', '.join(sorted(found))}.")
    frame = frame.select(list(found)).rename(found) if found else frame
    missing = [c for c in ("userId", "movieId", "rating") if c not in frame.columns]
    if missing:
        raise DataError(f"{source} lacks the column(s) {', '.join(missing)}.")
    casts = [_cast(frame, column, source) for column in frame.columns]
    frame = frame.with_columns(casts)
    bad = frame.filter(
        pl.any_horizontal(pl.col("userId", "movieId", "rating").is_null())
        | ~pl.col("rating").is_finite()
    )
    if bad.height:
        raise DataError(f"{source}: {bad.height} row(s) without a user, a film or a finite rating.")
    if "timestamp" in frame.columns and frame["timestamp"].null_count():
        raise DataError(f"{source}: {frame['timestamp'].null_count()} row(s) without a timestamp.")
    return frame


def _cast(frame: pl.DataFrame, column: str, source: Path) -> pl.Expr:
    kind = frame.schema[column]
    if column == "timestamp" and kind.is_temporal():
        return pl.col(column).cast(pl.Datetime("us")).dt.epoch("s")
    if column == "rating":
        if not kind.is_numeric() and frame.height:
            raise DataError(f"{source}: rating is {kind}, not a number.")
        return pl.col(column).cast(pl.Float64)
    if not (kind.is_integer() or kind.is_float() or not frame.height):
        raise DataError(f"{source}: {column} is {kind}; whole numbers are needed.")
    if kind.is_float() and column != "timestamp":
        given = frame[column].drop_nulls()
        if not bool((given == given.round()).all()):
            raise DataError(f"{source}: {column} holds fractions; whole numbers are needed.")
    return pl.col(column).cast(pl.Int64)


@dataclass(frozen=True, slots=True)
class Weighting:
    """An event's weight: ``(1 + alpha * max(0, rating - min_rating)) * 2^(-age / half_life)``.

    Events below ``min_rating`` count nothing. ``half_life_days`` None: age doesn't matter. Age is
    measured from ``now`` (seconds since the epoch; None: the latest event). After Hu, Koren and
    Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (2008), with decay added.
    """

    min_rating: float = 0.0
    alpha: float = 0.0
    half_life_days: float | None = None
    now: int | None = None

    def weights(self, interactions: Interactions) -> NDArray[np.float32]:
        """float32[n_events]; 0 where the event doesn't count."""
        above = interactions.rating - np.float32(self.min_rating)
        weight = np.where(above >= 0, 1.0 + self.alpha * np.maximum(above, 0.0), 0.0)
        if self.half_life_days is not None and len(interactions):
            if self.half_life_days <= 0:
                raise ValueError("half_life_days must be positive")
            weight = weight * time_decay(
                interactions.timestamp, half_life_days=self.half_life_days, now=self.now
            )
        return weight.astype(np.float32)


def time_decay(
    timestamp: LongArray, *, half_life_days: float, now: int | None = None
) -> NDArray[np.float64]:
    """float64[n]: ``2^(-age / half_life)``; 1 from ``now`` (default: the latest event) on."""
    if not len(timestamp):
        return np.ones(0)
    end = int(timestamp.max()) if now is None else now
    age_days = np.maximum(end - timestamp, 0) / DAY_S
    return np.exp2(-age_days / half_life_days)


def positives(interactions: Interactions, *, min_rating: float) -> Interactions:
    """The events with at least ``min_rating`` stars."""
    return interactions.select(interactions.rating >= min_rating)


def to_csr(interactions: Interactions, weighting: Weighting | None = None) -> sparse.csr_matrix:
    """csr float32 [n_users, n_items]; repeated events of one pair add up."""
    weight = (weighting or Weighting()).weights(interactions)
    kept = weight != 0
    shape = (interactions.n_users, interactions.n_items)
    matrix = sparse.csr_matrix(
        (weight[kept], (interactions.user_index[kept], interactions.item_index[kept])),
        shape=shape,
        dtype=np.float32,
    )
    matrix.sum_duplicates()
    return matrix


def liked_matrix(interactions: Interactions, *, min_rating: float) -> sparse.csr_matrix:
    """csr float32 [n_users, n_items], 1 where somebody gave ``min_rating`` stars or more."""
    liked = to_csr(positives(interactions, min_rating=min_rating))
    liked.data[:] = 1.0
    return liked


def seen_items(interactions: Interactions) -> NDArray[np.bool_]:
    """bool[n_items]: films with at least one event."""
    return np.bincount(interactions.item_index, minlength=interactions.n_items) > 0
