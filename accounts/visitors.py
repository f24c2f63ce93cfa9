"""Who is somebody without an account: a row of their own, bound to one session.

The session holds an unguessable key that only its visitor's row has. Nothing else leads there: no
id in a form, an address or an API can name a visitor.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User

SESSION_KEY = "visitor"
SEEN_EVERY = timedelta(days=1)  # how exactly the time of the last feedback is kept


def visitor_of(request: HttpRequest) -> User | None:
    """The visitor whose session this is. One query, none where the session knows nobody."""
    key = request.session.get(SESSION_KEY)
    if not isinstance(key, str):
        return None
    return User.objects.filter(visitor_key=key, is_visitor=True, merged_into=None).first()


def visitor_seen(request: HttpRequest, visitor: User) -> None:
    """Puts off the end of the session and of the visitor, once a day at most."""
    now = timezone.now()
    if visitor.visitor_seen_at and visitor.visitor_seen_at > now - SEEN_EVERY:
        return
    visitor.visitor_seen_at = now
    visitor.save(update_fields=["visitor_seen_at"])
    request.session.set_expiry(settings.VISITOR_IDLE_DAYS * 24 * 3600)


@transaction.atomic
def visitor_begin(request: HttpRequest) -> User:
    """A new visitor, in a session of a new name.

    The new name is against session fixation: who planted or saw the old one has nothing of what
    the visitor does from here on.
    """
    visitor = User.objects.create_visitor()
    request.session[SESSION_KEY] = visitor.visitor_key
    request.session.set_expiry(settings.VISITOR_IDLE_DAYS * 24 * 3600)
    request.session.cycle_key()
    return visitor


def visitor_forget(request: HttpRequest) -> None:
    """The session no longer leads to a visitor; it lasts as long as others again."""
    if request.session.pop(SESSION_KEY, None) is not None:
        request.session.set_expiry(None)


def visitors_sweep(*, now: datetime | None = None) -> int:
    """Deletes visitors who did nothing for ``VISITOR_IDLE_DAYS``, with all that was theirs.

    How many. Whoever became an account is among them: their row was empty since.
    """
    idle_since = (now or timezone.now()) - timedelta(days=settings.VISITOR_IDLE_DAYS)
    idle = User.objects.filter(is_visitor=True, visitor_seen_at__lt=idle_since)
    n_idle = idle.count()
    idle.delete()
    return n_idle
