"""What every template may use."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from accounts.requests import person_of

THEME_COOKIE = "theme"
#: Value of the cookie and of ``<html data-theme>``, and what the switch calls it.
THEMES = {
    "dark": _("Dark"),
    "light": _("Light"),
    "contrast": _("High contrast"),
    "auto": _("As my system"),
}


def _is_number(host: str) -> bool:
    """Whether the host is an IP address, with or without its port."""
    name = host.rpartition("]")[0].lstrip("[") or host.partition(":")[0]
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def site(request: HttpRequest) -> dict[str, object]:
    """The site's name, the chosen theme, whether this is a development server, and who asks.

    ``person`` is ``user``, or the visitor of this session; looked up where a template asks for it.
    """
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "site_name": settings.SITE_NAME,
        "is_debug": settings.DEBUG,
        # Unknown values (an old or forged cookie) are no choice at all.
        "theme": theme if theme in THEMES else "",
        "themes": THEMES,
        "languages_offered": settings.LANGUAGES,
        # Browsers tie a key to a name, never to a number.
        "is_key_possible": not _is_number(request.get_host()),
        "person": SimpleLazyObject(lambda: person_of(request)),
    }
