"""The Parquet warehouse: historic ratings, and DuckDB views over them.

Files live in ``WAREHOUSE_DIR/<dataset slug>/ratings/<fingerprint>.parquet``. A ``Dataset`` row
names the fingerprint that counts: a new file is written beside the old one, renamed into place, and
becomes true in the same transaction as the films. So whoever is killed when, the database and the
warehouse never disagree; files that no row names are swept by the next import.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from catalog.models import Dataset, ExternalId

if TYPE_CHECKING:
    from collections.abc import Sequence

RATING_SCHEMA = pa.schema(
    [
        ("source_user_id", pa.int64()),
        ("source_movie_id", pa.int64()),
        ("rating", pa.float32()),
        ("timestamp", pa.int64()),
    ]
)
# Reading: one person's number is unique over datasets, and above any number of an account here.
USER_KEY_BITS = 40
INCOMING_PREFIX = ".incoming-"
_ROW_GROUP = 1 << 20


class WarehouseError(Exception):
    """A file that the database names is missing or cannot be read."""


@dataclass(frozen=True)
class RatingsFile:
    """A finished file and what is in it."""

    path: Path
    fingerprint: str
    n_ratings: int
    n_users: int


def root() -> Path:
    """Where the warehouse lies."""
    return Path(settings.WAREHOUSE_DIR)


def ratings_path(dataset: Dataset) -> Path:
    """The file that counts for this dataset."""
    return root() / dataset.slug / "ratings" / f"{dataset.fingerprint}.parquet"


@contextmanager
def incoming() -> Iterator[Path]:
    """A folder on the warehouse's file system to prepare files in; gone afterwards."""
    root().mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=INCOMING_PREFIX, dir=root()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_ratings(tables: Iterable[pa.Table], path: Path) -> RatingsFile:
    """Write a stream of tables of ``RATING_SCHEMA``, in their order, to a new file.

    The fingerprint is a hash of the values, the same however the stream is cut into tables.
    """
    hashers = [hashlib.sha256() for _ in RATING_SCHEMA]
    n_ratings = 0
    users: list[np.ndarray] = []
    with pq.ParquetWriter(path, RATING_SCHEMA, compression="zstd") as writer:
        for table in tables:
            if table.num_rows == 0:
                continue
            columns = [table.column(name).to_numpy() for name in RATING_SCHEMA.names]
            for hasher, column in zip(hashers, columns, strict=True):
                hasher.update(np.ascontiguousarray(column).data)
            users.append(np.unique(columns[0]))
            n_ratings += table.num_rows
            writer.write_table(table.cast(RATING_SCHEMA), row_group_size=_ROW_GROUP)
    _fsync(path)
    n_users = len(np.unique(np.concatenate(users))) if users else 0
    digest = hashlib.sha256(b"".join(hasher.digest() for hasher in hashers)).hexdigest()
    return RatingsFile(path=path, fingerprint=digest, n_ratings=n_ratings, n_users=n_users)


def place(file: RatingsFile, slug: str) -> Path:
    """Rename a finished file to where its dataset will look for it; inert until a row names it."""
    folder = root() / slug / "ratings"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{file.fingerprint}.parquet"
    file.path.replace(target)
    _fsync(folder)
    return target


def sweep() -> int:
    """Delete what no dataset names: older files and what a killed import left. Returns how many.

    Only under the import lock: another import's folder would look left behind.
    """
    if not root().is_dir():
        return 0
    wanted = {ratings_path(dataset) for dataset in Dataset.objects.all()}
    swept = 0
    for folder in root().iterdir():
        if folder.name.startswith(INCOMING_PREFIX):
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
            continue
        for file in folder.glob("ratings/*.parquet"):
            if file not in wanted:
                file.unlink(missing_ok=True)
                swept += 1
        for empty in (folder / "ratings", folder):
            if empty.is_dir() and not any(empty.iterdir()):
                empty.rmdir()
    return swept


def current_files() -> list[tuple[Dataset, Path]]:
    """Every dataset with its file.

    Raises ``WarehouseError`` where a file is missing: training on less than the database says
    would be silent otherwise.
    """
    found = []
    for dataset in Dataset.objects.order_by("slug"):
        path = ratings_path(dataset)
        if not path.is_file():
            msg = (
                f"The ratings of {dataset.name} are not in the warehouse ({path} is missing). "
                "Import them again."
            )
            raise WarehouseError(msg)
        found.append((dataset, path))
    return found


