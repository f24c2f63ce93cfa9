"""Who may use the API's operations on one's own films."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.authentication import CSRFCheck
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import User
from accounts.requests import person_of


class IsPerson(BasePermission):
    """Accounts, visitors with a session, and for writing also who becomes a visitor by it.

    The REST framework checks the CSRF token of accounts only; a visitor's session is as worth
    protecting, so theirs is checked here.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """False answers 401: log in, or come with a session."""
        if isinstance(request.user, User):
            return True
        is_visitor = isinstance(person_of(request), User)
        if request.method in SAFE_METHODS:
            return is_visitor
        reason = _csrf_problem(request._request)
        if reason and is_visitor:
            raise exceptions.PermissionDenied(f"CSRF failed: {reason}")
        return not reason


def _csrf_problem(request: HttpRequest) -> str:
    """Why the request's token is none; empty where it is right."""
    check = CSRFCheck(lambda _request: HttpResponse())
    check.process_request(request)
    return str(check.process_view(request, lambda _request: HttpResponse(), (), {}) or "")
