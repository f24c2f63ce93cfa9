"""``/me/taste/``: what one's own films say."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.requests import person_of
from catalog.selectors import audience_is_simulated
from dashboard.clusters.reading import kind_of_person
from dashboard.judged import judged_for, label_of
from dashboard.sittings import sittings_of
from dashboard.taste import MIN_FILMS, taste_of_person


@require_safe
@never_cache
def taste(request: HttpRequest) -> HttpResponse:
    """For accounts and visitors alike; who said too little is told what to do."""
    person = person_of(request)
    mine = taste_of_person(person) if isinstance(person, User) else None
    context: dict[str, object] = {"taste": mine, "n_needed": MIN_FILMS}
    if isinstance(person, User) and mine is not None and not mine.is_empty:
        context |= {
            "judged": judged_for(person),
            "label": label_of(person, mine),
            "kind": kind_of_person(person),
            "sittings": sittings_of(person, mine.catalogue),
            "is_audience_simulated": audience_is_simulated(),
        }
    return render(request, "dashboard/taste.html", context)
