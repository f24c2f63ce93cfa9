"""From a ranked pool to the list that a person is shown, every step a term of the score.

    score = model + taste + genres + shown + variety + surprise + era + length + diversity

``model`` is the ranking model's score as it is; all other terms are in its unit, one standard
deviation of the pool, so that an explanation of the model's score stays exact and the rest can be
listed beside it. In order:

* ``taste``: S1's rule, (1 - t) model + t similarity to the person's own liked films, both
  standardised over the pool; divided by 1 - t, which changes no order.
* ``genres``: calibration (Steck 2018). The KL divergence of the list's genre mix q from the
  person's p falls fastest along log(p / q), so each film gets the mean of that over its genres.
* ``shown``: films shown before and ignored sink (``ml.reranking.freshness``).
* ``variety``: maximal marginal relevance, minus the similarity to the nearest film further up.
* the four dials (``ml.dials``); at neutral they do nothing at all.

Whatever the strengths, at most ``max_repeats`` of the list were in the list of the last visit,
unless there is nothing else left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ml.dials import DIVERSITY_STRENGTH, TRAIT_STRENGTH, DialBoard, Dials, Traits
from ml.reranking import Positions, genre_mix, standardise

Array = NDArray[np.float64]

LIST_FILMS = 24  # the list that diversity, freshness and the dials are about; the rest follows
PREFIX_REPEATS = 3  # so many repeats may open a list: a share of one or two films says nothing
PULL_SMOOTHING = 0.02  # of log(p / q): keeps a genre that one side lacks finite
MAX_PULL = 2.0
TERMS = ("taste", "genres", "shown", "variety", "surprise", "era", "length", "diversity")
NEUTRAL = Dials()


@dataclass(frozen=True, slots=True)
class Strengths:
    """How much each step may change. 0 turns one off; ``max_repeats`` 1 allows every repeat.

    ``taste`` is a share (0..1, below 1) of similarity against the model. ``genres``, ``ignored``
    and ``variety`` are standard deviations of the pool: for a pull of one, for each doubling of
    ignored impressions, and for a film that equals one further up.
    """

    taste: float = 0.0
    genres: float = 0.0
    ignored: float = 0.0
    variety: float = 0.0
    max_repeats: float = 1.0
    half_life_days: float = 14.0


@dataclass(frozen=True, slots=True)
class Pool:
    """What is known of the ``n`` films that the model ranked first, best first. None: nothing.

    ``model_score`` [n], finite. ``vectors`` [n, d] and ``liked_vectors`` [m, d] are of one space,
    ``liked_weight`` [m]. ``genres`` [n, g] multi-hot, ``genre_target`` [g] the person's mix.
    ``ignored`` [n] counts impressions without a reaction, ``ignored_days`` [n] how old the latest
    is; ``is_repeat`` [n] were in the last visit's list; ``is_pinned`` [n] never sink.
    ``popularity`` [n] counts ratings; ``year`` and ``runtime`` [n], nan where unknown.
    """

    model_score: NDArray[np.floating]
    vectors: NDArray[np.floating] | None = None
    liked_vectors: NDArray[np.floating] | None = None
    liked_weight: NDArray[np.floating] | None = None
    genres: NDArray[np.floating] | None = None
    genre_target: NDArray[np.floating] | None = None
    ignored: NDArray[np.floating] | None = None
    ignored_days: NDArray[np.floating] | None = None
    is_repeat: NDArray[np.bool_] | None = None
    is_pinned: NDArray[np.bool_] | None = None
    popularity: NDArray[np.floating] | None = None
    year: NDArray[np.floating] | None = None
    runtime: NDArray[np.floating] | None = None


@dataclass(frozen=True, slots=True)
class Shortlist:
    """``order`` [n] pool positions, the list first; ``score`` [n] by pool position.

    ``score`` is the model's plus all ``terms`` (each [n], in the model's unit; absent: 0).
    ``taste_events`` [m, n] is the part of ``terms["taste"]`` that each liked film has; what is left
    of it is the shift of the standardisation. ``cost`` is what the dials took, in deviations of
    score per film of the list (0 at neutral), ``kept`` the share of the undialled list still there.
    """

    order: Positions
    score: Array
    terms: dict[str, Array] = field(default_factory=dict)
    taste_events: Array | None = None
    cost: float = 0.0
    kept: float = 1.0


def shortlist(
    pool: Pool, strengths: Strengths, *, dials: Dials = NEUTRAL, k: int = LIST_FILMS
) -> Shortlist:
    """The list for one person. Raises ValueError for a model score that isn't finite.

    The first ``k`` of ``order`` do not depend on how many films are asked for.
    """
    return shortlists(pool, strengths, [dials], k=k)[0]


def shortlists(
    pool: Pool, strengths: Strengths, positions: Sequence[Dials], *, k: int = LIST_FILMS
) -> list[Shortlist]:
    """The same for several positions of the dials, at hardly more than the price of one."""
    model = np.asarray(pool.model_score, dtype=np.float64)
    if not np.isfinite(model).all():
        raise ValueError("a pool has finite scores only: filter the candidates first")
    if not len(model):
        return [Shortlist(np.empty(0, np.intp), model) for _ in positions]
    unit = _spread(model)
    vectors = None if pool.vectors is None else _unit(pool.vectors)
    terms: dict[str, Array] = {}
    taste_events = _add_taste(pool, vectors, strengths, unit, terms)
    value = model + terms.get("taste", 0.0)
    if (pull := _pull(pool, value, k)) is not None and strengths.genres > 0:
        terms["genres"] = strengths.genres * unit * pull
        value = value + terms["genres"]
    if (sink := _sink(pool, strengths)) is not None:
        terms["shown"] = -unit * sink
        value = value + terms["shown"]
    active = _active(pool, value, strengths=strengths, k=k)
    variety = _variety(vectors, value, active, strength=strengths.variety * unit, k=k)
    if variety is not None:
        terms["variety"] = variety
        value = value + variety
    table = None if all(dials == NEUTRAL for dials in positions) else _Table(pool, value, active, k)
    found = []
    for dials in positions:
        chosen, turned = active[np.argsort(-value[active], kind="stable")][:k], _Turned()
        if table is not None and dials != NEUTRAL:
            chosen, turned = table.turn(dials)
        all_terms = terms | turned.terms
        score = value + sum(turned.terms.values(), np.zeros(len(value)))
        order = _ordered(pool, score, chosen, active, strengths=strengths)
        found.append(Shortlist(order, score, all_terms, taste_events, turned.cost, turned.kept))
    return found


def _spread(values: Array) -> float:
    spread = _deviation(values)
    return spread if spread > 1e-12 else 1.0


def _deviation(values: Array) -> float:
    """``values.std()``, whose own bookkeeping takes several times as long for 200 numbers."""
    off = values - np.add.reduce(values) / len(values)
    return float(np.sqrt(np.add.reduce(off * off) / len(values)))


def similarity_to_liked(pool: Pool, vectors: Array | None) -> Array | None:
    """[m, n]: each liked film's part of the weighted mean cosine; None without any.

    ``vectors`` are the pool's at unit length.
    """
    liked, weight = pool.liked_vectors, pool.liked_weight
    if vectors is None or liked is None or weight is None or not len(liked):
        return None
    mass = float(np.abs(weight).sum())
    if mass <= 0:
        return None
    return (np.asarray(weight)[:, None] / mass) * (_unit(liked) @ vectors.T)


def _add_taste(
    pool: Pool,
    vectors: Array | None,
    strengths: Strengths,
    unit: float,
    terms: dict[str, Array],
) -> Array | None:
    parts = similarity_to_liked(pool, vectors) if strengths.taste > 0 else None
    if parts is None:
        return None
    similarity = parts.sum(axis=0)
    spread = _deviation(similarity)
    if spread <= 1e-9:
        return None
    scale = unit * strengths.taste / (1.0 - strengths.taste) / spread
    terms["taste"] = scale * (similarity - similarity.mean())
    return scale * parts


def _pull(pool: Pool, value: Array, k: int) -> Array | None:
    """[n]: mean log(p / q) over each film's genres, q the mix of the list as it would be."""
    if pool.genres is None or pool.genre_target is None or not pool.genre_target.sum():
        return None
    genres = np.asarray(pool.genres, dtype=np.float64)
    mix = genre_mix(genres[np.argsort(-value, kind="stable")[:k]])
    pull = np.log((pool.genre_target + PULL_SMOOTHING) / (mix + PULL_SMOOTHING))
    return genres @ np.clip(pull, -MAX_PULL, MAX_PULL) / np.maximum(genres.sum(axis=1), 1.0)


