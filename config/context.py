"""What every template may use."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """The site's name and whether this is a development server."""
    return {"site_name": settings.SITE_NAME, "is_debug": settings.DEBUG}
