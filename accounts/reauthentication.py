"""Proof that it is still the same person who sits there: before all data leaves, or goes."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from accounts.api.errors import ProofNeeded
from accounts.requests import session_of, signed_in


@reauthentication_required
def _proven(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def is_proven(request: Request) -> bool:
    """They gave their password or second factor again a moment ago, in this session.

    Of an app that is the session of its token: the request's own is for cookies, and empty.
    """
    asked = HttpRequest()
    asked.user = signed_in(request.user)
    asked.session = session_of(request)
    try:
        _proven(asked)
    except ReauthenticationRequired:
        return False
    return True


def require_proven(request: Request) -> None:
    """Raises ProofNeeded, a 403 that says where to go."""
    if not is_proven(request):
        raise ProofNeeded
