"""A Redis cache that nobody has to be careful with: without Redis it is empty, at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import Redis
from redis.exceptions import RedisError

# A hung Redis costs its timeout (0.5 s) once in this time per process, not once per call.
RETRY_AFTER_S = 5.0


class _KeptClient(RedisCacheClient):
    """Django's makes a client for every call: a fiftieth of the time of an answer."""

    _kept: Redis | None = None

    def get_client(self, key: Any = None, *, write: bool = False) -> Redis:
        """The one client of this thread's cache; we name one server, so it reads and writes."""
        if self._kept is None:
            self._kept = super().get_client(key, write=write)
        return self._kept


# A window begins with its first event: nobody's minute is the clock's.
_COUNT = """
    local n = redis.call('INCR', KEYS[1])
    if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
    return {n, redis.call('PTTL', KEYS[1])}
"""


class DisposableCache(RedisCache):
    """Reads find nothing and writes do nothing while Redis is down or hangs.

    Only for what can be lost at any moment; log-in limits and sessions live in Postgres.
    """

    # Shared by the threads of the process; a lost race costs one more timeout.
    _asleep_until = 0.0

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _KeptClient

    def _try(self, call: Callable[[], Any], otherwise: Any) -> Any:
        if time.monotonic() < DisposableCache._asleep_until:
            return otherwise
        try:
            return call()
        except (RedisError, OSError):
            DisposableCache._asleep_until = time.monotonic() + RETRY_AFTER_S
            return otherwise

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        get = super().get
        return self._try(lambda: get(key, default, version), default)

    def set(self, key: str, value: Any, *args: Any, **kwargs: Any) -> None:
        set_one = super().set
        self._try(lambda: set_one(key, value, *args, **kwargs), None)

    def add(self, key: str, value: Any, *args: Any, **kwargs: Any) -> bool:
        """True where it was added, or where nothing can be remembered: the caller goes ahead."""
        add = super().add
        return bool(self._try(lambda: add(key, value, *args, **kwargs), True))

    def touch(self, key: str, *args: Any, **kwargs: Any) -> bool:
        touch = super().touch
        return bool(self._try(lambda: touch(key, *args, **kwargs), False))

    def delete(self, key: str, version: int | None = None) -> bool:
        delete = super().delete
        return bool(self._try(lambda: delete(key, version), False))

    def get_many(self, keys: Any, version: int | None = None) -> dict[str, Any]:
        get_many = super().get_many
        return dict(self._try(lambda: get_many(keys, version), {}))

    def has_key(self, key: str, version: int | None = None) -> bool:
        has_key = super().has_key
        return bool(self._try(lambda: has_key(key, version), False))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        incr = super().incr
        return int(self._try(lambda: incr(key, delta, version), delta))

    def count(self, key: str, *, window_s: float) -> tuple[int, float] | None:
        """(events of this key in its window, this one included; seconds until the window ends).

        One command. None where nothing can be remembered.
        """
        name, window_ms = self.make_and_validate_key(key), round(1000 * window_s)

        def counted() -> tuple[int, float]:
            client = self._cache.get_client(name, write=True)
            n, left_ms = client.register_script(_COUNT)(keys=[name], args=[window_ms])
            return n, left_ms / 1000

        return self._try(counted, None)

    def set_many(self, data: Any, *args: Any, **kwargs: Any) -> list[str]:
        set_many = super().set_many
        return list(self._try(lambda: set_many(data, *args, **kwargs), list(data)))

    def delete_many(self, keys: Any, version: int | None = None) -> None:
        delete_many = super().delete_many
        self._try(lambda: delete_many(keys, version), None)

    def clear(self) -> None:
        self._try(super().clear, None)
