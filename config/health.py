"""What this process depends on and whether it answers."""

from __future__ import annotations

from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection


@dataclass(frozen=True)
class Readiness:
    """Postgres is needed to serve; Redis is not (everything works on without it)."""

    postgres: str
    redis: str

    @property
    def is_ready(self) -> bool:
        """Whether requests can be answered."""
        return self.postgres == "ok"

    def as_dict(self) -> dict[str, str]:
        """For ``/readyz``."""
        status = "ready" if self.is_ready else "not ready"
        return {"status": status, "postgres": self.postgres, "redis": self.redis}


def readiness() -> Readiness:
    """Ask each dependency; short timeouts, never an exception."""
    return Readiness(postgres=_postgres(), redis=_redis())


def _postgres() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        connection.close()
        return "down"
    return "ok"


def _redis() -> str:
    # Not through the cache, which hides a dead Redis on purpose.
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=0.3, socket_timeout=0.5
    )
    try:
        client.ping()
    except (redis.RedisError, OSError):
        return "down"
    finally:
        client.close()
    return "ok"
