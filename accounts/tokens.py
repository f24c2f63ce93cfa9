"""Personal API tokens: made once, shown once, kept as a digest.

A token is 256 random bits, so a fast digest is enough: there is nothing to guess that a slow one
would protect, and every request of a program pays for it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import ApiToken, User

PREFIX = "mq_"
SHOWN_CHARS = 8  # of a token, in lists: enough to tell one's own apart
MAX_TOKENS = 50
MIN_DAYS, MAX_DAYS = 1, 365
#: How exactly the time of last use is kept: a row written per request would cost more than it says.
SEEN_EVERY = timedelta(minutes=10)


class TokenError(ValueError):
    """The token cannot be made; the message says what would help."""


@dataclass(frozen=True)
class NewToken:
    """A token just made. ``secret`` is known here and nowhere else, ever again."""

    token: ApiToken
    secret: str


@transaction.atomic
def token_create(
    *, user: User, name: str, scopes: Collection[str], days: int, now: datetime | None = None
) -> NewToken:
    """A token that ends after ``days``. Raises TokenError; ``staff`` is for staff alone."""
    wanted = [scope for scope in ApiToken.Scope.values if scope in set(scopes)]
    if not wanted or len(wanted) != len(set(scopes)):
        raise TokenError("Choose what the token may do: read, write, or both.")
    if ApiToken.Scope.STAFF in wanted and not user.is_staff:
        raise TokenError("Only staff can make tokens for staff.")
    if not MIN_DAYS <= days <= MAX_DAYS:
        raise TokenError(f"A token lasts {MIN_DAYS} to {MAX_DAYS} days.")
    now = now or timezone.now()
    # Taken until the end, so that two requests at once cannot both be the last that fits.
    User.objects.select_for_update().only("pk").get(pk=user.pk)
    ApiToken.objects.filter(user=user, expires_at__lte=now).delete()
    if ApiToken.objects.filter(user=user).count() >= MAX_TOKENS:
        raise TokenError(f"There is room for {MAX_TOKENS} tokens. Revoke one first.")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name.strip(),
        digest=digest_of(secret),
        start=secret[: len(PREFIX) + SHOWN_CHARS],
        scopes=wanted,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    return NewToken(token, secret)


def token_of(secret: str, *, now: datetime | None = None) -> ApiToken | None:
    """The living token of somebody whose account is switched on, with its user; one query.

    Notes that it was used, at most once in ``SEEN_EVERY``.
    """
    if not secret.startswith(PREFIX):
        return None
    now = now or timezone.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(digest=digest_of(secret), expires_at__gt=now, user__is_active=True)
        .first()
    )
    if token and (token.last_used_at is None or token.last_used_at < now - SEEN_EVERY):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def token_revoke(*, token: ApiToken) -> None:
    """From this moment on it opens nothing."""
    token.delete()


def digest_of(secret: str) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
