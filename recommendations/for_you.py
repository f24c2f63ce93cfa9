"""The page For you: a source, filters and dials, and what the dials cost."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms import DialsForm
from accounts.models import User
from accounts.services import Taste
from catalog.filters import FilmFilters, chips, decade_label
from catalog.models import Movie
from catalog.names import language_name
from catalog.selectors import (
    audience_is_simulated,
    genres_all,
    languages_all,
    movies_filtered,
)
from feedback.selectors import feedback_of, film_states
from ml.explain import Tag
from ml.shortlist import NEUTRAL
from recommendations.cards import cards_for
from recommendations.dial_costs import costs_of
from recommendations.models import ModelVersion
from recommendations.pipeline import DEFAULT_SOURCE, UnknownSourceError
from recommendations.predicted import MIN_KNOWN, n_known, predictions_for
from recommendations.ranked import RankedList
from recommendations.reranking import context_standing, dials_of
from recommendations.selectors import SOURCE_LABELS, recommendations_for, standing_for
from recommendations.services.slates import MAX_EVIDENCE, slate_extend, slate_log
from recommendations.snapshot import current_snapshot
from recommendations.tags import tags_of

FILMS = 24
SURFACE = "for_you"
LENGTHS = (
    (90, gettext_lazy("Up to 90 minutes")),
    (120, gettext_lazy("Up to two hours")),
    (150, gettext_lazy("Up to two and a half")),
)
DECADES = tuple(range(1930, 2030, 10))


@dataclass(frozen=True)
class Asked:
    """What the address asks for."""

    source: str
    filters: FilmFilters

    @classmethod
    def of(cls, query: QueryDict) -> Asked:
        """What cannot be read is left out."""
        return cls(query.get("source", DEFAULT_SOURCE)[:24], FilmFilters.from_query(query))

    def as_query(self, *, source: str | None = None) -> str:
        """The address's query in one form; ``source`` to ask another one the same."""
        query = QueryDict(self.filters.as_query(), mutable=True)
        if source is not None or self.source != DEFAULT_SOURCE:
            query["source"] = source or self.source
        return query.urlencode()


def for_you_page(
    user: User | AnonymousUser, asked: Asked, *, slate: uuid.UUID | None = None
) -> dict[str, Any]:
    """The template's context; logs the slate, or adds to ``slate`` where a page fetches again."""
    notice = ""
    request_id = slate or uuid.uuid4()
    try:
        found = _list(user, asked, request_id=request_id)
    except UnknownSourceError as error:
        notice, asked = str(error), Asked(DEFAULT_SOURCE, asked.filters)
        found = _list(user, asked, request_id=request_id)
    ranked, taste = found.ranked, found.taste
    positions = None
    if slate is not None:
        positions = slate_extend(ranked, user=user, surface=SURFACE, request_id=slate)
    if positions is None:
        request_id = uuid.uuid4() if slate is not None else request_id
        slate_log(ranked, user=user, surface=SURFACE, request_id=request_id)
    cards = cards_for(
        ranked.films,
        request_id=str(request_id),
        surface=SURFACE,
        positions=positions,
        guesses=found.guesses,
        tags=found.tags,
    )
    query = asked.as_query()
    return {
        "cards": cards,
        "states": film_states(user=user, movie_ids=[card.movie.pk for card in cards]),
        "sources": [
            (
                name,
                SOURCE_LABELS.get(name, name),
                name == ranked.source,
                asked.as_query(source=name),
            )
            for name in ranked.source_names
        ],
        "source": ranked.source,
        "query": query,
        "refetch_query": "&".join(part for part in (query, f"slate={request_id}") if part),
        "notice": notice or _notice(ranked),
        "n_history": ranked.n_history,
        "model_version": ranked.model_version,
        "is_audience_simulated": audience_is_simulated(),
        "dials": DialsForm(initial=_positions(taste)),
        "are_dials_turned": dials_of(taste) != NEUTRAL,
        "cost": cost_said(taste, ranked),
        "is_known": found.is_known,
        "min_known": MIN_KNOWN,
    }


