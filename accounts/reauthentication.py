"""Proof that it is still the same person who sits there: before all data leaves, or goes."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest, HttpResponse
from rest_framework import exceptions


@reauthentication_required
def _proven(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def is_proven(request: HttpRequest) -> bool:
    """They logged in, or gave their password or second factor again, a moment ago."""
    try:
        _proven(request)
    except ReauthenticationRequired:
        return False
    return True


def require_proven(request: HttpRequest) -> None:
    """For the API: 403 with a code of its own, and where to go."""
    if not is_proven(request):
        raise exceptions.PermissionDenied(
            "Confirm who you are at /accounts/reauthenticate/, then try again.",
            code="reauthentication_required",
        )
