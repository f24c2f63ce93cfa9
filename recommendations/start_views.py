"""``/start/rate/``: a film at a time until the list is settled. A page, and a fragment of it."""

from __future__ import annotations

import uuid
from dataclasses import replace

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.requests import person_for_feedback, person_of
from catalog.models import Movie
from catalog.selectors import audience_is_simulated
from feedback import services
from feedback.events import EventConflictError
from feedback.forms import RateForm
from recommendations.cards import cards_for
from recommendations.services.slates import slate_log
from recommendations.starting import MIN_ANSWERS, start_of

SURFACE = "start"
PASSED_KEY = "start_passed"  # films that were skipped or are not known, in the session
MAX_PASSED = 300


class AnswerForm(RateForm):
    """Stars for a film, or that there are none to give. ``movie`` says which film was asked."""

    movie = forms.IntegerField(min_value=1)
    pass_by = forms.ChoiceField(
        choices=[("unseen", _("Haven't seen it")), ("skip", _("Skip"))], required=False
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """Asks; an answer leads to the next question at once."""
    if request.method != "POST":
        return _page(request)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, error=_("Choose from half a star to five stars."), status=422)
    movie = get_object_or_404(Movie.objects.visible(), pk=form.cleaned_data["movie"])
    stars = form.cleaned_data["stars"]
    if form.cleaned_data["pass_by"]:
        passed = [pk for pk in _passed(request) if pk != movie.pk]
        request.session[PASSED_KEY] = [*passed, movie.pk][-MAX_PASSED:]
    elif stars is None:
        return _page(request, error=_("Choose how many stars, or pass the film by."), status=422)
    else:
        try:
            stars = services.parse_stars(stars)
            event = replace(form.event(), surface=SURFACE)
            services.rating_set(
                user=person_for_feedback(request), movie=movie, stars=stars, event=event
            )
        except (services.FeedbackError, EventConflictError) as error:
            return _page(request, error=str(error), status=422)
    if request.htmx:  # type: ignore[attr-defined]
        return _page(request, said=movie if stars is not None else None, stars=stars)
    return redirect(request.get_full_path())


def _passed(request: HttpRequest) -> list[int]:
    passed = request.session.get(PASSED_KEY)
    return [pk for pk in passed if isinstance(pk, int)] if isinstance(passed, list) else []


def _page(
    request: HttpRequest,
    *,
    error: object = "",
    said: Movie | None = None,
    stars: object = None,
    status: int = 200,
) -> HttpResponse:
    person = person_of(request)
    now = start_of(person, passed=_passed(request))
    request_id = uuid.uuid4()
    cards = cards_for(now.ranked.films, request_id=str(request_id), surface=SURFACE)
    if now.ranked.n_history:
        slate_log(now.ranked, user=person, surface=SURFACE, request_id=request_id)
    is_going_on = request.GET.get("more") == "1"
    context = {
        "start": now,
        "movie": None if now.is_done and not is_going_on else now.movie,
        "is_done": now.is_done,
        "is_going_on": is_going_on,
        "n_needed": MIN_ANSWERS,
        "cards": cards,
        "error": error,
        "said": said,
        "stars": stars,
        "is_audience_simulated": audience_is_simulated(),
    }
    htmx = request.htmx  # type: ignore[attr-defined]
    is_fragment = bool(htmx) and not htmx.boosted and not htmx.history_restore_request
    template = "_start.html" if is_fragment else "start.html"
    return render(request, f"recommendations/{template}", context, status=status)
