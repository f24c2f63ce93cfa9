"""Pages of the site itself: about it, how it looks, and what to say when something went wrong."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseRedirectBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.requests import remember_language
from accounts.services import language_set
from config.context import THEME_COOKIE, THEMES
from config.languages import is_language

YEAR_S = 365 * 24 * 3600


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is missing or old: usually a page left open over a log-out."""
    return render(request, "403_csrf.html", status=403)


def not_offered(request: HttpRequest) -> HttpResponse:
    """A door that a library brings along and Marquee has nothing behind."""
    raise Http404


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """What Marquee is, how it recommends, whom it owes what."""
    return render(request, "about.html")


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember the theme in a cookie, so that the server renders it without a flash."""
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        return HttpResponseBadRequest("Unknown theme", content_type="text/plain")
    response = redirect_back(request)
    response.set_cookie(
        THEME_COOKIE, theme, max_age=YEAR_S, samesite="Lax", secure=request.is_secure()
    )
    return response


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the language: in a cookie, and with the account of whoever is logged in."""
    language = request.POST.get("language", "")
    if not is_language(language):
        return HttpResponseBadRequest("Unknown language", content_type="text/plain")
    if isinstance(request.user, User):
        language_set(request.user, language)
    remember_language(request, language)
    return redirect_back(request)


def redirect_back(request: HttpRequest) -> HttpResponseRedirectBase:
    """To the posted ``next`` where it is an address of ours, else home."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    # `redirect` would take anything else for the name of a view, and fail.
    return redirect(target if is_ours and target.startswith("/") else "home")
