"""Error pages: a sentence that says what happened and what to do next."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is missing or old: usually a page left open over a log-out."""
    return render(request, "403_csrf.html", status=403)
