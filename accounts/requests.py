"""Who is asking."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from accounts.models import User


def signed_in(user: User | AnonymousUser) -> User:
    """``request.user`` behind a log-in check: the check is the caller's, this is its proof.

    Raises TypeError for a visitor: a view that comes here without its check is a bug.
    """
    if not isinstance(user, User):
        raise TypeError("This view needs a signed-in person; it lacks its log-in check.")
    return user