def _sink(pool: Pool, strengths: Strengths) -> Array | None:
    if pool.ignored is None or strengths.ignored <= 0 or not pool.ignored.any():
        return None
    days = np.zeros(len(pool.ignored)) if pool.ignored_days is None else pool.ignored_days
    decayed = pool.ignored * 0.5 ** (np.maximum(days, 0.0) / strengths.half_life_days)
    return strengths.ignored * np.log2(1.0 + np.where(_pinned(pool), 0.0, decayed))


def _pinned(pool: Pool) -> NDArray[np.bool_]:
    n = len(pool.model_score)
    return np.zeros(n, dtype=bool) if pool.is_pinned is None else pool.is_pinned


def _repeats(pool: Pool) -> NDArray[np.bool_]:
    n = len(pool.model_score)
    return np.zeros(n, dtype=bool) if pool.is_repeat is None else pool.is_repeat & ~_pinned(pool)


def _active(pool: Pool, value: Array, *, strengths: Strengths, k: int) -> Positions:
    """The positions that may be in the list, best first: repeats beyond the budget rest.

    Whatever is then chosen of them keeps the budget. Too few new films bring the best repeats back.
    """
    order = np.argsort(-value, kind="stable")
    repeat = _repeats(pool)[order]
    over = repeat & (np.cumsum(repeat) > int(np.floor(strengths.max_repeats * k)))
    missing = max(0, k - int((~over).sum()))
    over[np.flatnonzero(over)[:missing]] = False
    return order[~over]


