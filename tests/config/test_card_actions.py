"""Cards and their buttons come from one rendering for all films: as if each had its own."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.html import escape
from django.utils.translation import override

from catalog.cards import MovieCard, ReasonPart
from catalog.models import Genre, Movie
from feedback.selectors import FilmState

EVENT_ID = re.compile(r'(?<=name="event_id" value=")[0-9a-f-]{36}')
SLATE = "11111111-1111-4111-8111-111111111111"
TITLE = 'Tom & "Jerry" <b> % \ue000fields\ue000 9007199254740991'


def rendered(source: str, **context: object) -> str:
    request = RequestFactory().get("/search/?q=x")
    values = {"request": request, "csrf_token": "a-token", **context}
    return Template(source).render(Context(values))


def both(state: FilmState | None) -> tuple[str, str]:
    movie = Movie(pk=77, title=TITLE)
    card = MovieCard(movie=movie, request_id=SLATE, position=3)
    context = {"movie": movie, "card": card, "state": state}
    return (
        rendered("{% load cards %}{% card_actions card state %}", **context),
        rendered('{% include "feedback/_card_actions.html" %}', **context),
    )


@pytest.mark.parametrize(
    "state",
    [
        None,
        FilmState(),
        FilmState(is_liked=True),
        FilmState(is_disliked=True, is_seen=True),
        FilmState(is_never=True, is_watchlisted=True),
    ],
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_buttons_are_those_of_the_template(state, language):
    with override(language):
        made, expected = both(state)
    assert EVENT_ID.sub("", made) == EVENT_ID.sub("", expected)


def test_every_form_is_an_event_of_its_own():
    made, _ = both(FilmState(is_liked=True))
    ids = EVENT_ID.findall(made)
    assert len(ids) == len(set(ids)) == 2
    assert set(ids).isdisjoint(EVENT_ID.findall(both(FilmState(is_liked=True))[0]))


@pytest.mark.parametrize(
    "card",
    [
        MovieCard(movie=Movie(pk=77, title=TITLE, year=1995)),
        MovieCard(movie=Movie(pk=77, title=TITLE), request_id=SLATE, position=3, surface="home"),
        MovieCard(movie=Movie(pk=77, title=TITLE), tags=("Trending now",), guess="4 stars"),
        MovieCard(movie=Movie(pk=77, title=TITLE), reason=(ReasonPart("Because <b>"),)),
    ],
    ids=["bare", "in a slate", "with tags", "with a reason"],
)
@pytest.mark.parametrize(
    "state", [None, FilmState(is_never=True, is_liked=True), FilmState(stars=Decimal("4.5"))]
)
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_card_is_that_of_the_template(card, state, language, db):
    card.movie.save()
    crime, _ = Genre.objects.get_or_create(name="Crime", slug="crime")
    card.movie.genres.add(crime)
    context = {"card": card, "state": state, "person": AnonymousUser()}
    states = {card.movie.pk: state} if state else None
    with override(language):
        list_of_two = "{% load cards %}{% film_cards cards states %}"
        made = rendered(list_of_two, cards=[card, card], states=states, **context)
        expected = rendered('{% include "catalog/_movie_card.html" %}', **context)
    assert escape(TITLE) in made
    assert EVENT_ID.sub("", made) == EVENT_ID.sub("", f"<li>{expected}</li>\n<li>{expected}</li>")


def test_languages_do_not_mix():
    with override("de"):
        german, _ = both(None)
    with override("en"):
        english, _ = both(None)
    assert "I like it" in english
    assert "I like it" not in german
