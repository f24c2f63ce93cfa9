"""One pace for all processes that ask TMDB, kept in a Postgres row.

The generic cell rate algorithm: the row holds when the next request is due; taking a turn moves
it on by one interval in a single UPDATE, so callers queue on the row and each learns its own wait.
An idle bucket lets ``burst`` requests through at once. Source: ITU-T I.371, annex A.
"""

from __future__ import annotations

from django.db import connection, transaction

# The row exists after the first call; a later one finds it.
_TURN = """
    INSERT INTO catalog_ratelimit AS r (name, next_free_at)
    VALUES (%(name)s, clock_timestamp() + %(step)s * interval '1 second')
    ON CONFLICT (name) DO UPDATE SET next_free_at =
        GREATEST(r.next_free_at, clock_timestamp() - %(slack)s * interval '1 second')
        + %(step)s * interval '1 second'
    RETURNING EXTRACT(EPOCH FROM r.next_free_at - clock_timestamp()) - %(step)s
"""
_HOLD = """
    INSERT INTO catalog_ratelimit AS r (name, next_free_at)
    VALUES (%(name)s, clock_timestamp() + %(pause)s * interval '1 second')
    ON CONFLICT (name) DO UPDATE SET next_free_at =
        GREATEST(r.next_free_at, clock_timestamp() + %(pause)s * interval '1 second')
"""


class SharedPace:
    """At most ``per_s`` requests a second over all processes that use the same ``name``."""

    def __init__(self, name: str, *, per_s: float, burst: int = 5) -> None:
        self._name = name
        self._step_s = 1 / per_s
        self._slack_s = max(burst - 1, 0) * self._step_s

    def turn(self) -> float:
        """Take a turn; returns the seconds to wait before using it (0 where it is now)."""
        row = self._run(_TURN, {"step": self._step_s, "slack": self._slack_s})
        return max(0.0, float(row[0])) if row else 0.0

    def hold(self, pause_s: float) -> None:
        """Nobody asks for ``pause_s`` seconds: TMDB said so to one of us."""
        self._run(_HOLD, {"pause": pause_s})

    def _run(self, sql: str, values: dict[str, float]) -> tuple | None:
        # A lost turn after a crash of the server does no harm, waiting for its disk would.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")
            cursor.execute(sql, {"name": self._name, **values})
            return cursor.fetchone() if cursor.description else None
