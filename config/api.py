"""What every API answer shares: one error shape, one way of paging."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler


class CursorPages(CursorPagination):
    """Cursor pages never skip or repeat a row when others are inserted meanwhile."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "page_size"
    ordering = "-pk"


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """``{"error": {"code", "message", "fields"}}`` for everything that goes wrong knowingly."""
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    response = drf_exception_handler(exc, context)
    if response is None or not isinstance(exc, exceptions.APIException):
        return response
    fields: dict[str, Any] = {}
    if isinstance(exc, exceptions.ValidationError):
        code, message = "invalid", "Some fields are wrong; see fields."
        detail = exc.detail
        fields = dict(detail) if isinstance(detail, dict) else {"non_field_errors": detail}
    else:
        code = str(getattr(exc.detail, "code", exc.default_code))
        message = str(exc.detail)
    if response.status_code == status.HTTP_403_FORBIDDEN and code == "not_authenticated":
        response.status_code = status.HTTP_401_UNAUTHORIZED
    response.data = {"error": {"code": code, "message": message, "fields": fields}}
    return response
