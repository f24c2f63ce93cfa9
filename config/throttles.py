"""How often the API may be asked: counted in Redis, and in the process where Redis is away.

A limit in Postgres cost every request six queries and a commit to disk, 5 of 31 ms (measured on a
list of recommendations). Log-in limits stay there: they must survive a restart, these need not.
"""

from __future__ import annotations

from typing import Any

from django.core.cache import caches
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle


class _Counts:
    """What Redis remembers, else what this process does."""

    def get(self, key: str, default: Any = None) -> Any:
        shared = caches["disposable"].get(key)
        return caches["process"].get(key, default) if shared is None else shared

    def set(self, key: str, value: Any, timeout: float) -> None:
        caches["disposable"].set(key, value, timeout)
        caches["process"].set(key, value, timeout)


class VisitorThrottle(AnonRateThrottle):
    """By address, for whoever is not logged in."""

    cache = _Counts()  # type: ignore[assignment]  # all of a cache that a throttle uses


class AccountThrottle(UserRateThrottle):
    """By account."""

    cache = _Counts()  # type: ignore[assignment]  # all of a cache that a throttle uses
