"""Which language a request is answered in.

A page: the cookie of the language switch, else what the browser asks for, else English. Logging in
sets the cookie to what the account chose. The API takes no cookie: its texts are English unless
the client itself asks for another language by ``Accept-Language``, as our own deck does. The admin
is in English, whole: half of its words are names of tables.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from accounts.requests import language_to_remember

_ENGLISH_ONLY = ("/admin/",)
_BY_HEADER_ALONE = ("/api/",)


class LanguageMiddleware:
    """Activates the request's language; says in the answer which one that was."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(language_of(request)):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
            chosen = language_to_remember(request)
            if is_language(chosen):
                remember(request, response, chosen)
            response.headers.setdefault("Content-Language", translation.get_language() or "en")
        if not request.path.startswith(_ENGLISH_ONLY):
            patch_vary_headers(response, ["Accept-Language"])
        return response


def language_of(request: HttpRequest) -> str:
    """The language code to answer in; always one of ``LANGUAGES``."""
    if request.path.startswith(_ENGLISH_ONLY):
        return settings.LANGUAGE_CODE
    if not request.path.startswith(_BY_HEADER_ALONE):
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        if is_language(chosen):
            return chosen
    for asked, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        # "de-AT" is German; "*" is no wish.
        base = asked.partition("-")[0]
        if is_language(base):
            return base
    return settings.LANGUAGE_CODE


def is_language(code: str) -> bool:
    """Whether Marquee speaks it."""
    return code in dict(settings.LANGUAGES)


def remember(request: HttpRequest, response: HttpResponse, language: str) -> None:
    """Set the cookie of the language switch."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,  # type: ignore[arg-type]
        secure=request.is_secure(),
    )
