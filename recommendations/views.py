"""Home, For you and similar films."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.requests import person_of
from catalog.models import Movie
from catalog.selectors import audience_is_simulated
from feedback.selectors import film_states
from recommendations.cards import cards_for
from recommendations.home import home_page
from recommendations.pipeline import DEFAULT_SOURCE, UnknownSourceError
from recommendations.ranked import RankedList
from recommendations.selectors import SOURCE_LABELS, recommendations_for
from recommendations.services.slates import slate_log
from recommendations.similar import similar_page_rows

FOR_YOU_FILMS = 24


@require_GET
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """The front page: rows with reasons."""
    person = person_of(request)
    request_id = uuid.uuid4()
    page = home_page(person, request_id=str(request_id))
    if page.ranked is not None:
        slate_log(page.ranked, user=person, surface="home", request_id=request_id)
    shown = [card.movie.pk for row in page.rows for card in row.cards]
    context = {
        "hero_cards": page.hero_cards,
        "rows": page.rows,
        "is_personal": page.is_personal,
        "states": film_states(user=person, movie_ids=shown),
        "is_audience_simulated": audience_is_simulated(),
    }
    return render(request, "recommendations/home.html", context)


@require_GET
@never_cache
def for_you(request: HttpRequest) -> HttpResponse:
    """The personal list, from the source that the person chose."""
    person = person_of(request)
    source = request.GET.get("source", DEFAULT_SOURCE)
    notice = ""
    try:
        ranked = recommendations_for(person, n=FOR_YOU_FILMS, source=source)
    except UnknownSourceError as error:
        notice, source = str(error), DEFAULT_SOURCE
        ranked = recommendations_for(person, n=FOR_YOU_FILMS)
    request_id = uuid.uuid4()
    cards = cards_for(ranked.films, request_id=str(request_id), surface="for_you")
    slate_log(ranked, user=person, surface="for_you", request_id=request_id)
    context = {
        "cards": cards,
        "states": film_states(user=person, movie_ids=[card.movie.pk for card in cards]),
        "sources": [
            (name, SOURCE_LABELS.get(name, name), name == source) for name in ranked.source_names
        ],
        "source": source,
        "notice": notice or _notice(ranked),
        "n_history": ranked.n_history,
        "model_version": ranked.model_version,
        "is_audience_simulated": audience_is_simulated(),
    }
    template = "_for_you_cards.html" if _wants_fragment(request) else "for_you.html"
    return render(request, f"recommendations/{template}", context)


def _wants_fragment(request: HttpRequest) -> bool:
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def _notice(ranked: RankedList) -> str:
    """What a person should know about where this list comes from."""
    if not ranked.model_version:
        return _("The recommender is still learning. Until it has, these are the popular films.")
    if not ranked.n_history:
        return _(
            "Rate a few films and this list becomes yours. Until then: what people here watch."
        )
    if all(film.score is None for film in ranked.films):
        return _("We know too little of the films you rated: these are popular ones for now.")
    return ""


@require_GET
@never_cache
def similar(request: HttpRequest, pk: int) -> HttpResponse:
    """Films like this one in three kinds: a fragment of the film page, and a page of its own."""
    movie = get_object_or_404(
        Movie.objects.visible().for_cards().prefetch_related("credits"), pk=pk
    )
    person = person_of(request)
    rows = similar_page_rows(movie, person)
    shown = [card.movie.pk for row in rows for card in row.cards]
    states = film_states(user=person, movie_ids=shown)
    context = {"movie": movie, "rows": rows, "states": states}
    is_fragment = _wants_fragment(request)
    template = "_similar.html" if is_fragment else "similar.html"
    return render(request, f"recommendations/{template}", context)
