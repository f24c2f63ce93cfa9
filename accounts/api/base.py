"""The base of every operation under ``/api/v1/``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.permissions import SAFE_METHODS, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.api.authentication import (
    AppAuthentication,
    BrowserAuthentication,
    TokenAuthentication,
)
from accounts.api.endings import Ending
from accounts.api.errors import BodyTooLarge, LoginNeeded, MissingScope
from accounts.api.idempotency import answer_once, key_of
from accounts.models import ApiToken, User
from accounts.requests import person_of

MAX_BODY_BYTES = 64 * 1024
#: What an answer says of limits and endings it says without its body, too.
KEPT_OF_304 = (
    *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy"),
    *("Deprecation", "Sunset", "Link"),
)
PUBLIC_MAX_AGE_S = 60


class Api(APIView):
    """One operation: who may ask, how much, how often, and how its answer may be kept.

    A personal token needs the scope ``read`` for GET and ``write`` otherwise, and ``staff``
    besides where only staff may ask; a POST that stores nothing of the caller's says so in
    ``scopes``. Answers are personal and kept by no cache, unless ``is_public``: then they are the
    same for everybody, and a shared cache may keep them for a minute.
    """

    authentication_classes = [TokenAuthentication, AppAuthentication, BrowserAuthentication]

    #: Method -> scope, where it is not what the method says.
    scopes: ClassVar[dict[str, str]] = {}
    #: Only somebody who logged in may do it, never a program with a token.
    needs_login: ClassVar[bool] = False
    is_public: ClassVar[bool] = False
    max_body_bytes: ClassVar[int] = MAX_BODY_BYTES
    #: Top-level fields of an answer that are shown once: kept answers hold null for them.
    secret_fields: ClassVar[tuple[str, ...]] = ()
    #: Method -> when it goes, of operations that something else replaces.
    endings: ClassVar[dict[str, Ending]] = {}

    _throttles: Sequence[BaseThrottle] = ()

    @classmethod
    def scopes_needed(cls, method: str) -> list[str]:
        """What a personal token must be allowed for this method."""
        usual = ApiToken.Scope.READ if method in SAFE_METHODS else ApiToken.Scope.WRITE
        needed = [str(cls.scopes.get(method, usual))]
        if any(issubclass(kind, IsAdminUser) for kind in cls.permission_classes):  # type: ignore[arg-type]
            needed.append(str(ApiToken.Scope.STAFF))
        return needed

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Size before identity, identity before limits, and the key last: it needs all of them."""
        _read_body(request._request, self.max_body_bytes)
        super().initial(request, *args, **kwargs)
        if request.method in SAFE_METHODS:
            return
        key, person = key_of(request._request), person_of(request)
        name = (request.method or "").lower()
        if key and isinstance(person, User) and hasattr(self, name):
            # The REST framework looks the handler up on the view after this.
            setattr(self, name, partial(self._once, getattr(self, name), person, key))

    def _once(
        self,
        handler: Any,
        person: User,
        key: str,
        request: Request,
        *args: Any,
        **kwargs: Any,
    ) -> HttpResponseBase:
        return answer_once(
            partial(handler, request, *args, **kwargs),
            request=request._request,
            user=person,
            key=key,
            on_refusal=self.handle_exception,
            secret_fields=self.secret_fields,
        )

    def check_permissions(self, request: Request) -> None:
        """The person's rights, then the token's."""
        super().check_permissions(request)
        if not isinstance(request.auth, ApiToken):
            return
        if self.needs_login:
            raise LoginNeeded
        for scope in self.scopes_needed(request.method or ""):
            if scope not in request.auth.scopes:
                raise MissingScope(scope)

    def get_throttles(self) -> Sequence[BaseThrottle]:  # type: ignore[override]
        """Kept: their counts are headers of the answer."""
        self._throttles = super().get_throttles()
        return self._throttles

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> Response:
        """Limits, caching and validators, which every answer says."""
        done = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]
        ending = self.endings.get("GET" if request.method == "HEAD" else request.method or "")
        said = ending.headers() if ending else {}
        for name, value in {**_limit_headers(self._throttles), **said}.items():
            done[name] = value
        if "Cache-Control" not in done:
            is_shared = self.is_public and done.status_code == 200
            shared = f"public, max-age={PUBLIC_MAX_AGE_S}"
            done["Cache-Control"] = shared if is_shared else "private, no-store"
        if request.method in ("GET", "HEAD") and done.status_code == 200:
            validate = partial(_validated, request._request)
            if not isinstance(done, Response):  # a file: it is rendered already
                return validate(done) or done
            done.add_post_render_callback(validate)
        return done


def acts_as_staff(request: Request) -> bool:
    """Whether the caller is staff, and where a token asks, whether it may act as such."""
    is_staff = isinstance(request.user, User) and request.user.is_staff
    if isinstance(request.auth, ApiToken):
        return is_staff and ApiToken.Scope.STAFF in request.auth.scopes
    return is_staff


def _read_body(request: HttpRequest, limit: int) -> None:
    """Reads the body while it is small enough to be read whole."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > limit:
        raise BodyTooLarge(limit)
    if (request.content_type or "").startswith("application/json"):
        len(request.body)


def _limit_headers(throttles: Sequence[BaseThrottle]) -> dict[str, str]:
    """Of the limit that is nearest; none where nothing limits."""
    # As config.throttles.WindowThrottle counts them.
    counted: list[tuple[int, Any]] = [
        (limit.num_requests - limit.count, limit)  # type: ignore[attr-defined]  # looked for below
        for limit in throttles
        if getattr(limit, "count", None) is not None
    ]
    if not counted:
        return {}
    left, limit = min(counted, key=lambda pair: pair[0])
    return {
        "RateLimit-Limit": str(limit.num_requests),
        "RateLimit-Remaining": str(max(0, left)),
        "RateLimit-Reset": str(max(1, round(limit.reset_s))),
        "RateLimit-Policy": f"{limit.num_requests};w={limit.duration}",
    }


def _validated(request: HttpRequest, response: Any) -> HttpResponse | None:
    """With its ETag; 304 for whoever has this very answer already."""
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response["ETag"] = etag
    answer = get_conditional_response(request, etag=etag, response=response)
    if answer is None or answer is response:
        return None
    for name in KEPT_OF_304:
        if name in response:
            answer[name] = response[name]
    return answer
