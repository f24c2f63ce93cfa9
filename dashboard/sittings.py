"""A person's sittings, and what the latest one leans to: interest of the hour, not taste."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db.models import Q

from accounts.models import User
from catalog.models import Movie
from dashboard.taste import CatalogueCounts, Shift, decade_name, facts_of
from feedback.imports.entries import SURFACE as IMPORTED
from feedback.models import Interaction, Reaction
from ml.sessions import leanings, sitting_numbers, sitting_sizes

MAX_EVENTS = 5000  # the latest; years of use
Kind = Interaction.Kind
#: What tells of interest in a film; a no or a film passed over does not.
WANTING = Q(kind__in=[Kind.OPEN, Kind.WATCHLIST, Kind.RATE]) | Q(
    kind=Kind.REACT, value__in=[Reaction.Kind.LIKE, Reaction.Kind.SEEN]
)


@dataclass(frozen=True)
class Sittings:
    """``n`` sittings of ``median_films`` films; the latest with what it leans to."""

    n: int
    median_films: float
    last_at: datetime
    last_n_films: int
    leanings: tuple[Shift, ...]


def sittings_of(user: User, catalogue: CatalogueCounts) -> Sittings | None:
    """From the log, in three queries; None for somebody who did nothing here themselves.

    An import is no sitting: its thousand events took a second.
    """
    log = Interaction.objects.filter(user=user).exclude(surface=IMPORTED)
    rows = list(
        log.filter(WANTING)
        .order_by("-created_at", "-pk")
        .values_list("movie_id", "created_at")[:MAX_EVENTS]
    )[::-1]
    if not rows:
        return None
    at_s = np.array([int(at.timestamp()) for _movie, at in rows])
    numbers = sitting_numbers(np.zeros(len(rows), dtype=np.int64), at_s)
    # A film that was opened and then rated is one film of the sitting.
    pairs = list(dict.fromkeys(zip(numbers.tolist(), (movie for movie, _at in rows), strict=True)))
    sizes = sitting_sizes(np.array([number for number, _movie in pairs]))
    last = int(numbers[-1])
    return Sittings(
        n=last + 1,
        median_films=float(np.median(sizes)),
        last_at=rows[-1][1],
        last_n_films=int(sizes[-1]),
        leanings=_leanings(pairs, last, catalogue),
    )


def _leanings(
    pairs: list[tuple[int, int]], last: int, catalogue: CatalogueCounts
) -> tuple[Shift, ...]:
    """Genres and decades of the latest sitting's films against those of all before."""
    ids = list(dict.fromkeys(movie for _number, movie in pairs))
    movies = {movie.pk: facts_of(movie) for movie in Movie.objects.in_order(ids)}
    usual = {**catalogue.counts.get("genres", {}), **catalogue.counts.get("decades", {})}
    names = sorted(usual)
    column = {name: i for i, name in enumerate(names)}

    def hot(wanted: list[int]) -> np.ndarray:
        found = np.zeros((len(wanted), len(names)))
        for row, pk in enumerate(wanted):
            film = movies[pk]
            for name in (*film.genres, decade_name(film.decade)):
                if name in column:
                    found[row, column[name]] = 1.0
        return found

    now = [movie for number, movie in pairs if number == last and movie in movies]
    before = [movie for number, movie in pairs if number != last and movie in movies]
    everybody = np.array([usual[name] / max(1, catalogue.n_films) for name in names])
    return tuple(
        Shift(names[found.column], round(100 * found.before), round(100 * found.now))
        for found in leanings(hot(now), hot(before), everybody)
    )
