"""Films' rating counts and means, from the warehouse."""

from __future__ import annotations

import duckdb
import polars as pl
from django.db import connection

from catalog import warehouse
from catalog.models import Dataset


def rating_stats_refresh() -> int:
    """Bring every film's count and mean in line with the datasets; returns how many changed.

    Simulated ratings count only while there are no real ones: ``Dataset`` rows of both kinds do not
    stay side by side (a MovieLens import replaces the simulated audience).
    """
    stats = _stats()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH new AS (
                SELECT * FROM unnest(%s::bigint[], %s::int[], %s::float8[]) AS t(id, n, mean)
            ), target AS (
                SELECT m.id, COALESCE(new.n, 0) AS n, new.mean
                FROM catalog_movie m LEFT JOIN new USING (id)
            )
            UPDATE catalog_movie m SET rating_count = target.n, rating_mean = target.mean
            FROM target
            WHERE m.id = target.id
              AND (m.rating_count, m.rating_mean) IS DISTINCT FROM (target.n, target.mean)
            """,
            [stats["movie_id"].to_list(), stats["n"].to_list(), stats["mean"].to_list()],
        )
        return cursor.rowcount


def _stats() -> pl.DataFrame:
    frames = [pl.DataFrame(schema={"movie_id": pl.Int64, "n": pl.Int64, "total": pl.Float64})]
    for dataset, path in warehouse.current_files():
        frames.append(_totals(dataset, str(path)))
    return (
        pl.concat(frames)
        .group_by("movie_id")
        .agg(pl.col("n").sum(), pl.col("total").sum())
        # Rounded, so that the order of adding up never makes a difference worth a write.
        .with_columns(mean=(pl.col("total") / pl.col("n")).round(6))
        .sort("movie_id")
    )


def _totals(dataset: Dataset, path: str) -> pl.DataFrame:
    with duckdb.connect() as duck:
        found = duck.sql(
            "SELECT source_movie_id, count(*)::BIGINT AS n, sum(rating)::DOUBLE AS total "
            "FROM read_parquet(?) GROUP BY 1",
            params=[path],
        )
        counted = pl.DataFrame(pl.from_arrow(found.to_arrow_table()))
    return counted.join(warehouse.movie_ids(dataset), on="source_movie_id").select(
        "movie_id", "n", "total"
    )
