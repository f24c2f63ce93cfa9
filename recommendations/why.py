"""Why a film is in somebody's list: every part of its score, and what would happen without one."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Movie
from feedback.selectors import HistoryEvent, feedback_of
from ml.explain import whole_percentages
from recommendations.counterfactuals import FIRST, sole_cause_ids
from recommendations.limits import barred_for
from recommendations.phrasing import Cause, ReasonEvidence
from recommendations.pipeline import DEFAULT_SOURCE, explained_film
from recommendations.predicted import MIN_KNOWN, Prediction, n_known, predictions_for
from recommendations.ranked import EvidencePart, RankedFilm
from recommendations.reasons import named_parts
from recommendations.reranking import context_of
from recommendations.selectors import known_source, lists_without
from recommendations.snapshot import current_snapshot

MAX_ROWS = 30  # the strongest parts get a row each, the rest share one
MAX_MUTED = 30

TERM_LABELS = {
    "genres": _("The mix of genres that you like"),
    "shown": _("Shown to you before, and passed over"),
    "variety": _("How like it is to films further up"),
    "surprise": _("Your dial: familiar or surprising"),
    "era": _("Your dial: older or newer"),
    "length": _("Your dial: shorter or longer"),
    "diversity": _("Your dial: variety"),
}


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
    # What a step of re-ranking added, in words.
    label: str = ""


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
    # What the person would give it, and how many more stars of theirs it takes to say.
    # The strongest films of the history, for a sentence; None without any.
    evidence: ReasonEvidence | None = None
    guess: Prediction | None = None
    n_stars_missing: int = 0
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
    context = context_of(user)
    film = None
    if snapshot is not None:
        film = explained_film(
            snapshot,
            person,
            movie_id=movie.pk,
            source=source,
            barred=barred,
            context=context,
            n=FIRST,
        )
    parts = film.evidence if film else ()
    tried = [part.movie_id for part in parts if part.contribution > 0]
    causes: frozenset[int] = frozenset()
    if snapshot is not None and tried:
        causes = frozenset(
            sole_cause_ids(
                person,
                tried,
                snapshot=snapshot,
                movie_id=movie.pk,
                source=source,
                barred=barred,
                context=context,
            )
        )
    now, others = lists_without(
        person,
        [] if without_id is None else [without_id],
        snapshot=snapshot,
        barred=barred,
        context=context,
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
        evidence=_evidence(film, movie, events=events, movies=movies) if film else None,
        guess=predictions_for(person, [movie.pk]).get(movie.pk),
        n_stars_missing=max(0, MIN_KNOWN - n_known(person)),
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
    n_films = len(contributions)
    contributions += [term.contribution for term in film.terms]
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
        rows.append(
            WhyRow(contributions[n_films - 1], percentages[n_films - 1], n_others=len(rest))
        )
    rows += [
        WhyRow(term.contribution, percentage, label=str(TERM_LABELS[term.name]))
        for term, percentage in zip(film.terms, percentages[n_films:], strict=False)
    ]
    return (*rows, WhyRow(contributions[-1], percentages[-1]))


def _evidence(
    film: RankedFilm,
    movie: Movie,
    *,
    events: dict[int, HistoryEvent],
    movies: dict[int, Movie],
) -> ReasonEvidence | None:
    """What may be said of the film in a sentence: the films that its card names."""
    named = [part for part in named_parts(film) if part.movie_id in movies]
    if not named:
        return None
    shares = [part.share for part in named]
    percentages = whole_percentages([*shares, max(0.0, 1.0 - sum(shares))])
    return ReasonEvidence(
        title=movie.title,
        causes=tuple(
            Cause(movies[part.movie_id].title, events[part.movie_id].stars, percentage)
            for part, percentage in zip(named, percentages, strict=False)
        ),
    )


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
