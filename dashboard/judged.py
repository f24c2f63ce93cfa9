"""How far recommendations were right, and what the current list is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Min
from django.utils.translation import gettext as _

from accounts.models import User
from catalog.models import Movie
from dashboard.taste import FilmFacts, Taste, decade_name, facts_of, is_liked
from feedback.models import Impression, Rating
from feedback.selectors import feedback_of
from ml.reranking import calibration_error, genre_mix
from recommendations.selectors import recommendations_for

#: Where films are shown because of the person; "similar" and searches are not among them.
SURFACES = ("home", "for_you", "start", "tonight", "swipe", "api", "surprise")
LIST_FILMS = 24
LABEL_ROWS = 6
# How well known a film is, by its place among all films by number of ratings.
WELL_KNOWN, KNOWN = 0.10, 0.50


@dataclass(frozen=True)
class Judged:
    """What became of the films that lists showed: of ratings given after, and of the others."""

    n_shown: int
    n_rated: int
    n_liked: int
    mean_stars: float | None
    n_others: int
    mean_others: float | None

    @property
    def liked_percent(self) -> int | None:
        """Of the films that were rated after they had been shown, how many got four or more."""
        return round(100 * self.n_liked / self.n_rated) if self.n_rated else None


@dataclass(frozen=True)
class LabelRow:
    """One line of the label, in whole per cents."""

    name: str
    listed: int
    liked: int


@dataclass(frozen=True)
class Label:
    """What the list holds, next to what the person likes. ``gap`` 0 is the same genre mix."""

    n_films: int
    parts: tuple[tuple[str, tuple[LabelRow, ...]], ...]
    gap: float | None


def judged_for(user: User) -> Judged:
    """From the log of what was shown and the ratings after it, in two queries."""
    first_shown = dict(
        Impression.objects.filter(slate__user=user, slate__surface__in=SURFACES)
        .values("movie_id")
        .annotate(at=Min("slate__created_at"))
        .values_list("movie_id", "at")
    )
    after: list[float] = []
    others: list[float] = []
    rows = Rating.objects.filter(user=user).values_list("movie_id", "stars", "created_at")
    for movie_id, stars, at in rows:
        shown_at = first_shown.get(movie_id)
        (after if shown_at is not None and shown_at < at else others).append(float(stars))
    return Judged(
        n_shown=len(first_shown),
        n_rated=len(after),
        n_liked=sum(stars >= 4 for stars in after),
        mean_stars=sum(after) / len(after) if after else None,
        n_others=len(others),
        mean_others=sum(others) / len(others) if others else None,
    )


def label_of(user: User, taste: Taste) -> Label:
    """The list that the person would be shown now."""
    person = feedback_of(user)
    ranked = recommendations_for(user, n=LIST_FILMS, feedback=person)
    listed = [
        facts_of(movie) for movie in Movie.objects.in_order([f.movie_id for f in ranked.films])
    ]
    liked = [
        taste.facts[event.movie_id]
        for event in person.history
        if is_liked(event) and event.movie_id in taste.facts
    ]
    counts = np.sort(
        np.fromiter(Movie.objects.visible().values_list("rating_count", flat=True), dtype=np.int64)
    )[::-1]
    parts = [
        (_("Genres"), _mix([f.genres for f in listed], [f.genres for f in liked])),
        (_("Decades"), _mix(_decades(listed), _decades(liked))),
        (_("How well known"), _mix(_fame(listed, counts), _fame(liked, counts))),
    ]
    return Label(
        n_films=len(listed),
        parts=tuple((title, rows) for title, rows in parts if rows),
        gap=_genre_gap(listed, liked),
    )


def _decades(films: Sequence[FilmFacts]) -> list[tuple[str, ...]]:
    return [(decade_name(film.decade),) if film.decade else () for film in films]


def _fame(films: Sequence[FilmFacts], counts: np.ndarray) -> list[tuple[str, ...]]:
    if not len(counts):
        return [() for _film in films]
    names = (_("Among the best known tenth"), _("Known to some"), _("Known to few"))
    edges = [
        counts[min(int(share * len(counts)), len(counts) - 1)] for share in (WELL_KNOWN, KNOWN)
    ]
    return [
        (names[0 if film.rating_count >= edges[0] else 1 if film.rating_count >= edges[1] else 2],)
        for film in films
    ]


def _mix(
    listed: Sequence[tuple[str, ...]], liked: Sequence[tuple[str, ...]]
) -> tuple[LabelRow, ...]:
    """Shares that add up to 100 %: a film of three genres is a third of each."""
    mine, theirs = _weights(listed), _weights(liked)
    names = sorted(mine.keys() | theirs.keys(), key=lambda name: (-mine.get(name, 0.0), name))
    return tuple(
        LabelRow(name, round(100 * mine.get(name, 0.0)), round(100 * theirs.get(name, 0.0)))
        for name in names[:LABEL_ROWS]
    )


def _weights(rows: Sequence[tuple[str, ...]]) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for row in rows:
        for value in row:
            found[value] = found.get(value, 0.0) + 1.0 / len(row)
    total = sum(found.values())
    return {value: weight / total for value, weight in found.items()} if total else {}


def _genre_gap(listed: Sequence[FilmFacts], liked: Sequence[FilmFacts]) -> float | None:
    """KL divergence of the list's genre mix from the liked films'; None without either."""
    names = sorted({genre for film in (*listed, *liked) for genre in film.genres})
    if not names or not listed or not any(film.genres for film in liked):
        return None

    def hot(films: Sequence[FilmFacts]) -> np.ndarray:
        return np.array([[name in film.genres for name in names] for film in films], np.float64)

    target = genre_mix(hot(liked))
    everything = np.arange(len(listed))[None, :]
    return float(calibration_error(everything, hot(listed), target)[0])
