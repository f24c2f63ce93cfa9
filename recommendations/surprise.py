"""Surprise me: one film that somebody may well like, drawn at random."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, replace

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.requests import person_of
from feedback.film_lists import watchlist_of
from recommendations.limits import barred_for
from recommendations.ranked import RankedFilm
from recommendations.selectors import recommendations_for
from recommendations.services.slates import slate_log

#: The draw is among so many of the best: far enough from the top of the list to be a surprise.
DRAWN_FROM = 60
_draw = random.SystemRandom()


@dataclass(frozen=True)
class Drawn:
    """The film, and the slate that showed it; no slate for one of the person's own watchlist."""

    film: RankedFilm
    request_id: uuid.UUID | None = None


def drawn_from_list(person: User | AnonymousUser) -> Drawn | None:
    """One of the person's best films; None where none is left. Logs the slate."""
    ranked = recommendations_for(person, n=DRAWN_FROM)
    if not ranked.films:
        return None
    film = replace(_draw.choice(ranked.films), propensity=1 / len(ranked.films))
    request_id = uuid.uuid4()
    shown = replace(ranked, films=(film,))
    slate_log(shown, user=person, surface="surprise", request_id=request_id)
    return Drawn(film, request_id)


def drawn_from_watchlist(person: User | AnonymousUser) -> Drawn | None:
    """One of the films that the person saved, never one that their limits rule out."""
    barred = barred_for(person)
    saved = watchlist_of(person.pk or 0).values_list("movie_id", flat=True)
    movie_ids = [pk for pk in saved if pk not in barred]
    if not movie_ids:
        return None
    return Drawn(RankedFilm(movie_id=_draw.choice(movie_ids), source="watchlist"))


@require_safe
@never_cache
def surprise(request: HttpRequest) -> HttpResponse:
    """To the page of one of the person's best films; ``?from=watchlist``: of those they saved."""
    person = person_of(request)
    if request.GET.get("from") == "watchlist":
        drawn = drawn_from_watchlist(person)
        if drawn is None:
            return redirect("feedback:watchlist")
        return redirect("catalog:movie", pk=drawn.film.movie_id)
    drawn = drawn_from_list(person)
    if drawn is None:
        messages.info(request, _("There is no film left to draw."))
        return redirect("catalog:browse")
    response = redirect("catalog:movie", pk=drawn.film.movie_id)
    response["Location"] += f"?from={drawn.request_id}"
    return response
