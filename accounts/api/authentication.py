"""The three ways to say who asks: a personal token, an app's session, a browser's session."""

from __future__ import annotations

from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.staff import lacks_second_factor
from accounts.tokens import token_of


class TokenAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer mq_...``; ``request.auth`` is the token."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """None where the header is not there or speaks of another scheme."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token_of(secret.strip())
        if token is None:
            raise exceptions.AuthenticationFailed(
                "This token does not exist, has ended or was revoked.", code="invalid_token"
            )
        _refuse_without_factor(token.user)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="Marquee"'


class AppAuthentication(XSessionTokenAuthentication):
    """``X-Session-Token``, as allauth's headless log-in hands it out."""

    def authenticate(self, request: Request) -> tuple | None:
        """A token that leads nowhere is refused: the app must know that its log-in has ended."""
        if not self.get_session_token(request):
            return None
        found = super().authenticate(request)
        if found is None:
            raise exceptions.AuthenticationFailed(
                "This session has ended or is not logged in yet.", code="invalid_session"
            )
        _refuse_without_factor(found[0])
        return found


def _refuse_without_factor(user: object) -> None:
    """What the middleware asks of browsers: these two come without its session."""
    if lacks_second_factor(user):
        raise exceptions.PermissionDenied(
            "Staff accounts need a second factor: set one up on the site to go on.",
            code="second_factor_required",
        )


class BrowserAuthentication(authentication.SessionAuthentication):
    """The session cookie, with the CSRF token on every write."""

    def enforce_csrf(self, request: Request) -> None:
        """The same check under a code of its own."""
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as error:
            raise exceptions.PermissionDenied(str(error.detail), code="csrf_failed") from error
