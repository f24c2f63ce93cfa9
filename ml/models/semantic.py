"""Films about the same things: cosine to the centroid of the history's text vectors.

    score_i = sum_j w_j (t_j . t_i) / sum_j |w_j|

``t`` are sentence vectors (Reimers and Gurevych 2019) minus their mean over the films, scaled to
length 1. Without the centring all films look alike: the shared part of sentence vectors hides what
differs ("all but the top", Mu and Viswanath 2018); centring doubles the quality for new films.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.models._side_info import centered_text
from ml.models._vector_linear import VectorLinear
from ml.text import unit_rows
from ml.types import FloatArray, Interactions, ItemFeatures


class Semantic(VectorLinear):
    """See the module. Films without a text have no opinion; nothing is learned from ratings."""

    name = "semantic"

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        """Takes the text vectors; ValueError when ``features`` has none."""
        if features is None or features.text is None:
            raise ValueError("semantic needs the films' text vectors")
        self.n_items = features.n_items
        known = np.abs(features.text).sum(axis=1) > 0
        self.mean = features.text[known].sum(axis=0) / max(int(known.sum()), 1)
        self._set_vectors(unit_rows(centered_text(features.text)))
        return self

    def _set_vectors(self, vectors: FloatArray) -> None:
        self.given = self.wanted = vectors

    def score_texts(self, vectors: FloatArray) -> FloatArray:
        """float32[n, n_items]: similarity of each raw text vector [n, d], such as a query's."""
        return self.score_vectors(unit_rows(vectors - self.mean))

    def params(self) -> dict[str, Any]:
        return {"decay": self.decay, "floor": self.floor}

    def to_arrays(self) -> dict[str, NDArray]:
        return {"vectors": self.given, "mean": self.mean}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        model = cls(**params)
        model._set_vectors(arrays["vectors"])
        model.mean = arrays["mean"]
        model.n_items = len(model.given)
        return model
