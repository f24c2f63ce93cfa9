"""Which film to ask a newcomer about next: the one whose answer would change the list most.

For a model that is linear in the history, the list after every possible answer is known before the
answer is: scores plus weight times the film's row. A film is worth asking about as much as the list
would change, averaged over the likely answers and over whether the person can answer at all. The
idea of asking for what changes predictions most is Rubens, Kaplan and Sugiyama, "Active Learning in
Recommender Systems" (2011), there for predicted stars; here the change is that of the list itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.types import FloatArray

LIST_FILMS = 20
#: Lists are imagined of so many of the best known films: the price of a question stays the same.
POOL_FILMS = 1000
SEEN_LEAST, SEEN_MOST = 0.02, 0.98
#: Stars that stand for what people answer, and how far answers spread around a film's mean.
ANSWER_STARS = np.array([1.5, 3.0, 4.0, 5.0])
_EDGES = np.array([2.25, 3.5, 4.5])
_SPREAD_STARS = 1.0


def star_worth(stars: float) -> float:
    """How much ``stars`` are a wish for more of the same: 1 for five stars, negative below 2.5."""
    return (stars - 2.5) / 2.5 if stars >= 2.5 else (stars - 2.5) / 5.0


ANSWER_WORTHS = np.array([star_worth(float(stars)) for stars in ANSWER_STARS])


@dataclass(frozen=True, slots=True)
class AskingPool:
    """The films that may be asked about and the films that the lists are made of.

    ``rows`` float32[n_askable, n_films] is what one full like of each askable film adds to every
    score; ``prior`` float32[n_films] what a list is made of before anybody said anything;
    ``askable`` int[n_askable] the places of the askable films among the films; ``seen`` and
    ``mean`` float[n_askable]: the share of people who know each, and the stars it gets.
    """

    rows: FloatArray
    prior: FloatArray
    askable: NDArray[np.intp]
    seen: FloatArray
    mean: FloatArray

    def scores(self, places: NDArray[np.intp], weights: NDArray[np.floating]) -> FloatArray:
        """float32[n_films]: after answers worth ``weights`` to the askable films ``places``."""
        if not len(places):
            return self.prior.copy()
        return (self.prior + weights.astype(np.float32) @ self.rows[places]).astype(np.float32)


def asking_pool(
    table: NDArray[np.float32] | sparse.csr_matrix,
    *,
    counts: NDArray[np.floating],
    means: NDArray[np.floating],
    n_askable: int,
    n_films: int,
    n_people: float,
) -> tuple[AskingPool, NDArray[np.intp]]:
    """The pool of the ``n_askable`` and ``n_films`` best known films of an item-to-item ``table``.

    ``counts`` and ``means`` are each film's number of ratings and mean stars, ``n_people`` how many
    people rated. Also returned: the films' positions in ``table``, best known first. The prior is
    the share of people who know a film, the scale that an autoencoder's scores have too.
    """
    films = np.argsort(-counts, kind="stable")[:n_films]
    films = films[counts[films] > 0]
    askable = np.arange(min(n_askable, len(films)))
    rows = table[films[askable]]
    dense = rows if isinstance(rows, np.ndarray) else rows.toarray()
    share = (counts[films] / max(n_people, 1.0)).astype(np.float32)
    pool = AskingPool(
        rows=np.ascontiguousarray(dense[:, films], dtype=np.float32),
        prior=share.copy(),
        askable=askable,
        seen=share[askable],
        mean=np.where(np.isfinite(means[films[askable]]), means[films[askable]], 3.5).astype(
            np.float32
        ),
    )
    return pool, films


def answer_chances(mean: FloatArray) -> FloatArray:
    """float32[n, n_answers]: how likely each of ANSWER_STARS is for films with these mean stars."""
    from scipy.special import ndtr

    below = ndtr((_EDGES[None, :] - mean[:, None]) / _SPREAD_STARS)
    edges = np.concatenate([np.zeros((len(mean), 1)), below, np.ones((len(mean), 1))], axis=1)
    return np.diff(edges, axis=1).astype(np.float32)


def expected_change(
    scores: FloatArray,
    rows: FloatArray,
    *,
    chances: FloatArray,
    weights: NDArray[np.floating],
    k: int = LIST_FILMS,
) -> FloatArray:
    """float32[m]: the share of the first ``k`` films that an answer about each film would replace.

    ``scores`` float32[n] now (``-inf``: not in lists), ``rows`` [m, n] what a full like would add,
    ``chances`` [m, a] of answers whose likes are worth ``weights`` [a]. The film itself leaves the
    list with its answer, which is no news: its place in its own row must be ``-inf`` or 0.
    """
    k = min(k, int(np.isfinite(scores).sum()))
    if not k:
        return np.zeros(len(rows), dtype=np.float32)
    top = np.argpartition(-scores, k - 1)[:k]
    change = np.zeros(len(rows), dtype=np.float32)
    for answer, weight in enumerate(weights):
        if not weight:
            continue
        after = scores[None, :] + np.float32(weight) * rows
        edge = -np.partition(-after, k - 1, axis=1)[:, k - 1]
        stay = (after[:, top] >= edge[:, None]).sum(axis=1)
        change += chances[:, answer] * (1.0 - np.minimum(stay, k) / k).astype(np.float32)
    return change


def expected_shift(
    scores: FloatArray,
    rows: FloatArray,
    *,
    chances: FloatArray,
    weights: NDArray[np.floating],
    depth: int,
) -> FloatArray:
    """float32[m]: by how much an answer about each film would move the first ``depth`` scores.

    The change of the list before it shows in who stands where: steadier than
    :func:`expected_change`, which sees an answer only where a film crosses the list's edge.
    """
    depth = min(depth, int(np.isfinite(scores).sum()))
    if not depth:
        return np.zeros(len(rows), dtype=np.float32)
    top = np.argpartition(-scores, depth - 1)[:depth]
    reach = np.abs(rows[:, top]).sum(axis=1)
    return ((chances @ np.abs(weights)) * reach).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Asking:
    """How questions are chosen; the defaults are those of benchmarks/onboarding.py's validation.

    ``heard_seen`` and ``heard_stars`` say how much what the answers so far speak for is likelier
    known, and liked. ``damping`` is the power of the change, below 1 where being able to answer
    and liking the film count for more. ``depth`` is how far down the list changes count;
    ``measure`` is ``"scores"`` (:func:`expected_shift`) or ``"places"`` (:func:`expected_change`).
    """

    n_askable: int = 200
    heard_seen: float = 6.0
    heard_stars: float = 0.0
    damping: float = 1.0
    depth: int = 100
    measure: Literal["scores", "places"] = "scores"


def next_question(
    pool: AskingPool,
    scores: FloatArray,
    *,
    asked: NDArray[np.bool_],
    asking: Asking = Asking(),  # noqa: B008 - frozen
) -> int:
    """The place in ``pool.askable`` of the film to ask about; -1 where all were ``asked``.

    ``scores`` are :meth:`AskingPool.scores` of the answers so far, ``-inf`` where a film can be in
    no list.
    """
    places = np.flatnonzero(~asked)
    if not len(places):
        return -1
    films = pool.askable[places]
    heard = np.where(np.isfinite(scores[films]), scores[films] - pool.prior[films], 0.0)
    seen = np.clip(pool.seen[places] + asking.heard_seen * heard, SEEN_LEAST, SEEN_MOST)
    mean = np.clip(pool.mean[places] + asking.heard_stars * heard, 0.5, 5.0)
    chances, rows = answer_chances(mean.astype(np.float32)), pool.rows[places]
    if asking.measure == "places":
        change = expected_change(
            scores, rows, chances=chances, weights=ANSWER_WORTHS, k=asking.depth
        )
    else:
        change = expected_shift(
            scores, rows, chances=chances, weights=ANSWER_WORTHS, depth=asking.depth
        )
    worth = change ** np.float32(asking.damping) * seen
    # Where nothing would change anything, the best known film is asked: places are in that order.
    return int(places[int(np.argmax(worth))])


def overlap_at_k(before: NDArray[np.integer], after: NDArray[np.integer], k: int) -> float:
    """The share of the first ``k`` films of one list that the other's first ``k`` hold."""
    if not k:
        return 1.0
    return len(np.intersect1d(before[:k], after[:k])) / k
