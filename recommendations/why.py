"""Why a film is in somebody's list: every part of its score, and what would happen without one."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from accounts.models import User
from catalog.models import Movie
from feedback.selectors import HistoryEvent, UserFeedback, feedback_of
from ml.explain import whole_percentages
from recommendations.counterfactuals import FIRST, sole_cause_ids
from recommendations.limits import barred_for
from recommendations.pipeline import DEFAULT_SOURCE, explained_film
from recommendations.ranked import EvidencePart, RankedFilm
from recommendations.selectors import known_source, lists_without
from recommendations.snapshot import Snapshot, current_snapshot

MAX_ROWS = 30  # the strongest parts get a row each, the rest share one
MAX_MUTED = 30


@dataclass(frozen=True)
class WhyRow:
    """One row of the table. ``movie`` is None for the part that is no film of the history.

    ``percentage`` is the part's share of all that speaks for the film, the rows' add up to 100;
    None speaks against it. ``n_others`` films share the row of the weakest parts.
    """

    contribution: float
    percentage: int | None = None
    movie: Movie | None = None
    stars: Decimal | None = None
    kind: str = ""
    is_sole_cause: bool = False
    n_others: int = 0


@dataclass(frozen=True)
class Why:
    """Why ``movie`` stands where it stands. ``rows`` is empty where no model knows the film."""

    movie: Movie
    source: str
    model_version: str = ""
    score: float | None = None
    # Its place in the list, 1 first; None behind the first 20, or for a film that is hidden.
    place: int | None = None
    is_hidden: bool = False
    rows: tuple[WhyRow, ...] = ()
    muted: tuple[Movie, ...] = ()


@dataclass(frozen=True)
class Without:
    """The first films as they would be had no list learned from ``cause``."""

    cause: Movie
    films: tuple[Movie, ...]
    # Those of ``films`` that are not in the list now, and those that would leave it.
    new_ids: frozenset[int]
    leaving: tuple[Movie, ...]


def why_film(
    user: User, movie: Movie, *, source: str = DEFAULT_SOURCE, without_id: int | None = None
) -> tuple[Why, Without | None]:
    """The answer for ``movie``, and the list without the film ``without_id`` if one is named.

    A fixed number of queries, whatever the history. Raises UnknownSourceError, and
    Movie.DoesNotExist where ``without_id`` is no film of the person's history.
    """
    snapshot = current_snapshot()
    source = known_source(source, snapshot)
    person = feedback_of(user)
    barred = barred_for(user)
    events = {event.movie_id: event for event in person.history}
    if without_id is not None and without_id not in events:
        raise Movie.DoesNotExist("This film is not one that your lists learn from.")
    film = _explained(person, snapshot, movie, source=source)
    parts = film.evidence if film else ()
    tried = [part.movie_id for part in parts if part.contribution > 0]
    causes = _causes(person, tried, movie, snapshot=snapshot, source=source, barred=barred)
    now, others = lists_without(
        person,
        [] if without_id is None else [without_id],
        snapshot=snapshot,
        barred=barred,
        n=FIRST,
        source=source,
    )
    shown = [f.movie_id for f in now.films]
    after = [f.movie_id for f in others[0].films] if others else []
    muted_ids = sorted(person.muted_ids)[:MAX_MUTED]
    named = {part.movie_id for part in parts} | set(muted_ids) | set(shown) | set(after)
    if without_id is not None:
        named.add(without_id)
    movies = {m.pk: m for m in Movie.objects.filter(pk__in=named).only("title", "year")}
    why = Why(
        movie=movie,
        source=source,
        model_version=snapshot.version if snapshot else "",
        score=film.score if film else None,
        place=shown.index(movie.pk) + 1 if movie.pk in shown else None,
        is_hidden=movie.pk in person.hidden_ids | barred,
        rows=_rows(film, events=events, movies=movies, causes=causes) if film else (),
        muted=tuple(movies[pk] for pk in muted_ids if pk in movies),
    )
    if without_id is None:
        return why, None
    preview = Without(
        cause=movies[without_id],
        films=tuple(movies[pk] for pk in after),
        new_ids=frozenset(after) - frozenset(shown),
        leaving=tuple(movies[pk] for pk in shown if pk not in after),
    )
    return why, preview


def _causes(
    person: UserFeedback,
    tried: list[int],
    movie: Movie,
    *,
    snapshot: Snapshot | None,
    source: str,
    barred: frozenset[int],
) -> frozenset[int]:
    if snapshot is None or not tried:
        return frozenset()
    return frozenset(
        sole_cause_ids(
            person, tried, snapshot=snapshot, movie_id=movie.pk, source=source, barred=barred
        )
    )


def _explained(
    person: UserFeedback, snapshot: Snapshot | None, movie: Movie, *, source: str
) -> RankedFilm | None:
    """The film with all parts of its score; None where the source has no opinion on it."""
    if snapshot is None:
        return None
    serving = snapshot.serving(source)
    index = int(serving.items.index([movie.pk])[0])
    return explained_film(serving, person, index=index) if index >= 0 else None


def _rows(
    film: RankedFilm,
    *,
    events: dict[int, HistoryEvent],
    movies: dict[int, Movie],
    causes: frozenset[int],
) -> tuple[WhyRow, ...]:
    """All parts of the score, the strongest first; percentages of the positive ones sum to 100."""
    listed, rest = _split(film.evidence)
    contributions = [part.contribution for part in listed]
    if rest:
        contributions.append(sum(part.contribution for part in rest))
    contributions.append(film.baseline)
    percentages = _percentages(contributions)
    rows = [
        WhyRow(
            contribution=part.contribution,
            percentage=percentage,
            movie=movies.get(part.movie_id),
            stars=events[part.movie_id].stars,
            kind=events[part.movie_id].kind,
            is_sole_cause=part.movie_id in causes,
        )
        for part, percentage in zip(listed, percentages, strict=False)
    ]
    if rest:
        rows.append(WhyRow(contributions[-2], percentages[-2], n_others=len(rest)))
    return (*rows, WhyRow(contributions[-1], percentages[-1]))


def _split(
    evidence: tuple[EvidencePart, ...],
) -> tuple[list[EvidencePart], list[EvidencePart]]:
    by_weight = sorted(evidence, key=lambda part: -abs(part.contribution))
    listed = sorted(by_weight[:MAX_ROWS], key=lambda part: -part.contribution)
    return listed, by_weight[MAX_ROWS:]


def _percentages(contributions: list[float]) -> list[int | None]:
    positive = [max(0.0, c) for c in contributions]
    total = sum(positive)
    if not total:
        return [None] * len(contributions)
    whole = whole_percentages([c / total for c in positive])
    return [w if c > 0 else None for w, c in zip(whole, contributions, strict=True)]
