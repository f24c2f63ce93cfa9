"""Pages and fragments of what a person did."""

from django.http import HttpRequest, HttpResponse


def stub(request: HttpRequest, pk: int = 0) -> HttpResponse:
    """Replaced by the next commit."""
    return HttpResponse("feedback")
