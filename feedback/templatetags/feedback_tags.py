"""What a person did with the films on a page, read once for the whole page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template

from accounts.requests import person_of
from catalog.cards import MovieCard, MovieRow
from catalog.models import Movie
from feedback.selectors import FilmState
from feedback.selectors import film_states as read_film_states
from feedback.undo import undo_of

register = template.Library()


def _movie_ids(things: Iterable[Any]) -> list[int]:
    ids: list[int] = []
    for thing in things:
        if isinstance(thing, MovieRow):
            ids.extend(card.movie.pk for card in thing.cards)
        elif isinstance(thing, MovieCard):
            ids.append(thing.movie.pk)
        elif isinstance(thing, Movie):
            ids.append(thing.pk)
        else:
            ids.append(thing.movie.pk)
    return ids


@register.simple_tag(takes_context=True)
def film_states(context: template.Context, things: Iterable[Any]) -> dict[int, FilmState]:
    """``{% film_states movies as states %}`` for films, cards, rows or rows of my lists."""
    return read_film_states(user=person_of(context["request"]), movie_ids=_movie_ids(things or []))


register.filter("undo_of", undo_of)
