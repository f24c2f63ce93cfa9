"""What every API answer shares: one error shape."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from accounts.api.base import Api
from accounts.api.errors import BodyTooLarge


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """``{"error": {"code", "message", "fields"}}`` for everything that goes wrong knowingly."""
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    elif isinstance(exc, RequestDataTooBig):
        exc = BodyTooLarge(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    elif isinstance(exc, SuspiciousOperation | MultiPartParserError):
        # Django would answer these itself, with a page.
        exc = exceptions.ParseError("This body is not what its Content-Type says, or too much.")
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
    response.data = {"error": {"code": code, "message": message, "fields": fields}}
    return response


class NoSuchApi(Api):
    """Every address that is none, in the one error shape."""

    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Whatever the method."""
        super().initial(request, *args, **kwargs)
        hint = "" if request.path.endswith("/") else " Addresses end with a slash."
        raise exceptions.NotFound(f"There is no such operation.{hint}")
