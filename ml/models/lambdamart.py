"""LambdaMART over a candidate pool (Burges 2010; LightGBM: Ke et al. 2017).

Gradient-boosted trees whose gradients are weighted by the change of NDCG that swapping two
candidates would make. The learner re-orders the pool of its sources (see ``_pool_ranker``); the
artifact is LightGBM's own text format.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.models._pool_examples import Examples, Target
from ml.models._pool_ranker import BLEND, PoolRanker
from ml.models.hybrid import DEFAULT_PARTS, Part
from ml.types import FloatArray

EARLY_STOP_ROUNDS = 25
BLEND_SCALE = 2.0  # from z-scores to the learner's log odds; chosen there, of 1 and 2
MANY_ROWS = 5000
# Settings of QUALITY's recipe 6, chosen there on validation.
SETTINGS: dict[str, Any] = {
    "objective": "lambdarank",
    "metric": "ndcg",
    "eval_at": [10],
    "num_leaves": 31,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.8,
    "lambda_l2": 5.0,
    "lambdarank_truncation_level": 30,
    "num_threads": 2,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


class LambdaMart(PoolRanker):
    """See the module. ``n_trees`` at most, stopped early on a part of the people."""

    name = "lambdamart"

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
        n_trees: int = 300,
        learning_rate: float = 0.05,
    ) -> None:
        super().__init__(
            parts=parts,
            n_candidates=n_candidates,
            target=target,
            max_people=max_people,
            n_labels=n_labels,
            kept=kept,
            sees_blend=sees_blend,
        )
        self.n_trees, self.learning_rate = n_trees, learning_rate
        self.booster: Any = None

    def learn(self, train: Examples, valid: Examples, *, seed: int) -> None:
        """See :class:`PoolRanker`."""
        import lightgbm as lgb

        names = list(self.features)
        data = lgb.Dataset(
            train.x, train.y, group=train.group, feature_name=names, init_score=self._start(train.x)
        )
        held = lgb.Dataset(
            valid.x, valid.y, group=valid.group, reference=data, init_score=self._start(valid.x)
        )
        settings = {**SETTINGS, "learning_rate": self.learning_rate, "seed": seed}
        # Small data: leaves of 200 rows would leave no split at all.
        settings["min_data_in_leaf"] = min(SETTINGS["min_data_in_leaf"], max(1, len(train.x) // 50))
        stop = lgb.early_stopping(EARLY_STOP_ROUNDS, verbose=False)
        booster = lgb.train(settings, data, self.n_trees, valid_sets=[held], callbacks=[stop])
        # Through the text format at once: what serves is exactly what was saved.
        self.booster = _from_text(booster.model_to_string(num_iteration=booster.best_iteration))

    def predict(self, x: FloatArray) -> NDArray[np.floating]:
        """See :class:`PoolRanker`."""
        if self.booster is None:
            return self._blend_order(x)
        found = np.asarray(self.booster.predict(x, num_threads=_threads(x)))
        start = self._start(x)
        return found if start is None else found + start

    def _start(self, x: FloatArray) -> NDArray[np.float64] | None:
        """Where the trees start from: the blend where it is seen, else nothing.

        A few dozen trees know a few hundred different scores; without this much of the blend's
        order is lost where there is little to learn from (ML-1M, validation of strong, NDCG@100:
        .437 without, .450 with, the blend alone .450).
        """
        if not self.sees_blend:
            return None
        return BLEND_SCALE * x[:, self.features.index(f"{BLEND}_score")].astype(np.float64)

    def shares_of_features(self, x: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What each feature adds to the score of each row: float64[n, n_features] and a base [n].

        SHAP values of the trees (Lundberg et al., "Consistent Individualized Feature Attribution
        for Tree Ensembles", 2018), exact: a row's sum plus its base is :meth:`predict` of it.
        """
        if self.booster is None:
            columns = [self.features.index(f"{part.label}_score") for part in self.parts]
            shares = np.zeros(x.shape, dtype=np.float64)
            weights = np.array([part.weight for part in self.parts], dtype=np.float32)
            shares[:, columns] = np.nan_to_num(x[:, columns] * weights)
            return shares, np.zeros(len(x))
        found = np.array(self.booster.predict(x, pred_contrib=True, num_threads=_threads(x)))
        start = self._start(x)
        if start is not None:
            found[:, self.features.index(f"{BLEND}_score")] += start
        return found[:, :-1], found[:, -1]

    def _blend_order(self, x: FloatArray) -> NDArray[np.floating]:
        """Before anything was learned: the weighted z-scores of the sources."""
        columns = [self.features.index(f"{part.label}_score") for part in self.parts]
        weights = np.array([part.weight for part in self.parts], dtype=np.float32)
        return np.nan_to_num(x[:, columns]) @ weights

    def importance(self) -> dict[str, float]:
        """Each feature's share of the trees' total gain; empty before anything was learned."""
        if self.booster is None:
            return {}
        gain = self.booster.feature_importance(importance_type="gain")
        total = max(float(gain.sum()), 1e-12)
        return {name: float(g) / total for name, g in zip(self.features, gain, strict=True)}

    def params(self) -> dict[str, Any]:
        own = {"n_trees": self.n_trees, "learning_rate": self.learning_rate}
        return {**super().params(), **own}

    def learner_arrays(self) -> dict[str, NDArray]:
        text = "" if self.booster is None else self.booster.model_to_string()
        return {"model_txt": np.frombuffer(text.encode(), dtype=np.uint8)}

    def load_learner(self, arrays: dict[str, NDArray]) -> None:
        text = arrays["model_txt"].tobytes().decode()
        self.booster = _from_text(text) if text else None


def _threads(x: FloatArray) -> int:
    """One person's pool is scored faster than a second thread starts."""
    return 1 if len(x) < MANY_ROWS else 2


def _from_text(text: str) -> Any:
    import lightgbm as lgb

    return lgb.Booster(model_str=text)
