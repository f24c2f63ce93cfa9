"""How often the API may be asked: counted in Redis, and in the process where Redis is away.

A limit in Postgres cost every request six queries and a commit to disk, 5 of 31 ms (measured on a
list of recommendations); the times of all requests of a minute, read and written back, 1.3 of the
4.6 ms of an empty answer. So a window has one number, and a request is one command. Log-in limits
stay in Postgres: they must survive a restart, these need not.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_address
from time import monotonic
from typing import TYPE_CHECKING, cast

from django.core.cache import caches
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle, UserRateThrottle

from config.cache import DisposableCache

if TYPE_CHECKING:  # the REST framework reads this module while it loads its own views
    from rest_framework.request import Request
    from rest_framework.views import APIView

# One household or one server has a network of its own in IPv6, and any number of addresses in it.
IPV6_PREFIX = 64
# Windows that a process without Redis keeps: beyond, those that ended go, and if need be all.
MAX_KEPT = 10_000


@dataclass(eq=False)
class ProcessCounts:
    """What one process counts by itself."""

    _windows: dict[str, tuple[int, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, key: str, *, window_s: float) -> tuple[int, float]:
        """As ``DisposableCache.count``, which counts for all processes."""
        now = monotonic()
        with self._lock:
            n, ends = self._windows.get(key, (0, 0.0))
            if ends <= now:
                n, ends = 0, now + window_s
                if len(self._windows) >= MAX_KEPT:
                    self._forget_ended(now)
            self._windows[key] = n + 1, ends
        return n + 1, ends - now

    def _forget_ended(self, now: float) -> None:
        kept = {key: window for key, window in self._windows.items() if window[1] > now}
        self._windows = kept if len(kept) < MAX_KEPT else {}


_own_counts = ProcessCounts()


class WindowThrottle(SimpleRateThrottle):
    """So many requests a window, which begins with the first of them.

    Two windows that meet may let through twice the rate within one window's time.
    """

    num_requests: int | None
    duration: int | None
    #: Requests of the caller's window, this one included; None where nothing limits.
    count: int | None = None
    #: Seconds until the window ends.
    reset_s = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Counts it, whether it is let through or not."""
        key = self.get_cache_key(request, view) if self.rate is not None else None
        if key is None:
            return True
        window_s = float(self.duration or 0)
        shared = cast(DisposableCache, caches["disposable"])
        found = shared.count(key, window_s=window_s)
        self.count, self.reset_s = found or _own_counts.count(key, window_s=window_s)
        return self.count <= (self.num_requests or 0)

    def wait(self) -> float:
        """Seconds after which the caller is let through again."""
        return self.reset_s


class VisitorThrottle(WindowThrottle, AnonRateThrottle):
    """By address, for whoever is not logged in."""

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """None, which is no limit, for accounts: they have their own."""
        if request.user and request.user.is_authenticated:
            return None
        return f"calls_anon_{caller_network(self.get_ident(request))}"


class AccountThrottle(WindowThrottle, UserRateThrottle):
    """By account."""

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """None for whoever is counted by address: one limit each, one count to read and write."""
        if not (request.user and request.user.is_authenticated):
            return None
        return f"calls_user_{request.user.pk}"


def caller_network(ident: str) -> str:
    """An IPv6 address as its /64; anything else as it is."""
    try:
        address = ip_address(ident.strip("[]"))
    except ValueError:
        return ident
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((address, IPV6_PREFIX), strict=False))
