"""What stands around every page: head and foot, rendered once for everybody who sees the same."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from django import template
from django.conf import settings
from django.template import Context, Engine
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from config.context import THEMES
from config.stencils import Stencil

register = template.Library()

_CSRF, _PATH, _QUERY, _NAME = _MARKS = (
    *("\ue000csrf\ue000", "\ue000path\ue000"),
    *("\ue000query\ue000", "\ue000name\ue000"),
)
_PATH_IN_ADDRESS = quote(_PATH, safe="")


@register.simple_tag
def kept(name: str) -> SafeString:
    """``{% include %}`` of what says the same on every page: rendered once for each language."""
    return _kept(name, get_language())


@lru_cache(maxsize=64)
def _kept(name: str, language: str | None) -> SafeString:
    # The language is the active one: it is an argument so that it is part of the key.
    return SafeString(render_to_string(name))


@register.simple_tag(takes_context=True)
def frame(context: Context, name: str) -> SafeString:
    """``{% include %}`` of the page's head or foot.

    What they read is listed here: the place on the site, whether one is signed in, an editor or a
    visitor with films, the theme; and, as values that are put in, the name, the address, the text
    searched for and the token of the forms. Whoever lets them read more adds it here.
    """
    if "redirect_field_value" in context or "request" not in context:  # pages about signing in
        return SafeString(Engine.get_default().get_template(name).render(context))
    request, user = context["request"], context["user"]
    match = request.resolver_match
    stencil = _frame(
        name,
        get_language(),
        site_name=context["site_name"],
        theme=context["theme"],
        place=(match.view_name, match.namespace, match.url_name) if match else ("", "", ""),
        method=request.method,
        is_authenticated=user.is_authenticated,
        is_staff=user.is_staff,
        is_visitor=getattr(context["person"], "is_visitor", False),
        has_query=bool(context.get("search_query")),
    )
    path = request.get_full_path()
    values = {
        _CSRF: str(context["csrf_token"]),
        _PATH: escape(path),
        _PATH_IN_ADDRESS: quote(path, safe=""),
        _QUERY: escape(str(context.get("search_query") or "")),
        _NAME: escape(user.short_name) if user.is_authenticated else "",
    }
    return stencil.filled(values.__getitem__)


@lru_cache(maxsize=512)
def _frame(
    name: str,
    language: str | None,
    *,
    site_name: str,
    theme: str,
    place: tuple[str, str, str],
    method: str,
    is_authenticated: bool,
    is_staff: bool,
    is_visitor: bool,
    has_query: bool,
) -> Stencil:
    # The language is the active one: it is an argument so that it is part of the key.
    view_name, namespace, url_name = place
    match = SimpleNamespace(view_name=view_name, namespace=namespace, url_name=url_name)
    user = SimpleNamespace(is_authenticated=is_authenticated, is_staff=is_staff, short_name=_NAME)
    context: dict[str, Any] = {
        "request": SimpleNamespace(
            resolver_match=match, method=method, get_full_path=lambda: _PATH
        ),
        "user": user,
        "person": SimpleNamespace(is_visitor=is_visitor),
        "site_name": site_name,
        "theme": theme,
        "themes": THEMES,
        "languages_offered": settings.LANGUAGES,
        "csrf_token": _CSRF,
        "search_query": _QUERY if has_query else "",
    }
    return Stencil.of(render_to_string(name, context), (*_MARKS, _PATH_IN_ADDRESS))
