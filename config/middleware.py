"""Request identity, health answers that need nothing else to work, addresses, privacy of pages."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from csp.constants import HEADER
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from config import health
from config.logs import request_id_var, request_var

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Takes a well-formed ``X-Request-ID`` from a proxy, else makes one; answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _SAFE_ID.fullmatch(given) else uuid.uuid4().hex
        token, request_token = request_id_var.set(request_id), request_var.set(request)
        try:
            response = self.get_response(request)
        finally:
            request_id_var.reset(token)
            request_var.reset(request_token)
        response["X-Request-ID"] = request_id
        return response


class HealthMiddleware:
    """``/livez`` and ``/readyz`` before hosts, sessions and redirects can get in the way."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/livez":
            return JsonResponse({"status": "alive"})
        if request.path == "/readyz":
            report = health.readiness()
            return JsonResponse(report.as_dict(), status=200 if report.is_ready else 503)
        return self.get_response(request)


class AddressMiddleware:
    """Postgres keeps no NUL: an address with one names nothing, where a query would be an error."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            # U+FFFD stands in no key, and a view answers as it does for any that is not there.
            request.path_info = request.path_info.replace("\0", "\ufffd")
            request.path = request.path.replace("\0", "\ufffd")
        return self.get_response(request)


class ContentPolicyMiddleware:
    """Sends the content security policy: the same one, put together once, with every answer.

    django-csp's own middleware puts two together for each, for nonces and for views that differ;
    Marquee has neither. What an answer says itself stays.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._policy = build_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if self._policy:
            response.headers.setdefault(HEADER, self._policy)
        return response


class PersonalPagesMiddleware:
    """What somebody with a session is shown stays out of every cache, the browser's too.

    A view that sets its own ``Cache-Control`` (a poster, a style sheet) keeps it. The cookie is
    looked at, not the user: no page pays a query for this.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        cookie = settings.SESSION_COOKIE_NAME
        has_session = cookie in request.COOKIES or cookie in response.cookies
        if has_session and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-store"
        return response
