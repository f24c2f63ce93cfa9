"""Home, For you and similar films."""

from __future__ import annotations

import uuid
from dataclasses import replace

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.forms import DialsForm
from accounts.requests import person_for_feedback, person_of
from accounts.selectors import taste_of
from accounts.services import taste_settings_set
from catalog.models import Movie
from catalog.selectors import audience_is_simulated
from feedback.selectors import feedback_of, film_states
from recommendations.for_you import Asked, filter_choices, for_you_page
from recommendations.home import home_page
from recommendations.predicted import MIN_KNOWN, n_known, predictions_for
from recommendations.services.slates import slate_log
from recommendations.similar import similar_page_rows


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
    """The personal list, from the source that the person chose.

    ``?slate=`` is what the page sends that fetches its list again: it stays one slate.
    """
    asked = Asked.of(request.GET)
    is_fragment = _wants_fragment(request)
    slate = _uuid(request.GET.get("slate", "")) if is_fragment else None
    context = for_you_page(person_of(request), asked, slate=slate)
    if is_fragment:
        return render(request, "recommendations/_for_you_cards.html", context)
    return render(request, "recommendations/for_you.html", context | filter_choices(asked))


@require_POST
@never_cache
def dials(request: HttpRequest) -> HttpResponse:
    """Turns the dials (``reset``: back to neutral); the list follows at once."""
    user = person_for_feedback(request)
    asked = Asked.of(QueryDict(request.POST.get("query", "")))
    form = DialsForm({} if "reset" in request.POST else request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest(_("The dials stand between -1 and 1."))
    taste_settings_set(user, replace(taste_of(user), **form.cleaned_data))
    # The generation went up: a stored list is of the dials as they stood.
    user.refresh_from_db(fields=["feedback_generation"])
    if _wants_fragment(request) and "reset" not in request.POST:
        context = for_you_page(user, asked) | {"is_dialled": True}
        return render(request, "recommendations/_for_you_cards.html", context)
    query = asked.as_query()
    return redirect(reverse("recommendations:for_you") + (f"?{query}" if query else ""))


def _uuid(raw: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(raw)
    except ValueError:
        return None


def _wants_fragment(request: HttpRequest) -> bool:
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


@require_GET
@never_cache
def guess(request: HttpRequest, pk: int) -> HttpResponse:
    """The stars that the person would give: a fragment of the film page, and a page of its own."""
    movie = get_object_or_404(Movie.objects.visible(), pk=pk)
    person = feedback_of(person_of(request))
    context = {
        "movie": movie,
        "guess": predictions_for(person, [pk]).get(pk),
        "n_missing": max(0, MIN_KNOWN - n_known(person)),
    }
    template = "_guess.html" if _wants_fragment(request) else "guess.html"
    return render(request, f"recommendations/{template}", context)


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
