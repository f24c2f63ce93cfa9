"""Rows of the front page that need no history, and how they change from day to day."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.cards import ReasonPart
from catalog.models import Genre, Movie
from recommendations.pipeline import popular_films
from recommendations.ranked import RankedFilm
from recommendations.services.trending import trending_movie_ids

ROW_FILMS = 12
WIDE = ROW_FILMS * 5  # read for a row: enough after other rows took theirs, and to rotate among
# A mean of few ratings says little: Bayesian mean with this many ratings of 3.5 stars.
PRIOR_RATINGS = 25
PRIOR_STARS = 3.5
WELL_KNOWN_SHARE = 0.02  # of the most-rated film's ratings
GENTLE = ("Animation", "Children", "Comedy", "Musical", "Romance")
HARSH = ("Crime", "Film-Noir", "Horror", "Thriller", "War")
GENTLE_MINUTES = (40, 105)


@dataclass
class Draft:
    """A row before its films were read. ``is_pinned`` rows keep place and order every day."""

    slug: str
    title: tuple[ReasonPart, ...]
    films: list[RankedFilm]
    more_url: str = ""
    request_id: str = ""
    is_pinned: bool = False


def text(words: str) -> tuple[ReasonPart, ...]:
    """A title without a stressed part."""
    return (ReasonPart(words),)


def rng_of(*what: object) -> np.random.Generator:
    """The same numbers for the same ``what``, on every machine."""
    return np.random.default_rng(zlib.crc32(repr(what).encode()))


def day_seed(person_id: int | None, day: date) -> str:
    """What a page is shuffled by: the person and the day, so a visit holds still."""
    return f"{person_id or 0}:{day.isoformat()}"


def rotated(films: Sequence[RankedFilm], *, seed: str, slug: str) -> list[RankedFilm]:
    """The films in a new order each day; better ones still come first more often.

    Weighted sampling without replacement (Efraimidis and Spirakis 2006), half as likely at twice
    the place.
    """
    if len(films) <= 1:
        return list(films)
    draws = rng_of(seed, slug).random(len(films))
    weight = 1.0 / (ROW_FILMS + np.arange(len(films)))
    order = np.argsort(np.log(draws) / weight)[::-1]
    return [films[i] for i in order]


def catalogue_rows(taken: Iterable[int], *, seed: str) -> list[Draft]:
    """Rows for everybody, in the order of the day; the caller takes what is left of each."""
    gone = list(taken)
    visible = Movie.objects.visible().exclude(pk__in=gone)
    drafts = [*_what_others_do(visible, gone), *_by_kind(visible)]
    for draft in drafts:
        if not draft.is_pinned:
            draft.films = rotated(draft.films, seed=seed, slug=draft.slug)
    first = [draft for draft in drafts if draft.is_pinned]
    others = [draft for draft in drafts if not draft.is_pinned]
    order = rng_of(seed, "rows").permutation(len(others))
    return [*first, *(others[i] for i in order)]


def _what_others_do(visible: QuerySet[Movie], gone: list[int]) -> list[Draft]:
    browse = reverse("catalog:browse")
    away = set(gone)
    trending = [pk for pk in trending_movie_ids() if pk not in away][:WIDE]
    return [
        Draft(
            "trending",
            text(_("Trending this week")),
            [RankedFilm(movie_id=pk, source="trending") for pk in trending],
            is_pinned=True,  # its order is what it says
        ),
        Draft(
            "popular",
            text(_("What people here watch")),
            popular_films(n=WIDE, without=frozenset(gone)),
            f"{browse}?sort=popular",
            is_pinned=True,
        ),
    ]


def _by_kind(visible: QuerySet[Movie]) -> list[Draft]:
    browse = reverse("catalog:browse")
    top = visible.order_by("-rating_count").values_list("rating_count", flat=True).first() or 0
    bayes = (F("rating_count") * F("rating_mean") + PRIOR_RATINGS * PRIOR_STARS) / (
        F("rating_count") + PRIOR_RATINGS
    )
    known = visible.filter(rating_count__gte=max(1, top * WELL_KNOWN_SHARE))
    loved = known.filter(rating_mean__isnull=False).annotate(bayes=bayes).order_by("-bayes", "pk")
    gentle = loved.filter(
        Exists(Genre.objects.filter(movies=OuterRef("pk"), name__in=GENTLE)),
        ~Exists(Genre.objects.filter(movies=OuterRef("pk"), name__in=HARSH)),
        runtime_min__range=GENTLE_MINUTES,
    )
    # A whole import arrives within one day: among its films the latest come first.
    new = visible.annotate(day=TruncDate("created_at")).order_by("-day", "-year", "pk")
    return [
        Draft(
            "loved",
            text(_("Rated highest by those who saw them")),
            _films(loved, "loved"),
            f"{browse}?sort=best",
        ),
        Draft("gentle", text(_("Short and gentle for tonight")), _films(gentle, "gentle")),
        Draft(
            "new",
            text(_("New to the catalogue")),
            _films(new.filter(year__isnull=False), "new"),
            f"{browse}?sort=newest",
        ),
        Draft(
            "old",
            text(_("Before 1960, and still loved")),
            _films(loved.filter(year__lt=1960), "old"),
            f"{browse}?year_to=1959&sort=best",
        ),
    ]


def _films(queryset: QuerySet[Any], source: str) -> list[RankedFilm]:
    ids = queryset.values_list("pk", flat=True)[:WIDE]
    return [RankedFilm(movie_id=pk, source=source) for pk in ids]
