"""Where somebody is logged in: allauth's log of sessions, read and ended."""

from __future__ import annotations

from allauth.usersessions.models import UserSession

from accounts.models import User


def devices_of(user: User) -> list[UserSession]:
    """Sessions that are alive, the latest used first; rows of those that ended go."""
    alive = UserSession.objects.purge_and_list(user)
    return sorted(alive, key=lambda session: session.last_seen_at, reverse=True)


def device_end(session: UserSession) -> None:
    """Logs the session out: its cookie or token opens nothing any more."""
    session.end()
