"""allauth's log-in, after which a visitor's films are the account's.

It stands here rather than in ``accounts``, which knows nothing of films. Every way in (password,
passkey, sign-up, the link in a mail) goes through ``login``, once all its steps are passed.
"""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.translation import ngettext

from accounts.adapter import AccountAdapter
from accounts.models import User
from accounts.visitors import visitor_forget, visitor_of
from feedback.merging import visitor_merge

logger = logging.getLogger(__name__)


class MergingAccountAdapter(AccountAdapter):
    """Logs in and keeps what was done before."""

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """A merge that fails costs nobody their log-in: the next one tries again."""
        visitor = visitor_of(request)
        super().login(request, user)
        if visitor is None or not isinstance(user, User):
            return
        try:
            merged = visitor_merge(visitor=visitor, account=user)
        except DatabaseError:
            logger.exception("Visitor %s could not be merged into %s", visitor.pk, user.pk)
            return
        visitor_forget(request)
        if merged.n_films:
            said = ngettext(
                "What you said about one film is kept with your account.",
                "What you said about %(n)s films is kept with your account.",
                merged.n_films,
            )
            messages.success(request, said % {"n": merged.n_films})
