"""Where somebody is logged in: allauth's log of sessions, read, named and ended."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from ua_parser import parse

from accounts.models import User

# Of a program that nobody knows, the start of what it says is shown.
MAX_NAME = 60


def devices_of(user: User) -> list[UserSession]:
    """Sessions that are alive, the latest used first; two queries, whatever their number.

    Rows of those that ended stay until the tidying (accounts.retention): looking deletes nothing.
    """
    rows = list(UserSession.objects.filter(user=user).order_by("-last_seen_at", "-pk"))
    kept = Session.objects.filter(
        pk__in=[row.session_key for row in rows], expire_date__gt=timezone.now()
    )
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    alive = {session.pk for session in kept if _is_logged_in(session, user, hashes)}
    return [row for row in rows if row.session_key in alive]


def device_name(user_agent: str) -> str:
    """ "Firefox on Windows", as far as a browser tells; an app's own name for itself."""
    seen = parse(user_agent)
    browser = seen.user_agent.family.removeprefix("Headless") if seen.user_agent else ""
    system = seen.os.family if seen.os else ""
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    known = browser or user_agent.strip()[:MAX_NAME] or system
    return known or _("Unknown")


def device_end(session: UserSession) -> None:
    """Logs the session out: its cookie or token opens nothing any more."""
    session.end()


def _is_logged_in(session: Session, user: User, hashes: list[str]) -> bool:
    """Whether it opens anything: a change of the password ends all that were begun before."""
    data = session.get_decoded()
    made_with = data.get(HASH_SESSION_KEY, "")
    return data.get(SESSION_KEY) == str(user.pk) and any(
        constant_time_compare(made_with, known) for known in hashes
    )
