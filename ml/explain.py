"""Why a film is in a list: evidence whose parts add up to the score, and claims that were checked.

Input is what linear models give (``LinearRecommender.contributions``): one number per event of the
history and candidate, plus a baseline that doesn't come from the history (popularity, the centring
of a blend). Everything is in positions; names are put in by whoever shows them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.retrieval import top_k
from ml.types import FloatArray, Histories

Score = Callable[[Histories], FloatArray]

BASELINE = -1  # the event position of what doesn't come from the history


@dataclass(frozen=True, slots=True)
class Evidence:
    """One part of a score.

    ``event`` is the position in the history (:data:`BASELINE` for the rest), ``contribution`` its
    part of the score, ``share`` the same over the sum of all *positive* parts: positive shares sum
    to 1, a negative share speaks against the film.
    """

    event: int
    contribution: float
    share: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """All evidence for one candidate, the strongest first; contributions sum to ``score``."""

    score: float
    evidence: tuple[Evidence, ...]

    def reasons(self, limit: int = 2) -> tuple[Evidence, ...]:
        """The strongest positive events of the history (not the baseline), at most ``limit``."""
        events = (e for e in self.evidence if e.event != BASELINE and e.share > 0)
        return tuple(events)[:limit]

    def percentages(self, limit: int = 2) -> tuple[tuple[Evidence, ...], tuple[int, ...]]:
        """The reasons and whole percentages for them and for the rest: they add up to 100.

        The last number is "everything else that speaks for it". Both are empty without positive
        evidence.
        """
        named = self.reasons(limit)
        if not any(e.share > 0 for e in self.evidence):
            return (), ()
        shares = [e.share for e in named]
        return named, whole_percentages([*shares, max(0.0, 1.0 - sum(shares))])


def explain(contributions: NDArray[np.floating], *, baseline: float = 0.0) -> Explanation:
    """The explanation of one candidate from ``contributions`` float[n_events] and ``baseline``."""
    parts = np.append(np.asarray(contributions, dtype=np.float64), baseline)
    events = np.append(np.arange(len(parts) - 1), BASELINE)
    positive = parts[parts > 0].sum()
    share = parts / positive if positive > 0 else np.zeros(len(parts))
    order = np.argsort(-parts, kind="stable")
    evidence = tuple(
        Evidence(int(events[i]), float(parts[i]), float(share[i])) for i in order if parts[i] != 0
    )
    return Explanation(score=float(parts.sum()), evidence=evidence)


def whole_percentages(shares: Sequence[float]) -> tuple[int, ...]:
    """``shares`` that sum to 1 as whole numbers that sum to 100 (largest remainders)."""
    # Of two or three numbers: arrays would take ten times as long.
    exact = [100.0 * share for share in shares]
    whole = [math.floor(value) for value in exact]
    missing = round(sum(exact)) - sum(whole)
    nearest = sorted(range(len(exact)), key=lambda at: whole[at] - exact[at])
    for at in nearest[: max(0, missing)]:
        whole[at] += 1
    return tuple(whole)


@dataclass(frozen=True, slots=True)
class Part:
    """One source of a blend for one person and ``n`` candidates.

    ``contributions`` float[n_events, n], ``baseline`` float[n] or a number; the blend adds
    ``weight * (source - mean) / spread``, its z-score over the candidates.
    """

    contributions: NDArray[np.floating]
    weight: float
    mean: float = 0.0
    spread: float = 1.0
    baseline: NDArray[np.floating] | float = 0.0


def blend(parts: Iterable[Part]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Contributions float[n_events, n] and baseline float[n] of a z-scored blend of linear sources.

    Their column sums equal the blended score. At least one part; a spread of 0 raises ValueError.
    """
    parts = list(parts)
    shape = np.shape(parts[0].contributions)
    total, baseline = np.zeros(shape), np.zeros(shape[1])
    for part in parts:
        if part.spread <= 0:
            raise ValueError("a source with spread 0 can't be standardised: leave it out")
        scale = part.weight / part.spread
        total += scale * np.asarray(part.contributions, dtype=np.float64)
        baseline += scale * (np.asarray(part.baseline, dtype=np.float64) - part.mean)
    return total, baseline


# --- plain tags ------------------------------------------------------------------------------