def _variety(
    vectors: Array | None, value: Array, active: Positions, *, strength: float, k: int
) -> Array | None:
    """[n]: minus ``strength`` times the cosine to the nearest film of the list further up.

    Greedy, so a later pick never has a higher score than an earlier one.
    """
    if vectors is None or strength <= 0:
        return None
    nearest = np.zeros(len(value))
    penalty = np.zeros(len(value))
    free = np.full(len(value), -np.inf)
    free[active] = value[active]
    worth = free.copy()
    for _ in range(min(k, len(active))):
        pick = worth.argmax()
        penalty[pick] = nearest[pick]
        free[pick] = -np.inf
        np.maximum(nearest, vectors @ vectors[pick], out=nearest)
        np.multiply(nearest, -strength, out=worth)
        worth += free
    rest = np.isfinite(free)
    penalty[rest] = nearest[rest]
    resting = np.ones(len(value), dtype=bool)
    resting[active] = False
    penalty[resting] = nearest[resting]
    return -strength * penalty


def traits_of(pool: Pool) -> Traits:
    """What the dials act on: surprise is how unlike the liked films and how little seen it is."""
    surprise: Array | None = None
    unit = None if pool.vectors is None else _unit(pool.vectors)
    parts = similarity_to_liked(pool, unit)
    if parts is not None:
        surprise = -standardise(parts.sum(axis=0))
    if pool.popularity is not None:
        rare = -standardise(np.log1p(np.asarray(pool.popularity, dtype=np.float64)))
        surprise = rare if surprise is None else surprise + rare
    similarity = None
    if unit is not None:
        similarity = np.maximum(unit @ unit.T, 0.0)
    return Traits(surprise=surprise, year=pool.year, runtime=pool.runtime, similarity=similarity)


