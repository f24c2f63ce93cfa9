"""Where allauth asks us: what errors say, and where a log-in may lead."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts.deletion import deletion_of
from accounts.models import User
from accounts.requests import remember_language
from accounts.services import language_set

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """allauth's defaults, with our words and stricter redirects."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _("This account is switched off."),
        "duplicate_email": _("This address is already yours."),
        "email_password_mismatch": _(
            "This address and this password do not belong together. Check both, or choose a new "
            "password."
        ),
        "email_taken": _("There is an account with this address already. Log in instead."),
        "enter_current_password": _("This is not your current password."),
        "incorrect_code": _("This code is not right, or it is too old. Type the one shown now."),
        "incorrect_password": _("This is not your password."),
        "too_many_login_attempts": _(
            "Too many tries with a wrong password. Wait five minutes, or choose a new password."
        ),
        "unverified_primary_email": _("Confirm the address first."),
        "rate_limited": _("Too many tries. Wait a minute."),
    }

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """The account's language is this browser's from now on, and the other way round.

        Whoever comes back within the grace period of a deletion is offered to keep the account.
        """
        super().login(request, user)
        logger.info("Account %s logged in from %s", user.pk, self.get_client_ip(request))
        if not isinstance(user, User):
            return
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        if user.language:
            remember_language(request, user.language)
        elif chosen in dict(settings.LANGUAGES):
            language_set(user, chosen)
        asked = deletion_of(user)
        if asked is not None:
            said = _("This account will be deleted on %(day)s. You can keep it: Settings, Delete.")
            messages.warning(request, said % {"day": date_format(asked.due_at)})

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """To the page where it can be kept, if it is to go."""
        user = request.user
        if isinstance(user, User) and deletion_of(user) is not None:
            return reverse("accounts:delete")
        return super().get_login_redirect_url(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """The log says from where, not with which name or password."""
        super().authentication_failed(request, **credentials)
        logger.warning("A log-in failed from %s", self.get_client_ip(request))

    def is_safe_url(self, url: str) -> bool:
        """Only this very host: ALLOWED_HOSTS may name others that are not ours to lead to."""
        request = context.request
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
