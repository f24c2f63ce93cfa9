"""Invented people with latent tastes, who look at lists as people do.

What they would like is the product of a latent taste and given item factors. Tastes are spread as
those of given real people, or along a dozen directions made up. What people do about a film follows
the examination hypothesis (Craswell et al., "An Experimental Comparison of Click Position-Bias
Models", 2008): a film is clicked if its place was looked at and the film appeals; the chance to
look falls with the place. Some clicks are noise, and tastes drift from round to round. With known
truth, experiments and estimates can be held against it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml.types import Interactions

Floats = NDArray[np.float64]
N_LEANINGS = 12  # made-up directions of taste that people share: their tastes go together
SHARED = 0.75  # of a taste's variance
EAGERNESS = 0.5  # its deviation between people, in those of a liking


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How people act on a list.

    Place k (from 0) is looked at with chance ``(k + 1) ** -position_bias``. A film that was looked
    at appeals with chance ``sigmoid(sharpness (z - threshold))``, z its liking in standard
    deviations over all films. A share ``noise`` of the looks ends in a coin of ``noise_rate``.
    """

    position_bias: float = 0.7
    sharpness: float = 2.0
    threshold: float = 1.5
    noise: float = 0.1
    noise_rate: float = 0.1


@dataclass(frozen=True, slots=True)
class World:
    """Films: ``factors`` [n_items, d] and ``fame`` [n_items], the log of how likely seen at all.

    Known films are known because most people like them: ``common`` is the share of a liking's
    variance that all people have in common, and it follows fame.
    """

    factors: Floats
    fame: Floats
    common: float = 0.3

    @property
    def n_items(self) -> int:
        """How many films."""
        return len(self.fame)


@dataclass(frozen=True, slots=True)
class People:
    """``taste`` [n, d] and ``eagerness`` [n]: some click at a lot, some at hardly anything."""

    world: World
    taste: Floats
    eagerness: Floats
    directions: Floats

    def __len__(self) -> int:
        return len(self.taste)

    def liking(self, rows: NDArray[np.integer] | None = None) -> Floats:
        """[n, n_items] of all people, or of ``rows``: deviation 1 around each one's eagerness."""
        at = np.arange(len(self)) if rows is None else rows
        own = _standardised(self.taste[at] @ self.world.factors.T)
        common = _standardised(self.world.fame[None, :])
        share = self.world.common
        both = np.sqrt(1.0 - share) * own + np.sqrt(share) * common
        return np.asarray(_standardised(both) + self.eagerness[at, None])

    def drifted(self, rng: np.random.Generator, *, keep: float) -> People:
        """The same people later: ``keep`` is the correlation of each taste with what it was."""
        fresh = _tastes(len(self), self.directions, rng)
        return replace(self, taste=keep * self.taste + np.sqrt(1.0 - keep**2) * fresh)


def unit_factors(factors: NDArray[np.floating]) -> Floats:
    """A model's factors [n, d] at length 1: it puts fame into the length, a world has it apart."""
    wide = np.asarray(factors, dtype=np.float64)
    return np.asarray(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-9))


def made_world(*, n_items: int, rng: np.random.Generator, n_factors: int = 16) -> World:
    """Films in clusters, with a long tail of fame."""
    centres = rng.normal(size=(max(4, n_items // 40), n_factors))
    factors = centres[rng.integers(len(centres), size=n_items)]
    factors = factors + 0.6 * rng.normal(size=factors.shape)
    return World(factors / np.sqrt(n_factors), rng.normal(0.0, 1.3, n_items))


def people_of(
    world: World, n: int, rng: np.random.Generator, *, directions: Floats | None = None
) -> People:
    """``n`` people whose tastes have leanings in common: ``directions`` [k, d], or a dozen made up.

    Real people's are those of :func:`leanings_of`.
    """
    if directions is None:
        directions = rng.normal(size=(N_LEANINGS, world.factors.shape[1]))
    eagerness = rng.normal(0.0, EAGERNESS, n)
    return People(world, _tastes(n, directions, rng), eagerness, directions)


def leanings_of(vectors: NDArray[np.floating]) -> Floats | None:
    """[k, d]: in what directions, and how far, the people of ``vectors`` [n, d] differ.

    The principal axes of their vectors, in the scale of made-up directions: invented tastes then
    have the covariance of these people's. None where they do not differ.
    """
    if len(vectors) < 2 or not np.ptp(vectors, axis=0).any():
        return None
    wide = np.asarray(vectors, dtype=np.float64)
    centred = wide - wide.mean(axis=0)
    _, length, axes = np.linalg.svd(centred, full_matrices=False)
    directions = length[:, None] * axes
    unit = np.sqrt(np.square(directions).sum() / vectors.shape[1])
    return np.asarray(directions / unit * np.sqrt(len(directions)))


def _standardised(rows: Floats) -> Floats:
    centred = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(centred.std(axis=1, keepdims=True), 1e-12))


def _tastes(n: int, directions: Floats, rng: np.random.Generator) -> Floats:
    leanings = rng.standard_t(4, size=(n, len(directions)))
    own = rng.standard_t(4, size=(n, directions.shape[1]))
    shared = leanings @ directions / np.sqrt(len(directions))
    return np.asarray(np.sqrt(SHARED) * shared + np.sqrt(1.0 - SHARED) * own)


def watched(people: People, rng: np.random.Generator, *, median: int = 30) -> Interactions:
    """What they saw before: drawn without return in proportion to exp(1.5 liking + fame).

    The largest values under Gumbel noise are such a draw. All events count as liked.
    """
    liking = people.liking()
    n, n_items = liking.shape
    counts = np.clip(rng.lognormal(np.log(median), 0.6, n), 5, n_items // 3).astype(int)
    score = 1.5 * liking + people.world.fame + rng.gumbel(size=liking.shape)
    order = np.argsort(-score, axis=1, kind="stable")
    items = [order[i, : counts[i]] for i in range(n)]
    flat = np.concatenate(items) if items else np.empty(0, int)
    return Interactions(
        user_index=np.repeat(np.arange(n), counts).astype(np.int32),
        item_index=flat.astype(np.int32),
        rating=np.full(len(flat), 5.0, dtype=np.float32),
        timestamp=np.concatenate([np.arange(c) for c in counts]).astype(np.int64)
        if n
        else np.empty(0, np.int64),
        n_users=n,
        n_items=n_items,
    )


def appeal(liking: Floats, behaviour: Behaviour) -> Floats:
    """The chance that a film of this liking is clicked once it is looked at, noise included."""
    wanted = 1.0 / (1.0 + np.exp(-behaviour.sharpness * (liking - behaviour.threshold)))
    return np.asarray((1.0 - behaviour.noise) * wanted + behaviour.noise * behaviour.noise_rate)


def examined(n: int, behaviour: Behaviour) -> Floats:
    """[n]: the chance that each place is looked at."""
    return np.asarray((np.arange(n) + 1.0) ** -behaviour.position_bias)


def click_chance(liking: Floats, behaviour: Behaviour) -> Floats:
    """For films of this ``liking`` [..., n], place by place along the last axis."""
    return appeal(liking, behaviour) * examined(liking.shape[-1], behaviour)


def clicks(liking: Floats, behaviour: Behaviour, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Drawn from :func:`click_chance`."""
    return np.asarray(rng.random(liking.shape) < click_chance(liking, behaviour))
