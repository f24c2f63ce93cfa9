"""Pages about films."""

from django.http import HttpRequest, HttpResponse


def browse(request: HttpRequest) -> HttpResponse:
    """All films."""
    return HttpResponse("browse")


def search(request: HttpRequest) -> HttpResponse:
    """Search."""
    return HttpResponse("search")


def movie(request: HttpRequest, pk: int) -> HttpResponse:
    """One film."""
    return HttpResponse("film")


def poster(request: HttpRequest, pk: int) -> HttpResponse:
    """A film's picture."""
    return HttpResponse("<svg/>", content_type="image/svg+xml")
