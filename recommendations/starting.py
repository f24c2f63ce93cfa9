"""Rate a few: which film to ask a newcomer about, how settled their list is, when to stop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from django.contrib.auth.models import AnonymousUser
from numpy.typing import NDArray

from accounts.models import User
from catalog.models import Movie
from feedback.selectors import UserFeedback, feedback_of
from ml import asking
from ml.models.hybrid import Hybrid
from ml.models.item_to_item import ItemToItem
from ml.types import FloatArray
from recommendations.limits import barred_for
from recommendations.preferences import event_weight
from recommendations.ranked import RankedList
from recommendations.selectors import recommendations_for
from recommendations.snapshot import Snapshot, current_snapshot

ASKING = asking.Asking()
#: Answers before "settled" means anything, and after which nobody is asked on by itself.
MIN_ANSWERS = 5
MAX_ANSWERS = 12
#: The share of the first films that must have stayed with each of the last answers.
SETTLED_OVERLAP = 0.8
SETTLED_STEPS = 2
LIST_SHOWN = 6  # of the list that grows beside the questions


@dataclass(frozen=True)
class Start:
    """Where somebody stands. ``movie`` is what to ask about next; None: nothing is left to ask.

    ``settled`` is the share (0..1) of the first films that stayed with the latest answer, None
    before there were two lists to compare. ``ranked`` is the served list, as it stands.
    """

    movie: Movie | None
    n_answers: int
    settled: float | None
    is_done: bool
    ranked: RankedList

    @property
    def settled_percent(self) -> int:
        """The same in whole per cents, 0 before there was anything to compare."""
        return round(100 * (self.settled or 0.0))


@dataclass(frozen=True)
class _Known:
    """A snapshot's pool and the films it is made of."""

    pool: asking.AskingPool
    movie_ids: NDArray[np.int64]


def start_of(user: User | AnonymousUser, *, passed: Iterable[int] = ()) -> Start:
    """What to ask this person now, without the films in ``passed`` (skipped or not seen)."""
    person = feedback_of(user)
    barred = barred_for(user)
    snapshot = current_snapshot()
    n_answers = len(person.history)
    ranked = recommendations_for(
        user, n=LIST_SHOWN, feedback=person, snapshot=snapshot, barred=barred
    )
    gone = person.hidden_ids | barred | frozenset(passed)
    # With the synopsis, which cards do without.
    films = Movie.objects.visible().prefetch_related("genres").defer("search_vector")
    known = _known(snapshot) if snapshot is not None else None
    if known is None:  # nothing was trained yet: the best known film is as good as any
        movie = films.exclude(pk__in=gone).order_by("-rating_count", "pk").first()
        return Start(movie, n_answers, None, n_answers >= MIN_ANSWERS, ranked)
    lists, scores = _lists(known, person, barred=barred)
    settled = _overlaps(lists)
    place = asking.next_question(
        known.pool,
        scores,
        asked=np.isin(known.movie_ids[known.pool.askable], list(gone)),
        asking=ASKING,
    )
    movie_id = int(known.movie_ids[known.pool.askable[place]]) if place >= 0 else 0
    return Start(
        movie=films.filter(pk=movie_id).first(),
        n_answers=n_answers,
        settled=settled[-1] if settled else None,
        is_done=_is_done(n_answers, settled),
        ranked=ranked,
    )


def _is_done(n_answers: int, settled: list[float]) -> bool:
    if n_answers < MIN_ANSWERS:
        return False
    last = settled[-SETTLED_STEPS:]
    is_settled = len(last) == SETTLED_STEPS and min(last) >= SETTLED_OVERLAP
    return is_settled or n_answers >= MAX_ANSWERS


def _lists(
    known: _Known, person: UserFeedback, *, barred: frozenset[int]
) -> tuple[list[NDArray[np.intp]], FloatArray]:
    """The first films after each of the latest answers, oldest first, and the scores now."""
    pool, ids = known.pool, known.movie_ids
    place_of = {int(ids[film]): place for place, film in enumerate(pool.askable)}
    answers = [
        (place_of[event.movie_id], event_weight(event))
        for event in person.history
        if event.movie_id in place_of
    ]
    # A film that was answered for leaves the lists; that alone is no change of taste.
    shut = np.isin(ids, list(person.hidden_ids | barred))
    lists, scores = [], pool.prior
    for n_heard in range(max(0, len(answers) - SETTLED_STEPS), len(answers) + 1):
        places = np.array([place for place, _ in answers[:n_heard]], np.intp)
        scores = pool.scores(places, np.array([weight for _, weight in answers[:n_heard]]))
        scores[shut] = -np.inf
        lists.append(np.argsort(-scores, kind="stable")[: asking.LIST_FILMS])
    return lists, scores


def _overlaps(lists: list[NDArray[np.intp]]) -> list[float]:
    return [
        asking.overlap_at_k(before, after, asking.LIST_FILMS)
        for before, after in zip(lists, lists[1:], strict=False)
    ]


# Read once for a version: what people know changes slower than models do.
_pools: WeakKeyDictionary[Hybrid, _Known | None] = WeakKeyDictionary()


def _known(snapshot: Snapshot) -> _Known | None:
    """Of the weightiest source that is a table of films; None where the model has none."""
    if snapshot.hybrid not in _pools:
        _pools[snapshot.hybrid] = _pool(snapshot)
    return _pools[snapshot.hybrid]


def _pool(snapshot: Snapshot) -> _Known | None:
    parts = sorted(snapshot.hybrid.parts, key=lambda part: -part.weight)
    tables = [snapshot.hybrid.models[part.label] for part in parts]
    model = next((m for m in tables if isinstance(m, ItemToItem)), None)
    if model is None:
        return None
    counts = np.zeros(len(snapshot.items))
    means = np.full(len(snapshot.items), np.nan)
    rows = Movie.objects.filter(rating_count__gt=0, is_hidden=False).values_list(
        "pk", "rating_count", "rating_mean"
    )
    found = np.array([(pk, n, np.nan if mean is None else mean) for pk, n, mean in rows])
    if len(found):
        at = snapshot.items.index(found[:, 0].astype(np.int64))
        counts[at[at >= 0]], means[at[at >= 0]] = found[at >= 0, 1], found[at >= 0, 2]
    pool, films = asking.asking_pool(
        model.table,
        counts=counts,
        means=means,
        n_askable=ASKING.n_askable,
        n_films=asking.POOL_FILMS,
        n_people=_n_people(counts),
    )
    return _Known(pool=pool, movie_ids=snapshot.items.ids[films])


def _n_people(counts: NDArray[np.float64]) -> float:
    """About how many people rated: the best known film is known to six of ten in MovieLens 1M."""
    return float(counts.max(initial=1.0)) / 0.6
