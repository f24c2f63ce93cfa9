"""MovieLens' ratings as a stream of checked tables; 32 million rows never lie in memory at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.ingestion.errors import IngestionError
from catalog.ingestion.layouts import Dataset
from catalog.ingestion.rejects import Reject, RejectLog
from catalog.warehouse import RATING_SCHEMA

BLOCK_BYTES = 8 << 20
MAX_LINE_BYTES = 1 << 16
# MovieLens began in 1995; what lies before or in the future is no time of a rating.
MIN_TIMESTAMP = 631_152_000  # 1990-01-01
_COLUMNS = ("userId", "movieId", "rating", "timestamp")
_CHECKED = ("line", "raw", *_COLUMNS)
_MAX_INT32 = (1 << 31) - 1


@dataclass(frozen=True)
class Checks:
    """What a rating is held against."""

    known_films: frozenset[int]
    max_timestamp: int


@dataclass
class Counts:
    """Rows read so far, with the rejected ones."""

    rows: int = 0


def rating_tables(
    dataset: Dataset,
    *,
    checks: Checks,
    rejects: RejectLog | None,
    counts: Counts,
    losers: np.ndarray | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> Iterator[pa.Table]:
    """Tables of ``RATING_SCHEMA``, in the file's order.

    ``losers``: lines that a later line replaces. ``rejects`` None: a second reading, whose wrong
    rows are known already. Raises ``IngestionError`` for a file of another kind.
    """
    known = pl.Series(sorted(checks.known_films), dtype=pl.Int64)
    for frame in _frames(dataset, on_bytes=on_bytes):
        counts.rows += frame.height
        checked = frame.with_columns(reason=_reason(known, checks.max_timestamp))
        if rejects is not None:
            wrong = checked.filter(pl.col("reason").is_not_null())
            for line, reason, raw in wrong.select("line", "reason", "raw").iter_rows():
                rejects.add(Reject(dataset.ratings.name, line, reason, raw or ""))
        good = checked.filter(pl.col("reason").is_null())
        if losers is not None:
            good = good.filter(~pl.col("line").is_in(losers))
        yield _as_table(good)


def repeated_lines(
    dataset: Dataset, written: Path, *, checks: Checks, rejects: RejectLog
) -> np.ndarray:
    """Lines whose person rated the same film again on a later line; each is noted as rejected.

    The question is answered by DuckDB on the file written (spilling to disk where memory is short);
    only where there are such pairs is the source read again for their lines.
    """
    with duckdb.connect(
        config={"memory_limit": "1GB", "temp_directory": str(written.parent / "spill")}
    ) as connection:
        found = connection.sql(
            "SELECT source_user_id AS user, source_movie_id AS movie FROM read_parquet(?) "
            "GROUP BY ALL HAVING count(*) > 1",
            params=[str(written)],
        )
        pairs = pl.DataFrame(pl.from_arrow(found.to_arrow_table()))
    if pairs.is_empty():
        return np.empty(0, dtype=np.int64)
    known = pl.Series(sorted(checks.known_films), dtype=pl.Int64)
    rows = pl.concat(
        frame.filter(_reason(known, checks.max_timestamp).is_null())
        .join(pairs, left_on=["userId", "movieId"], right_on=["user", "movie"], how="semi")
        .select("line", "raw", "userId", "movieId")
        for frame in _frames(dataset)
    )
    lost = rows.with_columns(last=pl.col("line").max().over("userId", "movieId")).filter(
        pl.col("line") < pl.col("last")
    )
    for line, raw, last in lost.sort("line").select("line", "raw", "last").iter_rows():
        reason = "the same person rated the same film again on a later line"
        rejects.add(Reject(dataset.ratings.name, line, reason, f"{raw} (line {last})"))
    return lost["line"].to_numpy()


def size_of(dataset: Dataset) -> int:
    """What ``on_bytes`` counts up to."""
    if dataset.layout.is_parquet:
        return pq.ParquetFile(dataset.ratings).metadata.num_rows
    return dataset.ratings.stat().st_size


def _reason(known: pl.Series, max_timestamp: int) -> pl.Expr:
    """Why a row is not taken; null for a good one."""
    user, movie, rating, when = (pl.col(name) for name in _COLUMNS)
    doubled = rating * 2
    return (
        pl.when(pl.col("n_columns") != len(_COLUMNS))
        .then(pl.format("has {} columns, 4 are due", "n_columns"))
        .when(user.is_null() | (user < 1) | (user > _MAX_INT32))
        .then(pl.lit("the person's id is no positive whole number"))
        .when(movie.is_null() | (movie < 1))
        .then(pl.lit("the film's id is no positive whole number"))
        .when(~movie.is_in(known.implode()))
        .then(pl.lit("the film is not in the list of films"))
        .when(rating.is_null() | rating.is_nan())
        .then(pl.lit("the rating is no number"))
        .when((rating < 0.5) | (rating > 5) | (doubled != doubled.round()))
        .then(pl.lit("the rating is not one of 0.5, 1, 1.5 ... 5"))
        .when(when.is_null())
        .then(pl.lit("the time is no whole number of seconds"))
        .when((when < MIN_TIMESTAMP) | (when > max_timestamp))
        .then(pl.lit("the time lies before 1990 or in the future"))
    )


def _as_table(frame: pl.DataFrame) -> pa.Table:
    selected = frame.select(
        pl.col("userId").alias("source_user_id"),
        pl.col("movieId").alias("source_movie_id"),
        pl.col("rating").cast(pl.Float32),
        "timestamp",
    )
    return selected.to_arrow().cast(RATING_SCHEMA)


def _frames(
    dataset: Dataset, on_bytes: Callable[[int], None] | None = None
) -> Iterator[pl.DataFrame]:
    """Columns ``line``, ``raw``, ``n_columns`` and the four values, null where unreadable."""
    if dataset.layout.is_parquet:
        yield from _parquet_frames(dataset.ratings, on_bytes)
    else:
        yield from _text_frames(dataset, on_bytes)


def _parquet_frames(path: Path, on_bytes: Callable[[int], None] | None) -> Iterator[pl.DataFrame]:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise IngestionError(f"{path} is no Parquet file: {error}.") from error
    missing = [name for name in _COLUMNS if name not in file.schema_arrow.names]
    if missing:
        raise IngestionError(f"{path} lacks the column {' and '.join(missing)}.")
    done = 0
    for batch in file.iter_batches(batch_size=1 << 18, columns=list(_COLUMNS)):
        values = pl.DataFrame(pl.from_arrow(batch)).select(
            pl.col("userId", "movieId", "timestamp").cast(pl.Int64, strict=False),
            pl.col("rating").cast(pl.Float64, strict=False),
        )
        yield values.with_columns(
            line=pl.int_range(done + 1, done + values.height + 1, dtype=pl.Int64),
            raw=pl.concat_str(
                [pl.col(name) for name in _COLUMNS], separator=",", ignore_nulls=True
            ),
            n_columns=pl.lit(len(_COLUMNS)),
        )
        done += values.height
        if on_bytes:
            on_bytes(done)


def _text_frames(
    dataset: Dataset, on_bytes: Callable[[int], None] | None
) -> Iterator[pl.DataFrame]:
    layout = dataset.layout
    order: list[int] = list(range(len(_COLUMNS)))
    width = len(_COLUMNS)
    line, done = 1, 0
    for block in _blocks(dataset.ratings):
        done += len(block)
        lines = _lines(block)
        if line == 1 and layout.has_header:
            order, width = _header(dataset.ratings, str(lines[0] or ""))
            lines, line = lines[1:], 2
        frame = pl.DataFrame(
            {
                "line": pl.int_range(line, line + len(lines), dtype=pl.Int64, eager=True),
                "raw": lines,
            }
        )
        line += len(lines)
        yield _split(frame, layout.separator, order, width)
        if on_bytes:
            on_bytes(done)


def _split(frame: pl.DataFrame, separator: str, order: list[int], width: int) -> pl.DataFrame:
    # A blank line is no rating and no mistake.
    frame = frame.filter(pl.col("raw").str.strip_chars() != "")
    cells = pl.col("raw").str.split(separator)
    as_number = {"userId": pl.Int64, "movieId": pl.Int64, "timestamp": pl.Int64}
    # A file with further columns has width > 4; what is counted is how far a row is from whole.
    n_columns = cells.list.len().cast(pl.Int64) - width + len(_COLUMNS)
    return frame.with_columns(
        n_columns=n_columns,
        **{
            name: cells.list.get(place, null_on_oob=True).cast(
                as_number.get(name, pl.Float64), strict=False
            )
            for name, place in zip(_COLUMNS, order, strict=True)
        },
    )


def _header(path: Path, text: str) -> tuple[list[int], int]:
    names = [cell.strip().strip('"') for cell in text.lstrip("\ufeff").split(",")]
    missing = [name for name in _COLUMNS if name not in names]
    if missing:
        raise IngestionError(
            f"{path} lacks the column {' and '.join(missing)}; its first line is {text[:100]!r}."
        )
    return [names.index(name) for name in _COLUMNS], len(names)


def _blocks(path: Path) -> Iterator[bytes]:
    """The file in blocks of whole lines."""
    rest = b""
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                block = rest + block
                cut = block.rfind(b"\n") + 1
                block, rest = block[:cut], block[cut:]
                if len(rest) > MAX_LINE_BYTES or b"\0" in block:
                    raise IngestionError(f"{path} is not a text file of ratings.")
                if block:
                    yield block
    except OSError as error:
        raise IngestionError(f"{path} cannot be read: {error.strerror}.") from error
    if rest:
        yield rest


def _lines(block: bytes) -> pl.Series:
    """The lines of a block, without their ends. Cut in Arrow buffers, not into Python objects."""
    if not block.isascii():
        # Bytes that are no UTF-8 become U+FFFD: such a row is then refused for what it holds.
        block = block.decode("utf-8", "replace").encode()
    bytes_ = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(bytes_ == ord("\n")).astype(np.int64) + 1
    if not len(ends) or ends[-1] != len(block):
        ends = np.append(ends, len(block))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), ends])
    array = pa.Array.from_buffers(
        pa.large_binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(block)]
    )
    lines = pl.Series(pl.from_arrow(array)).cast(pl.String)
    return lines.str.strip_chars_end("\r\n")
