"""The installable app: its service worker, the page for when there is no network, the manifest."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import get_template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from config import site_styles

#: What the offline page is made of: fetched when the worker is installed. Everything else that is
#: static is kept when it is first used.
SHELL = (
    site_styles.NAME,
    "img/favicon.svg",
    "js/offline.js",
)
_SOURCES = ("templates/offline.html", "templates/sw.js", "templates/error_base.html")


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """Asked for anew at every visit: its text changes with every static file, and so the worker.

    It changes with the language, too: the page for no network is fetched again in the new one.
    """
    context = {
        "version": f"{static_version()}-{get_language()}",
        "offline_url": json.dumps(reverse("offline")),
        "shell": json.dumps([static(path) for path in SHELL]),
    }
    text = get_template("sw.js").render(context)
    return HttpResponse(text, content_type="text/javascript; charset=utf-8")


@require_safe
@cache_control(no_cache=True, public=True)
def offline(request: HttpRequest) -> HttpResponse:
    """Holds nothing personal: the browser keeps it; the answers it lists lie in the browser."""
    return render(request, "offline.html")


@require_safe
@cache_control(max_age=24 * 3600, public=True)
def manifest(request: HttpRequest) -> HttpResponse:
    """The web app manifest; a template, because static files have hashed names."""
    return render(request, "manifest.webmanifest", content_type="application/manifest+json")


def static_version() -> str:
    """Changes with any of our static files and with what the worker itself is made of."""
    return _version() if not settings.DEBUG else _version.__wrapped__()


@lru_cache(maxsize=1)
def _version() -> str:
    digest = hashlib.sha256()
    files = [path for folder in settings.STATICFILES_DIRS for path in Path(folder).rglob("*.*")]
    files += [settings.BASE_DIR / name for name in _SOURCES]
    for path in sorted(files):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@require_safe
@cache_control(max_age=24 * 3600, public=True)
def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """Browsers ask here for the icon of what has no head of ours to name it, such as JSON."""
    return HttpResponseRedirect(static("img/favicon.svg"))