class Tag(StrEnum):
    """S2's reason tags. Each is shown only where its condition in :func:`tags` holds."""

    BECAUSE_WATCHED = "because_watched"
    BOOSTED_BY_LIKES = "boosted_by_likes"
    SIMILAR_TASTE = "similar_taste"
    MATCHES_GENRES = "matches_genres"
    TRENDING_NOW = "trending_now"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the tags are judged on, for one film in one person's list.

    ``trend_place`` is the film's place (0 first) in the trending list, None if not in it;
    ``genre_match`` the share of the person's genre mix that the film's genres cover (0..1);
    ``collaborative_share`` of the positive evidence from co-rating sources (0..1);
    ``place`` in the list, ``place_without_recent_likes`` the recomputed one (None: it's gone);
    ``has_recent_likes`` says whether there were any to leave out.
    """

    trend_place: int | None = None
    genre_match: float = 0.0
    collaborative_share: float = 0.0
    place: int = 0
    place_without_recent_likes: int | None = None
    has_recent_likes: bool = False


TRENDING_PLACES = 50
GENRE_MATCH = 0.5
COLLABORATIVE_SHARE = 0.5
WATCHED_SHARE = 0.3


def tags(explanation: Explanation, facts: Facts) -> tuple[Tag, ...]:
    """The tags that are true here, the most personal first.

    * because_watched: one event of the history carries at least 30 % of the positive evidence.
    * boosted_by_likes: without the latest likes the film would stand lower or be gone (recomputed).
    * similar_taste: at least half of the positive evidence comes from people with similar ratings.
    * matches_genres: its genres cover at least half of the person's genre mix.
    * trending_now: it is among the first 50 of the trending list.
    """
    best = explanation.reasons(1)
    after = facts.place_without_recent_likes
    true_here = {
        Tag.BECAUSE_WATCHED: bool(best) and best[0].share >= WATCHED_SHARE,
        Tag.BOOSTED_BY_LIKES: facts.has_recent_likes and (after is None or after > facts.place),
        Tag.SIMILAR_TASTE: bool(best) and facts.collaborative_share >= COLLABORATIVE_SHARE,
        Tag.MATCHES_GENRES: facts.genre_match >= GENRE_MATCH,
        Tag.TRENDING_NOW: facts.trend_place is not None and facts.trend_place < TRENDING_PLACES,
    }
    return tuple(tag for tag in Tag if true_here[tag])


# --- counterfactuals -------------------------------------------------------------------------


def without(history: Histories, events: Sequence[int] | NDArray[np.integer]) -> Histories:
    """One person's history (``len(history) == 1``) without the given event positions."""
    keep = np.ones(len(history.item_index), dtype=bool)
    keep[np.asarray(events, dtype=np.intp)] = False
    return Histories(
        indptr=np.array([0, int(keep.sum())], dtype=np.int64),
        item_index=history.item_index[keep],
        weight=history.weight[keep],
        rating=history.rating[keep],
        timestamp=history.timestamp[keep],
    )


def leaves_top_k_without(
    score: Score,
    history: Histories,
    events: Sequence[int] | NDArray[np.integer],
    *,
    item: int,
    k: int,
    exclude: sparse.csr_matrix | None = None,
) -> bool:
    """True if ``item`` is in the top ``k`` now and would not be without these events.

    Recomputed with ``score`` (a model's, or a whole pipeline's), not estimated from contributions:
    where weights depend on the order of the history, leaving one event out moves the others.
    ``exclude`` (csr [1, n_items]) stays as it is: a film whose rating is ignored was still seen.
    """
    pair = _stack([history, without(history, events)])
    mask = None if exclude is None else sparse.vstack([exclude, exclude], format="csr")
    best = top_k(score(pair), k, exclude=mask).item_index
    return bool(item in best[0] and item not in best[1])


def sole_causes(
    score: Score,
    history: Histories,
    items: NDArray[np.integer],
    *,
    k: int,
    exclude: sparse.csr_matrix | None = None,
) -> NDArray[np.bool_]:
    """bool [n_events, len(items)]: without this event alone the film would leave the top ``k``.

    The same recomputation as :func:`leaves_top_k_without` for every event in one call.
    """
    n_events = len(history.item_index)
    variants = _stack([history, *(without(history, [e]) for e in range(n_events))])
    mask = None
    if exclude is not None:
        mask = sparse.vstack([exclude] * (n_events + 1), format="csr")
    best = top_k(score(variants), k, exclude=mask).item_index
    there = np.array([np.isin(items, row) for row in best])
    return there[0] & ~there[1:]


def _stack(people: list[Histories]) -> Histories:
    lengths = np.array([len(p.item_index) for p in people], dtype=np.int64)
    return Histories(
        indptr=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
        item_index=np.concatenate([p.item_index for p in people]),
        weight=np.concatenate([p.weight for p in people]),
        rating=np.concatenate([p.rating for p in people]),
        timestamp=np.concatenate([p.timestamp for p in people]),
    )
