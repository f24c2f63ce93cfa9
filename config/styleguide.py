"""The styleguide page: every part of the look in every state, for development only."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.cards import MovieCard, MovieRow, ReasonPart
from catalog.models import Movie

N_FILMS = 12


@dataclass(frozen=True)
class SampleState:
    """A state of a film to show; the real ones come from feedback."""

    stars: Decimal | None = None
    is_liked: bool = False
    is_disliked: bool = False
    is_seen: bool = False
    is_not_tonight: bool = False
    is_never: bool = False
    is_watchlisted: bool = False


class SampleForm(forms.Form):
    """One field of each sort, one of them wrong."""

    email = forms.EmailField(label="E-mail", help_text="We only write when you ask for it.")
    password = forms.CharField(label="Password", widget=forms.PasswordInput)
    year_from = forms.IntegerField(label="From year", required=False, min_value=1870)
    genre = forms.ChoiceField(label="Genre", choices=[("drama", "Drama"), ("crime", "Crime")])
    excluded = forms.MultipleChoiceField(
        label="Leave out",
        widget=forms.CheckboxSelectMultiple,
        choices=[("horror", "Horror"), ("war", "War"), ("musical", "Musical")],
    )
    agree = forms.BooleanField(label="Remember me on this device")


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """404 outside development. It needs films to show cards."""
    if not settings.DEBUG:
        raise Http404
    movies = Movie.objects.visible().for_cards().order_by("-rating_count", "pk")[:N_FILMS]
    reason = (ReasonPart("61 %", is_strong=True), ReasonPart(" Heat, 22 % Collateral"))
    cards = [
        MovieCard(movie=movie, reason=reason if position % 2 else ())
        for position, movie in enumerate(movies)
    ]
    title = (
        ReasonPart("Because you gave "),
        ReasonPart("Heat", is_strong=True),
        ReasonPart(" five stars"),
    )
    form = SampleForm({"email": "not an address", "year_from": "1200"})
    context = {
        "n_films": len(cards),
        # Fewer than six films are no specimen of anything.
        "cards": cards if len(cards) >= 6 else [],
        "row": MovieRow(slug="sample", title=title, cards=tuple(cards), more_url="/browse/"),
        "states": {
            "full": SampleState(stars=Decimal("3.5"), is_liked=True, is_watchlisted=True),
            "never": SampleState(is_never=True),
        },
        "form": form,
        "page_obj": Paginator(range(90), 30).page(2),
    }
    return render(request, "styleguide.html", context)
