"""Home, For you and similar films."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def home(request: HttpRequest) -> HttpResponse:
    """The front page."""
    return render(request, "recommendations/home.html")


def for_you(request: HttpRequest) -> HttpResponse:
    """The personal list."""
    return HttpResponse("for you")


def similar(request: HttpRequest, pk: int) -> HttpResponse:
    """Films like this one."""
    return HttpResponse("")
