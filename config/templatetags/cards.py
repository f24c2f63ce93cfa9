"""The buttons of a card, rendered once for all films."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from catalog.cards import MovieCard
from catalog.models import Movie
from config.templatetags.marquee import event_fields
from feedback.selectors import NOTHING, FilmState

register = template.Library()

# What stands for a film's id (above any real one), its title and the hidden fields of a form.
_ANY_ID = 9_007_199_254_740_991
_ANY_TITLE, _ANY_FIELDS = "\ue000title\ue000", "\ue000fields\ue000"
_FLAGS = ("is_liked", "is_disliked", "is_seen", "is_never", "is_watchlisted")


@register.simple_tag(takes_context=True)
def card_actions(context: Context, card: MovieCard, state: FilmState | None) -> SafeString:
    """``feedback/_card_actions.html`` for a card.

    Its thirty tags took two thirds of a page of cards, and say the same of every film but for id,
    title and hidden fields: the template is rendered once for each language and each set of
    pressed buttons, and these three are put in.
    """
    known = state or NOTHING
    pressed = tuple(name for name in _FLAGS if getattr(known, name))
    pk, title = str(card.movie.pk), escape(card.movie.title)
    parts = [
        part.replace(str(_ANY_ID), pk).replace(_ANY_TITLE, title)
        for part in _stencil(get_language(), pressed).split(_ANY_FIELDS)
    ]
    html = parts[0]
    for part in parts[1:]:  # every form is an event of its own
        html += event_fields(context, card) + part
    return SafeString(html)


@lru_cache(maxsize=256)
def _stencil(language: str | None, pressed: tuple[str, ...]) -> str:
    """The buttons of any film in ``language``, these of them pressed."""
    flags: dict[str, Any] = dict.fromkeys(pressed, True)
    context = {
        "movie": Movie(pk=_ANY_ID, title=_ANY_TITLE),
        "state": FilmState(**flags),
        "event_fields": SafeString(_ANY_FIELDS),
    }
    return render_to_string("feedback/_card_actions.html", context)
