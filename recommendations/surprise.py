"""Surprise me: one film that somebody may well like, drawn at random."""

from __future__ import annotations

import random
import uuid
from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import person_id_of, person_of
from feedback.models import WatchlistEntry
from recommendations.limits import barred_for
from recommendations.selectors import recommendations_for
from recommendations.services.slates import slate_log

#: The draw is among so many of the best: far enough from the top of the list to be a surprise.
DRAWN_FROM = 60
_draw = random.SystemRandom()


@require_safe
@never_cache
def surprise(request: HttpRequest) -> HttpResponse:
    """To the page of one of the person's best films; ``?from=watchlist``: of those they saved."""
    if request.GET.get("from") == "watchlist":
        return _from_watchlist(request)
    person = person_of(request)
    ranked = recommendations_for(person, n=DRAWN_FROM)
    if not ranked.films:
        messages.info(request, _("There is no film left to draw."))
        return redirect("catalog:browse")
    film = _draw.choice(ranked.films)
    request_id = uuid.uuid4()
    shown = replace(ranked, films=(replace(film, propensity=1 / len(ranked.films)),))
    slate_log(shown, user=person, surface="surprise", request_id=request_id)
    response = redirect("catalog:movie", pk=film.movie_id)
    response["Location"] += f"?from={request_id}"
    return response


def _from_watchlist(request: HttpRequest) -> HttpResponse:
    """Never one that the person's limits rule out."""
    saved = WatchlistEntry.objects.filter(user_id=person_id_of(request), movie__is_hidden=False)
    barred = barred_for(person_of(request))
    movie_ids = [pk for pk in saved.values_list("movie_id", flat=True) if pk not in barred]
    if not movie_ids:
        return redirect("feedback:watchlist")
    return redirect("catalog:movie", pk=_draw.choice(movie_ids))
