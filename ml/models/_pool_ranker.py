"""Learning to rank over a candidate pool: what ``lambdamart`` and ``hgb_ranker`` share.

Sources give scores; their weighted blend of z-scores picks the pool; a learner re-orders the pool
by the feature store's features (stacking: Wolpert 1992). It learns from events that the sources
did not see: every person's last ``n_labels`` events are held back and each is predicted from all
before it ("next"), or a random fifth is predicted from the rest ("hidden"), or that of people of
whom the sources see nothing ("strangers"). The sources are fitted without what is held back, and
once the learner is fitted they are refitted on everything, but for those named in ``kept``: a
neural source too dear to fit twice, which sees everyone's last events in the history anyhow.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.features import FeatureStore, feature_names, last_moment
from ml.models._pool_examples import TARGETS, Examples, Target, Tasks, held_back, joined
from ml.models.base import Recommender
from ml.models.hybrid import DEFAULT_PARTS, Part, affine
from ml.retrieval import stable_best
from ml.types import FloatArray, Histories, Interactions, ItemFeatures, LongArray

BATCH_ROWS = 256
BLEND = "blend"  # the label of the weighted sum among the learner's features
VALID_SHARE = 0.15  # of the examples' people: early stopping


@dataclass(frozen=True, slots=True)
class Pool:
    """Candidates of ``n`` people: positions [n, c] and, per source, scores (z) and ranks [n, c].

    ``valid`` is False where fewer than c films were left; ``blend`` [n, n_items] orders the rest.
    """

    items: NDArray[np.int64]
    valid: NDArray[np.bool_]
    sources: dict[str, tuple[FloatArray, FloatArray]]
    blend: FloatArray


class FitSource(Protocol):
    """Gives a fitted source by name and settings; :class:`ml.shelf.FittedOnce` shares them."""

    def __call__(
        self,
        name: str,
        params: dict[str, Any],
        train: Interactions,
        *,
        seed: int,
        features: ItemFeatures | None,
    ) -> Recommender: ...


def fitted_anew(
    name: str,
    params: dict[str, Any],
    train: Interactions,
    *,
    seed: int,
    features: ItemFeatures | None,
) -> Recommender:
    """The plain :class:`FitSource`."""
    from ml.models.registry import create

    return create(name, params).fit(train, seed=seed, features=features)


class PoolRanker(Recommender):
    """See the module. A subclass supplies the learner.

    With ``sees_blend`` the blend's own score and rank are features too: with few events to learn
    from, a tree finds the order that the weights were tuned for in one split instead of many.
    """

    def __init__(
        self,
        *,
        parts: Iterable[Part | dict[str, Any]] = DEFAULT_PARTS,
        n_candidates: int = 200,
        target: Target = "next",
        max_people: int = 10_000,
        n_labels: int = 2,
        kept: Sequence[str] = (),
        sees_blend: bool = False,
    ) -> None:
        self.parts = tuple(p if isinstance(p, Part) else Part(**p) for p in parts)
        labels = [p.label for p in self.parts]
        if not labels or len({*labels, BLEND}) < len(labels) + 1:
            raise ValueError(
                f"a ranker needs at least one source, and labels that differ ({BLEND!r} is taken)"
            )
        if target not in TARGETS:
            raise ValueError(f"target must be one of {', '.join(TARGETS)}, not {target!r}")
        if n_candidates < 1 or n_labels < 1:
            raise ValueError("n_candidates and n_labels must be positive")
        self.n_candidates, self.max_people = n_candidates, max_people
        self.n_labels = n_labels
        if unknown := set(kept) - set(labels):
            raise ValueError(f"kept names no source: {', '.join(sorted(unknown))}")
        self.kept = tuple(kept)
        self.target: Target = target
        self.models: dict[str, Recommender] = {}
        self.sees_blend = sees_blend
        self.features = feature_names([*labels, BLEND] if sees_blend else labels)
        self.fit_source: FitSource = fitted_anew

    # -- what a learner supplies ---------------------------------------------------------------

    @abstractmethod
    def learn(self, train: Examples, valid: Examples, *, seed: int) -> None:
        """Fit the learner; ``valid`` is for early stopping."""

    @abstractmethod
    def predict(self, x: FloatArray) -> NDArray[np.floating]:
        """A score per row of features; constant before anything was learned."""

    @abstractmethod
    def learner_arrays(self) -> dict[str, NDArray]:
        """The learner's state."""

    @abstractmethod
    def load_learner(self, arrays: dict[str, NDArray]) -> None:
        """The inverse of ``learner_arrays``."""

    # -- fitting -------------------------------------------------------------------------------

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        """See the module; with too few people to learn from, the blend alone ranks."""
        rng = np.random.default_rng(seed)
        self.n_items = interactions.n_items
        rest, tasks = held_back(interactions, self.target, self.n_labels, rng)
        people = np.unique(tasks.user)
        if len(people) > self.max_people:
            people = np.sort(rng.choice(people, self.max_people, replace=False))
        self.models = {}
        self._fit_sources(rest, seed=seed, features=features)
        # What is held back must not be among the counts: only "next" asks for what comes after all
        # that is counted.
        counted = interactions if self.target == "next" else rest
        self.store = FeatureStore.build(counted, features)
        asked = np.flatnonzero(np.isin(tasks.user, people))
        valid_people = rng.choice(people, int(np.ceil(VALID_SHARE * len(people))), replace=False)
        users, examples = self._examples(tasks, asked)
        is_valid = np.isin(users, valid_people)
        train = joined([e for e, v in zip(examples, is_valid, strict=True) if not v])
        valid = joined([e for e, v in zip(examples, is_valid, strict=True) if v])
        if train is not None and valid is not None:
            self.learn(train, valid, seed=seed)
        self.store = FeatureStore.build(interactions, features)
        self._fit_sources(interactions, seed=seed, features=features)
        return self

    def _fit_sources(self, data: Interactions, *, seed: int, features: ItemFeatures | None) -> None:
        before = self.models
        self.models = {
            part.label: before[part.label]
            if part.label in self.kept and part.label in before
            else self.fit_source(part.model, part.params, data, seed=seed, features=features)
            for part in self.parts
        }

    def _examples(
        self, tasks: Tasks, asked: NDArray[np.intp]
    ) -> tuple[NDArray[np.integer], list[Examples]]:
        """One per task whose pool holds something that was held back, and whose it is."""
        users, found = [], []
        for start in range(0, len(asked), BATCH_ROWS):
            rows = asked[start : start + BATCH_ROWS]
            histories = tasks.histories.select(rows)
            pool = self.pool(histories)
            x = self._matrix(histories, pool, last_moment(histories))
            for i, row in enumerate(rows):
                valid = pool.valid[i]
                y = np.isin(pool.items[i], tasks.wanted[row])[valid].astype(np.int8)
                if y.any():
                    found.append(Examples(x[i][valid], y, np.array([len(y)])))
                    users.append(tasks.user[row])
        return np.array(users, dtype=np.int64), found

    # -- candidates and scores -----------------------------------------------------------------

    def pool(
        self,
        histories: Histories,
        *,
        scored: Mapping[str, FloatArray] | None = None,
        exclude: sparse.csr_matrix | None = None,
    ) -> Pool:
        """The best ``n_candidates`` of the blend, without the films of the history.

        ``scored`` are the sources' own scores where they were asked already: one that is missing
        there has no opinion on anything. ``exclude`` (csr [n, n_items]) never enters.
        """
        if scored is None:
            scored = {part.label: self.models[part.label].score(histories) for part in self.parts}
        n = len(histories)
        blend = np.zeros((n, self.n_items), dtype=np.float32)
        has_opinion = np.zeros(blend.shape, dtype=np.bool_)
        standard: dict[str, FloatArray] = {}
        for part in self.parts:
            if part.label not in scored:
                standard[part.label] = np.full(blend.shape, np.nan, dtype=np.float32)
                continue
            scores = scored[part.label]
            mean, scale = affine(scores)
            finite = np.isfinite(scores)
            centered = np.where(finite, scores, mean[:, None]) - mean[:, None]
            standard[part.label] = (scale[:, None] * centered).astype(np.float32)
            blend += np.float32(part.weight) * standard[part.label]
            if self.models[part.label].is_personal:
                has_opinion |= finite
        blend[~has_opinion] = -np.inf
        masked = blend.copy()
        rows = np.repeat(np.arange(n), np.diff(histories.indptr))
        known = (histories.item_index >= 0) & (histories.item_index < self.n_items)
        masked[rows[known], histories.item_index[known]] = -np.inf
        if exclude is not None:
            masked[np.repeat(np.arange(n), np.diff(exclude.indptr)), exclude.indices] = -np.inf
        width = min(self.n_candidates, self.n_items)
        items = _best_columns(masked, width)
        valid = np.isfinite(np.take_along_axis(masked, items, axis=1))
        if self.sees_blend:
            standard[BLEND] = blend
        sources = {label: _score_and_rank(z, items) for label, z in standard.items()}
        return Pool(items=items, valid=valid, sources=sources, blend=blend)

    def features_of(
        self, histories: Histories, pool: Pool, *, now: LongArray | None = None
    ) -> FloatArray:
        """float32[n, c, n_features] of the pool's films; ``now`` as in :meth:`score`."""
        return self._matrix(
            histories, pool, self._default_moments(histories) if now is None else now
        )

    def _matrix(self, histories: Histories, pool: Pool, now: LongArray) -> FloatArray:
        x = self.store.matrix(histories, pool.items, now=now, sources=pool.sources)
        return x.reshape(*pool.items.shape, len(self.features))

    def score(self, histories: Histories, *, now: LongArray | None = None) -> FloatArray:
        """float32[n, n_items]; ``now`` int64[n] is the moment of asking (default: of the last
        event). Films outside the pool follow below it in the blend's order."""
        if not len(histories) or not self.n_items:
            return np.empty((len(histories), self.n_items), dtype=np.float32)
        parts = []
        moments = self._default_moments(histories) if now is None else now
        for start in range(0, len(histories), BATCH_ROWS):
            rows = np.arange(start, min(start + BATCH_ROWS, len(histories)))
            parts.append(self._score_batch(histories.select(rows), moments[rows]))
        return np.concatenate(parts)

    def _default_moments(self, histories: Histories) -> LongArray:
        """The last event's time; for made-up times before all data the end of the data."""
        last = last_moment(histories)
        return np.where(last < self.store.first, self.store.first + self.store.span, last)

    def _score_batch(self, histories: Histories, now: LongArray) -> FloatArray:
        pool = self.pool(histories)
        finite = np.isfinite(pool.blend)
        # The tail: the blend squeezed into (-1, 0), below every candidate's 0..1.
        low = np.where(finite, pool.blend, np.inf).min(axis=1, keepdims=True)
        high = np.where(finite, pool.blend, -np.inf).max(axis=1, keepdims=True)
        low = np.where(np.isfinite(low), low, 0.0)
        high = np.where(np.isfinite(high), high, 0.0)
        span = high - low + 1e-6
        below = np.where(finite, pool.blend, high) - high
        out = np.where(finite, below / span - 1e-3, -np.inf).astype(np.float32)
        x = self._matrix(histories, pool, now)
        flat = np.asarray(self.predict(x.reshape(-1, x.shape[-1])))
        raw: FloatArray = flat.reshape(pool.items.shape)
        raw = np.where(pool.valid, raw, -np.inf)
        if self.sees_blend and raw.shape[1]:
            # Z-scores have long tails: near 1 a float32 logistic would make the best films equal.
            best = raw.max(axis=1, keepdims=True)
            raw = raw - np.where(np.isfinite(best), best, 0.0)
        for i in range(len(out)):
            valid = pool.valid[i]
            out[i, pool.items[i, valid]] = 1.0 / (1.0 + np.exp(-raw[i, valid]))
        return out

    # -- persistence ---------------------------------------------------------------------------

    def params(self) -> dict[str, Any]:
        return {
            "parts": [asdict(part) for part in self.parts],
            "n_candidates": self.n_candidates,
            "target": self.target,
            "max_people": self.max_people,
            "n_labels": self.n_labels,
            "kept": list(self.kept),
            "sees_blend": self.sees_blend,
        }

    def to_arrays(self) -> dict[str, NDArray]:
        own = {f"learner.{k}": v for k, v in self.learner_arrays().items()}
        store = {f"features.{k}": v for k, v in self.store.to_arrays().items()}
        names = {"names": np.frombuffer("\n".join(self.features).encode(), dtype=np.uint8)}
        sources = {
            f"source.{label}.{k}": v
            for label, model in self.models.items()
            for k, v in model.to_arrays().items()
        }
        return {**own, **store, **names, **sources}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        """ValueError when the features were others, or in another order, than today's."""
        from ml.models.registry import model_class

        model = cls(**params)
        names = tuple(arrays["names"].tobytes().decode().split("\n"))
        if names != model.features:
            raise ValueError("the ranker was fitted on other features than the store computes")
        model.store = FeatureStore.from_arrays(_with_prefix(arrays, "features."))
        for part in model.parts:
            own = _with_prefix(arrays, f"source.{part.label}.")
            model.models[part.label] = model_class(part.model).from_arrays(own, part.params)
        model.n_items = model.store.n_items
        model.load_learner(_with_prefix(arrays, "learner."))
        return model


def _with_prefix(arrays: dict[str, NDArray], prefix: str) -> dict[str, NDArray]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def _best_columns(masked: FloatArray, width: int) -> NDArray[np.int64]:
    """int64[n, width]: each row's best columns, best first, ties to the smaller; the first
    ``width`` of a stable sort of the whole row, at a tenth of its price."""
    if width >= masked.shape[1]:
        return np.argsort(-masked, axis=1, kind="stable")
    return stable_best(masked, width).astype(np.int64)


def _score_and_rank(z: FloatArray, items: NDArray[np.integer]) -> tuple[FloatArray, FloatArray]:
    """The candidates' z-scores and log(1 + number of films that score higher)."""
    own = np.take_along_axis(z, items, axis=1)
    ordered = np.sort(z, axis=1)
    above = np.stack(
        [z.shape[1] - np.searchsorted(ordered[i], own[i], side="right") for i in range(len(z))]
    )
    return own, np.log1p(above).astype(np.float32)