@dataclass(frozen=True, slots=True)
class _Turned:
    """What the dials did to a list."""

    terms: dict[str, Array] = field(default_factory=dict)
    cost: float = 0.0
    kept: float = 1.0


class _Table:
    """The dials over one person's films."""

    def __init__(self, pool: Pool, value: Array, active: Positions, k: int) -> None:
        self.value, self.active = value, active
        traits = traits_of(pool)
        self.similarity = traits.similarity
        known = {name: getattr(traits, name) for name in ("surprise", "year", "runtime")}
        part = Traits(
            **{name: None if v is None else np.asarray(v)[active] for name, v in known.items()},
            similarity=None if self.similarity is None else self.similarity[np.ix_(active, active)],
        )
        self.board = DialBoard(value[active], part, k)

    def turn(self, dials: Dials) -> tuple[Positions, _Turned]:
        """The positions of the list, as a set, and the terms that put them there.

        The mean score over the list, terms included, is what ``ml.dials`` maximises.
        """
        turned = self.board.turn(dials)
        chosen = self.active[turned.order]
        # The board counts in deviations of these films: back to the unit of the score.
        unit = _spread(self.value[self.active])
        terms: dict[str, Array] = {}
        for row, name in enumerate(("surprise", "era", "length")):
            if self.board.has_trait[row] and dials.traits[row]:
                terms[name] = np.zeros(len(self.value))
                strength = unit * TRAIT_STRENGTH * dials.traits[row]
                terms[name][self.active] = strength * self.board.trait[row]
        if self.similarity is not None and dials.diversity and len(chosen) > 1:
            to_list = self.similarity[:, chosen].sum(axis=1)
            # A film of the list does not count as its own neighbour.
            to_list[chosen] -= self.similarity[chosen, chosen]
            share = to_list / (len(chosen) - 1)
            terms["diversity"] = -unit * DIVERSITY_STRENGTH * dials.diversity * share
        return chosen, _Turned(terms, turned.cost, turned.kept)


def _ordered(
    pool: Pool, value: Array, chosen: Positions, active: Positions, *, strengths: Strengths
) -> Positions:
    """The list by score, with new films moved up where too many repeats would open it; the rest."""
    best = chosen[np.argsort(-value[chosen], kind="stable")]
    listed = _mixed(best, _repeats(pool)[best], strengths.max_repeats)
    is_chosen, is_active = np.zeros((2, len(value)), dtype=np.bool_)
    is_chosen[chosen] = is_active[active] = True
    left, resting = active[~is_chosen[active]], np.flatnonzero(~is_active)
    rest = [part[np.argsort(-value[part], kind="stable")] for part in (left, resting)]
    return np.concatenate([listed, *rest]).astype(np.intp)


def _mixed(best: Positions, repeat: NDArray[np.bool_], max_repeats: float) -> Positions:
    """``best`` reordered so that no beginning of it holds too large a share of repeats."""
    if not repeat.any():
        return best
    old, new = list(best[repeat]), list(best[~repeat])
    place = {int(at): i for i, at in enumerate(best)}
    out: list[int] = []
    n_old = 0
    while old or new:
        budget = max(PREFIX_REPEATS, int(np.floor(max_repeats * (len(out) + 1))))
        may_repeat = old and (n_old < budget or not new)
        if may_repeat and (not new or place[int(old[0])] < place[int(new[0])]):
            out.append(int(old.pop(0)))
            n_old += 1
        else:
            out.append(int(new.pop(0)))
    return np.array(out, dtype=np.intp)


def _unit(matrix: NDArray[np.floating]) -> Array:
    matrix = np.asarray(matrix, dtype=np.float64)
    norm = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.divide(matrix, norm, out=np.zeros_like(matrix), where=norm > 0)
