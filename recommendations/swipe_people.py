"""Whose deck it is. One place: who counts as a person is decided in ``accounts``."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework.request import Request

from accounts.models import User


def deck_person(request: HttpRequest | Request) -> User | AnonymousUser:
    """For reading and dealing."""
    return request.user
