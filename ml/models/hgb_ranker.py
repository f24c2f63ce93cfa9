"""Histogram gradient boosting on the locked features: will this candidate be the one?

scikit-learn's ``HistGradientBoostingClassifier`` (after LightGBM, Ke et al. 2017) predicts if a
candidate is what the person took next, point by point; ``lambdamart`` learns the order itself.
Saved with skops, which stores no code (no pickle).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.models._pool_examples import Examples, Target
from ml.models._pool_ranker import PoolRanker
from ml.models.hybrid import DEFAULT_PARTS, Part
from ml.types import FloatArray

# What a saved classifier may consist of; skops refuses anything else.
TRUSTED = [
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
]


class HgbRanker(PoolRanker):
    """See the module. ``n_trees`` at most, stopped early on a part of the rows."""

    name = "hgb_ranker"

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
        n_trees: int = 200,
        learning_rate: float = 0.08,
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
        self.classifier: Any = None

    def learn(self, train: Examples, valid: Examples, *, seed: int) -> None:
        """See :class:`PoolRanker`."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        classifier = HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=self.n_trees,
            max_leaf_nodes=31,
            min_samples_leaf=min(200, max(1, len(train.x) // 50)),
            l2_regularization=5.0,
            early_stopping=True,
            n_iter_no_change=15,
            random_state=seed,
        )
        self.classifier = classifier.fit(train.x, train.y, X_val=valid.x, y_val=valid.y)

    def predict(self, x: FloatArray) -> NDArray[np.floating]:
        """See :class:`PoolRanker`; log-odds."""
        if self.classifier is None:
            columns = [self.features.index(f"{part.label}_score") for part in self.parts]
            weights = np.array([part.weight for part in self.parts], dtype=np.float32)
            return x[:, columns] @ weights
        return np.asarray(self.classifier.decision_function(x))

    def params(self) -> dict[str, Any]:
        own = {"n_trees": self.n_trees, "learning_rate": self.learning_rate}
        return {**super().params(), **own}

    def learner_arrays(self) -> dict[str, NDArray]:
        if self.classifier is None:
            return {"skops": np.empty(0, dtype=np.uint8)}
        from skops.io import dumps

        return {"skops": np.frombuffer(dumps(self.classifier), dtype=np.uint8)}

    def load_learner(self, arrays: dict[str, NDArray]) -> None:
        self.classifier = None
        if len(arrays["skops"]):
            from skops.io import loads

            self.classifier = loads(arrays["skops"].tobytes(), trusted=TRUSTED)
