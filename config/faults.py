"""The answer when a view failed in a way nobody foresaw, or Postgres is away."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation

from config.languages import language_of

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 10
# Postgres's classes for "no connection": 08 connection exception, 57P01-57P03 shutting down,
# crashed or starting up, 53300 too many connections. Without any code, it was never reached.
_UNREACHABLE_CODES = ("08", "57P01", "57P02", "57P03", "53300")


@dataclass(frozen=True)
class _Failure:
    status: int
    template: str
    code: str
    message: str


_BROKEN = _Failure(500, "500.html", "server_error", "Something broke on our side.")
_UNAVAILABLE = _Failure(
    503, "503.html", "unavailable", "The database cannot be reached just now; try again soon."
)
_OVERLOADED = _Failure(
    503, "503_busy.html", "overloaded", "Too many people ask at this moment; try again soon."
)


def overloaded(request: HttpRequest, *, retry_after_s: int) -> HttpResponse:
    """For a request that is turned away at the door (``config.overload``).

    The door stands before the language is known, because that comes after the session.
    """
    with translation.override(language_of(request)):
        response = _answer(request, _OVERLOADED)
    response["Retry-After"] = str(retry_after_s)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Whatever a view did not expect: 503 where Postgres is away, else 500.

    Needs neither database nor session nor context processors: any of them may be what is broken.
    """
    failure = _UNAVAILABLE if is_database_away(sys.exc_info()[1]) else _BROKEN
    response = _answer(request, failure)
    if failure.status == _UNAVAILABLE.status:
        response["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _answer(request: HttpRequest, failure: _Failure) -> HttpResponse:
    """A page, or the API's error shape."""
    response: HttpResponse
    if request.path.startswith("/api/"):
        error = {"code": failure.code, "message": failure.message, "fields": {}}
        response = JsonResponse({"error": error}, status=failure.status)
    else:
        response = HttpResponse(_page(failure), status=failure.status)
    response["Cache-Control"] = "no-store"
    return response


def _page(failure: _Failure) -> str:
    try:
        return render_to_string(failure.template)
    except Exception:  # whatever broke the page may break this one too: a sentence always works
        logger.exception("The error page itself failed")
        return failure.message


def is_database_away(error: BaseException | None) -> bool:
    """Whether the error means that Postgres cannot be reached, rather than a query gone wrong."""
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    code = getattr(error.__cause__, "sqlstate", None)
    return code is None or code.startswith(_UNREACHABLE_CODES)
