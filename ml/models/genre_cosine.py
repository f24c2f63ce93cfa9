"""The first baseline: cosine between what someone asked for and each film's genres.

    score_i = (intent . g_i) / (|intent| |g_i|)

``g_i`` is the film's binary genre vector; the intent comes from the quiz or a mood
(``ml.intent``), or, where only a history is known, is the weighted sum of its films' genres. The
vector-space model of Salton, Wong and Yang 1975.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.models._vector_linear import VectorLinear
from ml.text import unit_rows
from ml.types import FloatArray, Interactions, ItemFeatures


class GenreCosine(VectorLinear):
    """See the module. ``score_intents`` ranks for a quiz, ``score`` for a history."""

    name = "genre_cosine"

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        """Takes the genres; ValueError when ``features`` has none."""
        if features is None or features.genres is None:
            raise ValueError("genre_cosine needs the films' genres")
        self.n_items = features.n_items
        self.given = (features.genres > 0).astype(np.float32)
        self.wanted = unit_rows(self.given)
        return self

    def scale(self, weights: sparse.csr_matrix, vectors: FloatArray) -> FloatArray:
        length = np.linalg.norm(vectors, axis=1)
        return (1.0 / np.where(length > 0, length, 1.0)).astype(np.float32)

    def score_intents(self, intents: NDArray[np.floating]) -> FloatArray:
        """float32[n, n_items]: cosine of each intent [n, n_genres] with each film."""
        return self.score_vectors(unit_rows(intents))

    def params(self) -> dict[str, Any]:
        return {"decay": self.decay, "floor": self.floor}

    def to_arrays(self) -> dict[str, NDArray]:
        return {"genres": self.given}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        model = cls(**params)
        model.given = arrays["genres"]
        model.wanted = unit_rows(model.given)
        model.n_items = len(model.given)
        return model
