"""Re-ranking: from a scored pool of candidates to the list that a person sees.

Everything works on positions in the *pool*: ``score`` float[n], best first or not, and matrices
that belong to the same ``n`` films. A list is an array of ``k`` pool positions, best first. The
"untouched" list is the top ``k`` by score, ties to the smaller position.

Why every strength here is monotone. Greedy diversification has no guarantee: a higher strength can
give a less diverse list. So each function builds a *family* of lists that doesn't depend on the
strength (the greedy answers at fixed stops, the untouched list first) and then takes the exact best
of ``quality + strength * gain`` over that family. For an exact maximum over a fixed family the
gain never falls when its strength rises (if L1 is best at s1 and L2 at s2 > s1, adding the two
inequalities gives (s2 - s1)(gain(L2) - gain(L1)) >= 0), and at strength 0 the untouched list wins,
since no list has a higher mean score. ``ml.dials`` uses the same argument for several strengths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.types import FloatArray

Positions = NDArray[np.intp]
Floats = NDArray[np.floating]

STOPS = np.linspace(0.0, 1.0, 11)  # strengths at which the greedy lists of a family are built
MODEL_WEIGHT = 0.7  # the share of the model against the person's own liked films (S1)
CALIBRATION_SMOOTHING = 0.01  # Steck 2018: keeps KL finite where the list lacks a genre
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Reranked:
    """A list and what it cost.

    ``order`` k pool positions, best first; ``gain`` what the strength buys (diversity, or minus the
    calibration error), ``gain_before`` the same for the untouched list; ``cost`` the loss in mean
    standardised score (>= 0, in standard deviations of the pool).
    """

    order: Positions
    gain: float
    gain_before: float
    cost: float


def standardise(values: Floats) -> NDArray[np.float64]:
    """``values`` float[n] to mean 0 and deviation 1; all equal gives zeros. nan counts as mean."""
    values = np.asarray(values, dtype=np.float64)
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    centred = np.where(known, values - values[known].mean(), 0.0)
    spread = centred[known].std()
    return centred / spread if spread > 1e-12 else np.zeros(len(values))


def untouched(score: Floats, k: int) -> Positions:
    """The top ``k`` pool positions by ``score``; ties to the smaller position.

    Raises ValueError for a score that isn't finite: such a film doesn't belong into a pool.
    """
    score = np.asarray(score)
    if not np.isfinite(score).all():
        raise ValueError("a pool has finite scores only: filter the candidates first")
    return np.argsort(-score, kind="stable")[:k]


def choose(
    family: Positions, *, quality: Floats, gain: Floats, strength: float
) -> tuple[Positions, int]:
    """The best list of ``family`` [m, k] by (1 - strength) quality + strength gain.

    Ties go to the higher quality, then to the earlier list. ``strength`` in 0..1.
    """
    objective = (1.0 - strength) * quality + strength * gain
    tied = np.flatnonzero(objective >= objective.max() - ROUNDING)
    # The first within rounding distance: the untouched list isn't replaced by a permutation of it.
    best = int(tied[np.flatnonzero(quality[tied] >= quality[tied].max() - ROUNDING)[0]])
    return family[best], best


# --- 0.7 model + 0.3 own liked films ---------------------------------------------------------


def liked_similarity(
    candidates: Floats, liked: Floats, *, weight: Floats | None = None
) -> FloatArray:
    """Weighted mean cosine of each candidate [n, d] to the liked films [m, d]: float32[n].

    Zero rows (no vector) are similar to nothing; without liked films everything is 0.
    """
    if not len(liked):
        return np.zeros(len(candidates), dtype=np.float32)
    weight = np.ones(len(liked)) if weight is None else np.asarray(weight, dtype=np.float64)
    centroid = weight @ _unit_rows(liked) / max(float(np.abs(weight).sum()), 1e-12)
    return (_unit_rows(candidates) @ centroid).astype(np.float32)


def history_blend(
    model_score: Floats, similarity: Floats, *, model_weight: float = MODEL_WEIGHT
) -> FloatArray:
    """S1's rule: ``model_weight`` model + the rest similarity to the person's liked films.

    Both are standardised over the pool first: a model's scale is arbitrary, a cosine's is not, and
    without that the weights would say nothing. ``model_weight`` 1 keeps the model's order.
    """
    blended = model_weight * standardise(model_score)
    return (blended + (1.0 - model_weight) * standardise(similarity)).astype(np.float32)


def _unit_rows(matrix: Floats) -> NDArray[np.float64]:
    matrix = np.asarray(matrix, dtype=np.float64)
    norm = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.divide(matrix, norm, out=np.zeros_like(matrix), where=norm > 0)


def cosine_similarity(vectors: Floats) -> NDArray[np.float64]:
    """[n, n] cosines of ``vectors`` [n, d], cut at 0: the usual ``similarity`` of :func:`mmr`."""
    unit = _unit_rows(vectors)
    return np.maximum(unit @ unit.T, 0.0)


# --- diversity -------------------------------------------------------------------------------


def intra_list_diversity(lists: Positions, similarity: Floats) -> NDArray[np.float64]:
    """Mean of 1 - similarity over the pairs of each list [m, k]: float64[m]; 1 for single films."""
    k = lists.shape[1]
    if k < 2:
        return np.ones(len(lists))
    block = similarity[lists[:, :, None], lists[:, None, :]]
    pairs = block.sum(axis=(1, 2)) - np.trace(block, axis1=1, axis2=2)
    return 1.0 - pairs / (k * (k - 1))


def mmr_lists(relevance: Floats, similarity: Floats, k: int, strength: Floats) -> Positions:
    """Greedy maximal marginal relevance (Carbonell & Goldstein 1998): [m, k] pool positions.

    Each step takes argmax (1 - strength) relevance - strength max similarity to the list so far.
    ``relevance`` is [n], or [m, n] for one relevance per list; ``strength`` [m].
    """
    strength = np.asarray(strength, dtype=np.float64)[:, None]
    m, n = len(strength), np.shape(relevance)[-1]
    weighted = (1.0 - strength) * np.broadcast_to(relevance, (m, n))
    nearest = np.zeros((m, n))
    rows = np.arange(m)
    lists = np.empty((m, min(k, n)), dtype=np.intp)
    for place in range(lists.shape[1]):
        lists[:, place] = np.argmax(weighted - strength * nearest, axis=1)
        weighted[rows, lists[:, place]] = -np.inf
        np.maximum(nearest, similarity[lists[:, place]], out=nearest)
    return lists


def mmr(score: Floats, similarity: Floats, k: int, *, strength: float) -> Reranked:
    """A more diverse list: diversity never falls as ``strength`` (0..1) rises; 0 is untouched.

    ``similarity`` [n, n] in 0..1 (:func:`cosine_similarity`). The greedy works on scores brought to
    0..1 over the pool, as the similarities are.
    """
    top = untouched(score, k)
    greedy = mmr_lists(_unit_range(score), similarity, len(top), STOPS[1:])
    return _best(score, greedy, lambda lists: intra_list_diversity(lists, similarity), strength)


def _unit_range(score: Floats) -> NDArray[np.float64]:
    score = np.asarray(score, dtype=np.float64)
    low, high = score.min(), score.max()
    return (score - low) / (high - low) if high > low else np.zeros(len(score))


def _best(
    score: Floats, lists: Positions, gain_of: Callable[[Positions], Floats], strength: float
) -> Reranked:
    """The exact best of the untouched list and ``lists`` at ``strength``."""
    relevance = standardise(score)
    family = np.vstack([untouched(score, lists.shape[1])[None, :], lists])
    quality, gain = relevance[family].mean(axis=1), np.asarray(gain_of(family))
    order, at = choose(family, quality=quality, gain=gain, strength=strength)
    return Reranked(
        order=order,
        gain=float(gain[at]),
        gain_before=float(gain[0]),
        cost=float(quality[0] - quality[at]),
    )


# --- calibration -----------------------------------------------------------------------------


def genre_mix(genres: Floats, *, weight: Floats | None = None) -> NDArray[np.float64]:
    """The genre distribution of films [m, n_genres] (multi-hot): float64[n_genres], sums to 1.

    A film's genres share its weight equally; films without genres don't count. All zeros when
    nothing counts.
    """
    genres = np.asarray(genres, dtype=np.float64)
    share = genres / np.maximum(genres.sum(axis=1, keepdims=True), 1.0)
    total = share.sum(axis=0) if weight is None else np.maximum(weight, 0.0) @ share
    return total / total.sum() if total.sum() > 0 else total


def calibration_error(lists: Positions, genres: Floats, target: Floats) -> NDArray[np.float64]:
    """KL(target || mix of the list) of each list [m, k], smoothed: float64[m], 0 is perfect.

    Steck 2018, "Calibrated recommendations": q~ = .99 q + .01 p.
    """
    genres = np.asarray(genres, dtype=np.float64)
    share = genres / np.maximum(genres.sum(axis=1, keepdims=True), 1.0)
    return _kl(share[lists].sum(axis=1), np.asarray(target, dtype=np.float64))


def calibrate(
    score: Floats, genres: Floats, target: Floats, k: int, *, strength: float
) -> Reranked:
    """A list whose genre mix is nearer to ``target`` (the person's :func:`genre_mix`).

    ``genres`` [n, n_genres] multi-hot of the pool. ``gain`` is minus the calibration error, which
    never rises with ``strength`` (0..1); 0 is untouched, and so is a target of zeros.
    """
    target, genres = np.asarray(target, np.float64), np.asarray(genres, np.float64)
    top = untouched(score, k)
    if target.sum() <= 0:
        return Reranked(order=top, gain=0.0, gain_before=0.0, cost=0.0)
    greedy = _calibrated_lists(standardise(score), genres, target, len(top))
    return _best(score, greedy, lambda lists: -calibration_error(lists, genres, target), strength)


def _calibrated_lists(relevance: Floats, genres: Floats, target: Floats, k: int) -> Positions:
    """Greedy lists at the stops above 0: each step takes the film that helps the sum the most."""
    share = genres / np.maximum(genres.sum(axis=1, keepdims=True), 1.0)
    strength = STOPS[1:, None]
    m, n = len(strength), len(relevance)
    lists = np.empty((m, min(k, n)), dtype=np.intp)
    mass, free, rows = np.zeros((m, share.shape[1])), np.ones((m, n), dtype=bool), np.arange(m)
    for place in range(lists.shape[1]):
        error = _kl(mass[:, None, :] + share[None, :, :], target)
        # The sum of scores grows by one film a step while KL is one number for the whole list, so
        # the score of this step is set against the error that the list would have after it.
        value = (1.0 - strength) * relevance / (place + 1) - strength * error
        pick = np.argmax(np.where(free, value, -np.inf), axis=1)
        lists[:, place], free[rows, pick] = pick, False
        mass += share[pick]
    return lists


def _kl(mass: Floats, target: Floats) -> NDArray[np.float64]:
    total = mass.sum(axis=-1, keepdims=True)
    mix = np.divide(mass, total, out=np.zeros_like(mass), where=total > 0)
    smooth = (1.0 - CALIBRATION_SMOOTHING) * mix + CALIBRATION_SMOOTHING * target
    wanted = target > 0
    ratio = np.log(target[wanted]) - np.log(smooth[..., wanted])
    return ratio @ target[wanted]


# --- freshness -------------------------------------------------------------------------------


def freshness(
    score: Floats,
    ignored: Floats,
    days_since_shown: Floats,
    *,
    strength: float,
    half_life_days: float = 14.0,
) -> FloatArray:
    """Scores in which films that were shown and ignored sink: float32[n].

    ``ignored`` counts the impressions without a reaction, ``days_since_shown`` the days since the
    last of them; an impression counts half after ``half_life_days``. A film loses ``strength``
    standard deviations of the pool for each doubling of 1 + the decayed count. Strength 0 returns
    the scores unchanged; films never shown keep theirs exactly, so nothing rises in score.
    """
    score = np.asarray(score, dtype=np.float64)
    if strength <= 0.0:
        return score.astype(np.float32)
    decayed = np.maximum(ignored, 0.0) * 0.5 ** (np.maximum(days_since_shown, 0) / half_life_days)
    spread = score[np.isfinite(score)].std() if np.isfinite(score).any() else 0.0
    sink = strength * spread * np.log2(1.0 + np.where(np.asarray(ignored) > 0, decayed, 0.0))
    return (score - sink).astype(np.float32)


def limit_overlap(
    order: Positions,
    shown_before: NDArray[np.bool_],
    k: int,
    *,
    max_share: float = 0.7,
    pinned: NDArray[np.bool_] | None = None,
) -> Positions:
    """The top ``k`` of ``order`` with at most ``max_share`` of ``k`` from the last visit.

    ``shown_before`` and ``pinned`` are bool over the pool; pinned films don't count as repeats.
    Repeats beyond the budget give way to the next new films; when those run out, the list is
    filled with the best repeats, so it is never shorter than it could be.
    """
    order = np.asarray(order)
    repeat = shown_before[order] if pinned is None else (shown_before & ~pinned)[order]
    over = repeat & (np.cumsum(repeat) > int(np.floor(max_share * k)))
    taken = np.concatenate([np.flatnonzero(~over), np.flatnonzero(over)])[:k]
    return order[np.sort(taken)]
