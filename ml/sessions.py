"""Sittings: what somebody did without a long break, and what the latest one leans to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

# Halfaker et al., "User Session Identification Based on Strong Regularities in Inter-activity
# Time" (WWW 2015): breaks within and between sittings part at about an hour on many sites.
GAP_S = 3600
MIN_SITTING = 3  # events; fewer lean nowhere
PRIOR_EVENTS = 5.0  # what everybody does counts as so many events of one's own
ALPHA = 0.05


def sitting_numbers(
    user: NDArray[np.integer], at_s: NDArray[np.integer], *, gap_s: int = GAP_S
) -> NDArray[np.int64]:
    """int64[n]: the sitting of each event, numbered from 0 by user and time, in the given order.

    ``at_s`` are seconds. A break of more than ``gap_s`` begins a new sitting; one of exactly
    ``gap_s`` does not. Raises ValueError for arrays of different length or a negative gap.
    """
    if user.shape != at_s.shape:
        raise ValueError(f"{len(user)} users for {len(at_s)} times")
    if gap_s < 0:
        raise ValueError(f"gap_s must be 0 or more, not {gap_s}")
    order = np.lexsort((at_s, user))
    is_new = np.ones(len(order), dtype=np.bool_)
    is_new[1:] = (np.diff(user[order]) != 0) | (np.diff(at_s[order]) > gap_s)
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.cumsum(is_new) - 1
    return found


@dataclass(frozen=True, slots=True)
class Leaning:
    """A trait of the latest sitting's films: its share there and in everything before."""

    column: int
    now: float
    before: float


def leanings(
    latest: NDArray[np.floating], before: NDArray[np.floating], everybody: NDArray[np.floating]
) -> list[Leaning]:
    """What the latest sitting has more of than chance would put there, the clearest first.

    ``latest`` [n, d] and ``before`` [m, d] are 0 or 1 by film and trait, ``everybody`` [d] the
    shares in the catalogue, which stand in for a short past. A trait counts where the upper tail of
    the binomial is below ALPHA / d (Bonferroni): a sitting of three comedies by a lover of comedies
    is no news. Empty for a sitting of fewer than MIN_SITTING films.
    """
    n, d = latest.shape
    if n < MIN_SITTING or d == 0:
        return []
    usual = (before.sum(axis=0) + PRIOR_EVENTS * everybody) / (len(before) + PRIOR_EVENTS)
    counts = latest.sum(axis=0)
    tail = stats.binom.sf(counts - 1, n, np.clip(usual, 1e-6, 1.0))
    clear = [i for i in np.lexsort((np.arange(d), tail)) if tail[i] < ALPHA / d]
    own = before.mean(axis=0) if len(before) else np.zeros(d)
    return [Leaning(int(i), float(counts[i] / n), float(own[i])) for i in clear]


def sitting_sizes(numbers: NDArray[np.integer]) -> NDArray[np.int64]:
    """int64[n_sittings]: events of each sitting."""
    return np.bincount(numbers).astype(np.int64) if len(numbers) else np.empty(0, np.int64)


def size_shares(sizes: Sequence[int] | NDArray[np.integer], edges: Sequence[int]) -> list[int]:
    """How many sittings have up to each edge, and more than the last: len(edges) + 1 counts."""
    at = np.searchsorted(np.asarray(edges), np.asarray(sizes), side="left")
    return np.bincount(at, minlength=len(edges) + 1).tolist()
