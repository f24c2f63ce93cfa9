"""``/films/<pk>/why/``: the reason of a card in full."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.requests import person_of, person_required, signed_in
from catalog.models import Movie
from recommendations.pipeline import DEFAULT_SOURCE, POPULAR, UnknownSourceError
from recommendations.selectors import SOURCE_LABELS
from recommendations.why import why_film


@require_GET
@person_required
@never_cache
def why(request: HttpRequest, pk: int) -> HttpResponse:
    """All parts of a film's score; ``?without=ID`` shows the list as it would be without one."""
    movie = get_object_or_404(Movie.objects.visible(), pk=pk)
    raw = request.GET.get("without", "")
    if raw and not (raw.isdecimal() and len(raw) < 19):
        raise Http404("No such film.")
    source = request.GET.get("source", DEFAULT_SOURCE)
    if source == POPULAR:  # a card that filled a place of the list
        source = DEFAULT_SOURCE
    try:
        found, preview = why_film(
            signed_in(person_of(request)),
            movie,
            source=source,
            without_id=int(raw) if raw else None,
        )
    except UnknownSourceError as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
    except Movie.DoesNotExist as error:
        raise Http404(str(error)) from error
    context = {
        "movie": movie,
        "why": found,
        "preview": preview,
        "source_label": SOURCE_LABELS.get(source, source),
        # A muted film is no longer one to leave out: back to the page itself.
        "next_url": f"{request.path}?source={source}",
    }
    htmx = request.htmx  # type: ignore[attr-defined]
    is_fragment = bool(htmx) and not htmx.boosted and not htmx.history_restore_request
    template = "_why.html" if is_fragment else "why.html"
    return render(request, f"recommendations/{template}", context)
