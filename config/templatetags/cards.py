"""Cards and their buttons, each rendered once for all films."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape  # Django's own asks each text whether it is a lazy one
from typing import Any

from django import template
from django.template import Context, Engine
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from catalog.cards import MovieCard
from config.stencils import Stencil
from config.templatetags.marquee import event_fields
from feedback.selectors import NOTHING, FilmState

register = template.Library()

CARD = "catalog/_movie_card.html"
ACTIONS = "feedback/_card_actions.html"
_FLAGS = ("is_liked", "is_disliked", "is_seen", "is_never", "is_watchlisted")


@dataclass(frozen=True)
class _AnyFilm:
    """What the templates read of a film, as marks; its id is above any real one."""

    pk: int = 9_007_199_254_740_991
    title: str = "\ue000title\ue000"
    poster_version: str = "\ue000poster\ue000"
    year_and_genre: str = "\ue000facts\ue000"


_ANY = _AnyFilm()
_ANY_REQUEST = "\ue000request\ue000"
# What stands for the hidden fields of a form.
_ANY_FIELDS = "\ue000fields\ue000"
_PK, _TITLE, _POSTER, _FACTS, _REQUEST, _FIELDS = _MARKS = (
    *(str(_ANY.pk), _ANY.title, _ANY.poster_version, _ANY.year_and_genre),
    *(_ANY_REQUEST, _ANY_FIELDS),
)


@register.simple_tag(takes_context=True)
def film_cards(
    context: Context, cards: Iterable[MovieCard], states: Mapping[int, FilmState] | None
) -> SafeString:
    """A list item for each card, with what one did with its film: a loop in Python takes half the
    time of the template's."""
    known, language = states or {}, get_language()
    return SafeString(
        "\n".join(
            f"<li>{_film_card(context, card, known.get(card.movie.pk, NOTHING), language)}</li>"
            for card in cards
        )
    )


def _film_card(
    context: Context, card: MovieCard, state: FilmState, language: str | None
) -> SafeString:
    """``catalog/_movie_card.html`` for a card.

    Without reason, guess, tags and own stars a card says the same of every film but for a handful
    of values: the template is rendered once for each language and set of pressed buttons, and the
    values are put in. A page of thirty took a third of its time to render them one by one.
    """
    if card.reason or card.guess or card.tags or state.stars is not None:
        with context.push(card=card, state=state):
            return SafeString(Engine.get_default().get_template(CARD).render(context))
    movie = card.movie
    values = {
        _PK: str(movie.pk),
        _POSTER: str(movie.poster_version),
        _REQUEST: escape(card.request_id),
        _FACTS: escape(movie.year_and_genre),
        _TITLE: escape(movie.title),
    }
    stencil = _stencil(CARD, language, _pressed(state), is_in_slate=bool(card.request_id))
    return _filled(stencil, values, context, card)


@register.simple_tag(takes_context=True)
def card_actions(context: Context, card: MovieCard, state: FilmState | None) -> SafeString:
    """``feedback/_card_actions.html`` for a card, by the same way."""
    if "event_fields" in context:  # inside a card's stencil
        return SafeString(Engine.get_default().get_template(ACTIONS).render(context))
    values = {_PK: str(card.movie.pk), _TITLE: escape(card.movie.title)}
    stencil = _stencil(ACTIONS, get_language(), _pressed(state or NOTHING), is_in_slate=False)
    return _filled(stencil, values, context, card)


def _pressed(state: FilmState) -> tuple[str, ...]:
    return tuple(name for name in _FLAGS if getattr(state, name))


@lru_cache(maxsize=512)
def _stencil(
    name: str, language: str | None, pressed: tuple[str, ...], *, is_in_slate: bool
) -> Stencil:
    """The template for any film in ``language``, these buttons pressed, cut at its marks.

    ``language`` is the one that is active: it is an argument so that it is part of the key.
    """
    flags: dict[str, Any] = dict.fromkeys(pressed, True)
    context = {
        "movie": _ANY,
        "card": {"movie": _ANY, "request_id": _ANY_REQUEST if is_in_slate else ""},
        "state": FilmState(**flags),
        "event_fields": SafeString(_ANY_FIELDS),
    }
    return Stencil.of(render_to_string(name, context), _MARKS)


def _filled(
    stencil: Stencil, values: dict[str, str], context: Context, card: MovieCard
) -> SafeString:
    # Every form is an event of its own.
    return stencil.filled(
        lambda mark: event_fields(context, card) if mark == _FIELDS else values[mark]
    )