def connect() -> duckdb.DuckDBPyConnection:
    """DuckDB with the views ``ratings`` (all datasets, with ``dataset``) and ``movie_ids``.

    ``movie_ids`` maps ``dataset, source_movie_id`` to our ``movie_id``. The connection is in
    memory and sees the warehouse of this moment.
    """
    connection = duckdb.connect(config={"temp_directory": str(root() / ".duckdb-tmp")})
    selects = [
        # Quoted values of our own: a view takes no parameters.
        f"SELECT {_quoted(dataset.slug)} AS dataset, source_user_id, source_movie_id, rating, "  # noqa: S608
        f"timestamp FROM read_parquet({_quoted(str(path))})"
        for dataset, path in current_files()
    ]
    empty = (
        "SELECT ''::VARCHAR AS dataset, 0::BIGINT AS source_user_id, 0::BIGINT AS source_movie_id, "
        "0::FLOAT AS rating, 0::BIGINT AS timestamp WHERE false"
    )
    connection.execute(f"CREATE VIEW ratings AS {' UNION ALL '.join(selects) or empty}")
    ids = pl.concat(
        [movie_ids(dataset).with_columns(dataset=pl.lit(dataset.slug)) for dataset in _datasets()]
        or [pl.DataFrame(schema={**_ID_SCHEMA, "dataset": pl.String})]
    )
    connection.register("ids", ids.to_arrow())
    connection.execute("CREATE TABLE movie_ids AS SELECT * FROM ids")
    connection.unregister("ids")
    return connection


def read_ratings() -> pl.DataFrame:
    """All historic ratings of films that we have.

    Columns ``user_key`` (i64, unique over datasets), ``movie_id`` (i64, ours), ``rating`` (f32),
    ``timestamp`` (i64, seconds); sorted by user_key, timestamp and then the order in the source.
    Where two of a source's films are one of ours, the person's later rating counts.
    """
    frames = []
    for dataset, path in current_files():
        ids = movie_ids(dataset)
        frame = (
            pl.read_parquet(path)
            .join(ids, on="source_movie_id", how="inner", maintain_order="left")
            .select(
                (pl.col("source_user_id") + (dataset.pk << USER_KEY_BITS)).alias("user_key"),
                "movie_id",
                "rating",
                "timestamp",
            )
            .sort("user_key", "timestamp", maintain_order=True)
        )
        if ids["movie_id"].is_duplicated().any():
            frame = frame.unique(["user_key", "movie_id"], keep="last", maintain_order=True)
        frames.append(frame)
    schema = {
        "user_key": pl.Int64,
        "movie_id": pl.Int64,
        "rating": pl.Float32,
        "timestamp": pl.Int64,
    }
    if not frames:
        return pl.DataFrame(schema=schema)
    # user_key starts with the dataset's number: in that order the whole is sorted.
    frames.sort(key=lambda frame: frame["user_key"].first() or 0)
    return pl.concat(frames)


def fingerprint() -> str:
    """Changes with the ratings and with which film they belong to; costs no reading of ratings."""
    hasher = hashlib.sha256()
    for dataset in _datasets():
        hasher.update(f"{dataset.pk} {dataset.slug} {dataset.fingerprint}\n".encode())
        ids = movie_ids(dataset).sort("source_movie_id")
        hasher.update(ids["source_movie_id"].to_numpy().tobytes())
        hasher.update(ids["movie_id"].to_numpy().tobytes())
    return hasher.hexdigest()


_ID_SCHEMA = {"source_movie_id": pl.Int64, "movie_id": pl.Int64}


def movie_ids(dataset: Dataset) -> pl.DataFrame:
    pairs = movie_ids_by_number(dataset.id_source)
    columns: Sequence[Sequence[int]] = (list(pairs), list(pairs.values()))
    return pl.DataFrame(dict(zip(_ID_SCHEMA, columns, strict=True)), schema=_ID_SCHEMA)


def movie_ids_by_number(id_source: str) -> dict[int, int]:
    """A source's numbers (IMDb's without "tt") to our film ids."""
    rows = ExternalId.objects.filter(source=id_source).values_list("value", "movie_id")
    return {int(value.removeprefix("tt")): movie_id for value, movie_id in rows}


def _datasets() -> list[Dataset]:
    return list(Dataset.objects.order_by("slug"))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