def filter_choices(asked: Asked) -> dict[str, Any]:
    """What the filters choose from, for the page around the list; two queries."""
    genres, languages = genres_all(), languages_all()
    names = {genre.slug: genre.label for genre in genres}
    language = language_name(asked.filters.language) if asked.filters.language else ""
    source = "" if asked.source == DEFAULT_SOURCE else f"source={asked.source}"
    return {
        "filters": asked.filters,
        "genres": genres,
        "languages": languages,
        "lengths": LENGTHS,
        "decades": [(decade, decade_label(decade)) for decade in DECADES],
        "filter_chips": [
            (chip.label, "&".join(part for part in (chip.query, source) if part))
            for chip in chips(asked.filters, genre_names=names, language=language)
        ],
    }


@dataclass(frozen=True)
class _Found:
    """The list, what the person would give its films, why in short, and whether we know them."""

    ranked: RankedList
    taste: Taste
    guesses: dict[int, str]
    tags: dict[int, tuple[Tag, ...]]
    is_known: bool


def _list(user: User | AnonymousUser, asked: Asked, *, request_id: uuid.UUID) -> _Found:
    person, snapshot = feedback_of(user), current_snapshot()
    standing = standing_for(
        user, snapshot, source=asked.source, n=FILMS, generation=person.generation
    )
    taste, barred = standing.taste, standing.barred
    if asked.filters.is_any:
        fitting = movies_filtered(asked.filters).order_by().values("pk")
        outside = Movie.objects.visible().exclude(pk__in=fitting).values_list("pk", flat=True)
        barred = barred | frozenset(outside)
    context = context_standing(user.pk or 0, standing)
    ranked = recommendations_for(
        user,
        n=FILMS,
        source=asked.source,
        feedback=person,
        snapshot=snapshot,
        barred=barred,
        context=context,
        standing=standing,
        is_narrowed=asked.filters.is_any,
        max_parts=MAX_EVIDENCE,
        request_id=request_id,
    )
    guessed = predictions_for(person, [film.movie_id for film in ranked.films])
    return _Found(
        ranked=ranked,
        taste=taste,
        guesses={movie_id: guess.short for movie_id, guess in guessed.items()},
        tags=tags_of(
            ranked,
            person,
            snapshot=snapshot,
            barred=barred,
            context=context,
            muted=taste.muted_reasons,
        ),
        is_known=n_known(person) >= MIN_KNOWN,
    )


def _positions(taste: Taste) -> dict[str, float]:
    return {name: getattr(taste, name) for name in DialsForm.NAMES}


def cost_said(taste: Taste, ranked: RankedList) -> str:
    """What the dials cost in words, from what the version's training measured; one query at most.

    Empty at neutral. Another source than the policy was not measured, and that is said.
    """
    dials = dials_of(taste)
    if dials == NEUTRAL:
        return ""
    if all(film.score is None for film in ranked.films):
        return _("The dials turn a list of your own: rate a few films first.")
    measured: dict[str, Any] = {}
    # An experiment's list is not what was measured.
    is_usual = ranked.source == DEFAULT_SOURCE and ranked.trial is None
    if is_usual and ranked.model_version_id is not None:
        metrics = ModelVersion.objects.filter(pk=ranked.model_version_id)
        measured = (metrics.values_list("metrics__dials", flat=True).first()) or {}
    costs = costs_of(dials, measured)
    if costs is None:
        return _("What this costs in accuracy was not measured for this list.")
    percents = {name: max(0, round(100 * cost)) for name, cost in costs.items()}
    if len(percents) == 1:
        (percent,) = percents.values()
        if percent < 1:
            return _("As accurate on past ratings as without the dial.")
        return _("About %(n)s %% less accurate on past ratings.") % {"n": percent}
    labels = {name: field.label for name, field in DialsForm.base_fields.items()}
    each = ", ".join(f"{labels[name]} {percent} %" for name, percent in percents.items())
    return _("Less accurate on past ratings by about, each dial alone: %(each)s.") % {"each": each}


def _notice(ranked: RankedList) -> str:
    """What a person should know about where this list comes from."""
    if not ranked.model_version:
        return _("The recommender is still learning. Until it has, these are the popular films.")
    if not ranked.n_history:
        return _(
            "Rate a few films and this list becomes yours. Until then: what people here watch."
        )
    if all(film.score is None for film in ranked.films):
        return _("We know too little of the films you rated: these are popular ones for now.")
    return ""
