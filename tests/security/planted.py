"""Pages with holes, for the walkers to find."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from feedback.models import FilmList


def read(request: HttpRequest, pk: int) -> HttpResponse:
    """Anybody's list, for the asking."""
    return HttpResponse(get_object_or_404(FilmList, pk=pk).name)


@csrf_exempt
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Anybody's list, renamed by anybody."""
    if request.method == "POST":
        FilmList.objects.filter(pk=pk).update(name=request.POST["name"])
    return HttpResponse()


def touch(request: HttpRequest, pk: int) -> HttpResponse:
    """Looking that writes."""
    FilmList.objects.filter(pk=pk).update(note="looked at")
    return HttpResponse()


urlpatterns = [
    path("holes/<int:pk>/", read),
    path("holes/<int:pk>/rename/", rename),
    path("holes/<int:pk>/touch/", touch),
]
