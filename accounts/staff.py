"""Whoever can change other people's things needs a second factor (ADR 0017).

Without one a staff account is led to where it is set up and gets nowhere else: there is no list of
"staff pages" that a new page could be missing from.
"""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User


def lacks_second_factor(user: object) -> bool:
    """Whether this is somebody with power over others who has none where one is required."""
    if not settings.STAFF_MFA_REQUIRED or not isinstance(user, User):
        return False
    return (user.is_staff or user.is_superuser) and not is_mfa_enabled(user)


class StaffSecondFactorMiddleware:
    """Comes after authentication and messages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._is_held_up(request):
            said = _("Staff accounts need a second factor: set one up to go on.")
            if request.path.startswith("/api/"):
                error = {"code": "second_factor_required", "message": said, "fields": {}}
                return JsonResponse({"error": error}, status=403)
            messages.info(request, said)
            return redirect("mfa_index")
        return self.get_response(request)

    def _is_held_up(self, request: HttpRequest) -> bool:
        if not settings.STAFF_MFA_REQUIRED or self._is_open(request.path):
            return False
        return lacks_second_factor(request.user)

    def _is_open(self, path: str) -> bool:
        """Logging in and out, confirming oneself, and setting up the factor."""
        # Everything of allauth; none of it shows or changes what belongs to others.
        entrance = reverse("account_login").removesuffix("login/")
        return path.startswith((entrance, settings.STATIC_URL)) or path == reverse("theme")
