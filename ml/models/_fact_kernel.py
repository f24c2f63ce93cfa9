"""A kernel over what is known about films: how alike two films are before anyone has rated them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.models._side_info import centered_text, token_matrix
from ml.text import unit_rows
from ml.types import BoolArray, FloatArray, ItemFeatures

YEAR_SIGMA = 6.0
TEXT_SHARPNESS = 3.0
# Weights of the parts, chosen by coordinate search on the validation films of ML-1M.
WEIGHTS = {
    "genre": 0.8,
    "year": 0.6,
    "text": 0.25,
    "text_close": 0.4,
    "language_genre": 0.3,
    "cast": 0.3,
    "keyword": 0.15,
    "director": 0.1,
    "constant": 0.3,
}


class FactKernel:
    """``block(rows, columns)`` gives the kernel between two sets of films.

    K = sum of the weighted parts: cosines of genres, text, cast, keywords and directors; language
    times genre; a Gaussian of the years' distance; exp(3 (text cosine - 1)); a constant.
    """

    def __init__(self, features: ItemFeatures) -> None:
        n = features.n_items
        none = np.zeros((n, 1), dtype=np.float32)
        self.genre = none if features.genres is None else unit_rows(features.genres)
        has_text = features.text is not None
        self.text = none if features.text is None else unit_rows(centered_text(features.text))
        year = np.full(n, np.nan) if features.year is None else features.year
        self.has_year = np.isfinite(year)
        self.year = np.where(self.has_year, year, 0.0).astype(np.float32)
        tags = features.tags or {}
        empty: list[tuple[str, ...]] = [()] * n
        self.tokens = {
            facet: token_matrix(tags.get(facet, empty), min_count=1).astype(np.float32)
            for facet in ("cast", "keyword", "director", "language")
        }
        self.has_text = has_text
        self.n_items = n

    def has_facts(self) -> BoolArray:
        """bool[n_items]: films of which something beyond a year is known."""
        known = self.genre.any(axis=1) | self.text.any(axis=1)
        for matrix in self.tokens.values():
            known = known | (np.diff(matrix.indptr) > 0)
        return np.asarray(known, dtype=np.bool_)

    def block(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> FloatArray:
        """float32[len(rows), len(columns)]."""
        genre = self.genre[rows] @ self.genre[columns].T
        out = WEIGHTS["genre"] * genre + WEIGHTS["constant"]
        out += WEIGHTS["language_genre"] * self._shared("language", rows, columns) * genre
        for facet in ("cast", "keyword", "director"):
            out += WEIGHTS[facet] * self._shared(facet, rows, columns)
        apart = (self.year[rows][:, None] - self.year[columns][None, :]) / YEAR_SIGMA
        known = self.has_year[rows][:, None] & self.has_year[columns][None, :]
        out += WEIGHTS["year"] * np.where(known, np.exp(-0.5 * apart**2), 0.0)
        if self.has_text:
            cosine = self.text[rows] @ self.text[columns].T
            out += WEIGHTS["text"] * cosine
            out += WEIGHTS["text_close"] * np.exp(TEXT_SHARPNESS * (cosine - 1.0))
        return out.astype(np.float32)

    def _shared(self, facet: str, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> FloatArray:
        matrix: sparse.csr_matrix = self.tokens[facet]
        return np.asarray((matrix[rows] @ matrix[columns].T).toarray(), dtype=np.float32)
