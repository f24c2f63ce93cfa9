"""Evidence in words: every sentence here is true of the film it stands under."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.cards import ReasonPart
from catalog.models import Movie
from ml.explain import whole_percentages
from recommendations.ranked import RankedFilm

MAX_NAMED = 2  # more films than two in a reason are not read
MIN_SHARE = 0.02  # below two per cent a film explains nothing


def evidence_movie_ids(films: Iterable[RankedFilm]) -> set[int]:
    """The films whose titles the reasons will name."""
    return {part.movie_id for film in films for part in _named(film)}


def reason_for(
    film: RankedFilm, movie: Movie, titles: Mapping[int, str], *, is_simulated: bool
) -> tuple[ReasonPart, ...]:
    """ "61 % Heat · 22 % Collateral": exact shares of what speaks for the film.

    Without evidence from the person's own history, how many people rated the film;
    ``is_simulated`` says that these people are made up.
    """
    named = [part for part in _named(film) if part.movie_id in titles]
    if not named:
        return popularity_reason(movie, is_simulated=is_simulated)
    shares = [part.share for part in named]
    percentages = whole_percentages([*shares, max(0.0, 1.0 - sum(shares))])
    parts: list[ReasonPart] = []
    for part, percentage in zip(named, percentages, strict=False):
        if parts:
            parts.append(ReasonPart(" · "))
        parts.append(ReasonPart(f"{percentage} % "))
        parts.append(ReasonPart(titles[part.movie_id], is_strong=True))
    return tuple(parts)


def popularity_reason(movie: Movie, *, is_simulated: bool) -> tuple[ReasonPart, ...]:
    """How many people rated a film; films that nobody rated say that they are new."""
    if not movie.rating_count:
        return (ReasonPart(_("New in the catalogue")),)
    if is_simulated:
        said = ngettext("%(n)s simulated rating", "%(n)s simulated ratings", movie.rating_count)
    else:
        said = ngettext("%(n)s person rated it", "%(n)s people rated it", movie.rating_count)
    return (ReasonPart(said % {"n": f"{movie.rating_count:,}"}),)


def _named(film: RankedFilm) -> list:
    return [part for part in film.evidence if part.share >= MIN_SHARE][:MAX_NAMED]
