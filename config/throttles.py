"""How often the API may be asked: counted in Redis, and in the process where Redis is away.

A limit in Postgres cost every request six queries and a commit to disk, 5 of 31 ms (measured on a
list of recommendations). Log-in limits stay there: they must survive a restart, these need not.
"""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

from django.core.cache import caches
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

if TYPE_CHECKING:  # the REST framework reads this module while it loads its own views
    from rest_framework.request import Request
    from rest_framework.views import APIView

# One household or one server has a network of its own in IPv6, and any number of addresses in it.
IPV6_PREFIX = 64


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

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """None, which is no limit, for accounts: they have their own."""
        if request.user and request.user.is_authenticated:
            return None
        return f"throttle_anon_{caller_network(self.get_ident(request))}"


class AccountThrottle(UserRateThrottle):
    """By account."""

    cache = _Counts()  # type: ignore[assignment]  # all of a cache that a throttle uses

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """None for whoever is counted by address: one limit each, one count to read and write."""
        if not (request.user and request.user.is_authenticated):
            return None
        return f"throttle_user_{request.user.pk}"


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
