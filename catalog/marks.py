"""Whether tables were written to, without reading them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

_MARK_SQL = """
    SELECT current_setting('track_counts')::bool, sum(
        pg_stat_get_tuples_inserted(oid) + pg_stat_get_tuples_updated(oid)
        + pg_stat_get_tuples_deleted(oid)
    )::bigint
    FROM unnest(%s::regclass[]) AS tables (oid)
"""


def rows_written(tables: Sequence[str]) -> int | None:
    """Another number after every write to these tables; None where Postgres counts nothing.

    Postgres makes a transaction's counts known within 10 s.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MARK_SQL, [list(tables)])
        is_counted, n = cursor.fetchone()
    return n if is_counted else None
