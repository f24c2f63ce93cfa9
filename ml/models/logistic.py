"""Logistic regression on [person vector + film vector] -> liked.

    logit P(liked) = b + a . f_i + c . u + sum_d m_d u_d f_id,      u = sum_j w_j f_j / sum_j |w_j|

``f`` describes a film by genres, era and the leading directions of its text; ``u`` is the same
description averaged over the history. Without the products a linear model gives everyone the same
list; with them it is the smallest model of "this person and this film fit", it knows no film by
name, so it works for new people and new films alike, and it stays linear in the history.
Fitted on events against as many random films (Cox 1958; sampled negatives as in BPR).
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.models._side_info import centered_text, year_basis
from ml.models.base import LinearRecommender
from ml.text import unit_rows
from ml.types import FloatArray, Histories, Interactions, ItemFeatures


class Logistic(LinearRecommender):
    """See the module. ``n_text`` directions of text; ``max_examples`` events are sampled."""

    name = "logistic"

    def __init__(
        self,
        *,
        n_text: int = 32,
        strength: float = 1.0,
        max_examples: int = 100_000,
        min_rating: float = 0.0,
    ) -> None:
        if n_text < 0 or strength <= 0 or max_examples < 1:
            raise ValueError("n_text must not be negative; strength and max_examples positive")
        self.n_text, self.strength = n_text, strength
        self.max_examples, self.min_rating = max_examples, min_rating

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        """ValueError when ``features`` describes no film at all."""
        self.n_items = interactions.n_items
        self.films = _describe(features, self.n_text)
        d = self.films.shape[1]
        self.weights = np.zeros(1 + 3 * d, dtype=np.float32)
        events = interactions.select(interactions.rating >= self.min_rating)
        counts = np.bincount(events.user_index, minlength=events.n_users)
        usable = np.flatnonzero(counts[events.user_index] > 1)
        if len(usable) and self.n_items > 1:
            self._learn(events, usable, np.random.default_rng(seed))
        return self

    def _learn(
        self, events: Interactions, usable: NDArray[np.intp], rng: np.random.Generator
    ) -> None:
        from sklearn.linear_model import LogisticRegression

        total = np.zeros((events.n_users, self.films.shape[1]), dtype=np.float32)
        np.add.at(total, events.user_index, self.films[events.item_index])
        counts = np.bincount(events.user_index, minlength=events.n_users)
        rows = rng.permutation(usable)[: self.max_examples]
        users, films = events.user_index[rows], events.item_index[rows]
        # The person's other films: a film must not announce itself.
        person = (total[users] - self.films[films]) / (counts[users] - 1)[:, None]
        others = rng.integers(0, self.n_items, len(rows))
        x = np.concatenate([_pairs(person, self.films[films]), _pairs(person, self.films[others])])
        y = np.repeat([1, 0], len(rows))
        model = LogisticRegression(C=self.strength, max_iter=200).fit(x, y)
        self.weights = np.concatenate([model.intercept_, model.coef_[0]]).astype(np.float32)

    def _parts(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """(film's own weights a, person's own c, products' m), each float32[d]."""
        person, film, product = np.split(self.weights[1:], 3)
        return film, person, product

    def score(self, histories: Histories) -> FloatArray:
        share = self._shares(histories)
        rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
        used = share != 0
        matrix = sparse.csr_matrix(
            (share[used], (rows[used], histories.item_index[used])),
            shape=(len(histories), self.n_items),
        )
        u = np.asarray(matrix @ self.films, dtype=np.float32)
        film, person, product = self._parts()
        scores = (u * product) @ self.films.T + self.films @ film + (u @ person)[:, None]
        scores += self.weights[0]
        scores[np.diff(matrix.indptr) == 0] = -np.inf
        return scores.astype(np.float32)

    def _shares(self, histories: Histories) -> FloatArray:
        """float32[n_events]: w_j / sum |w|; 0 for unknown films."""
        known = (histories.item_index >= 0) & (histories.item_index < self.n_items)
        weight = np.where(known, histories.weight, 0.0)
        rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
        total = np.bincount(rows, np.abs(weight), minlength=len(histories))
        return (weight / np.where(total > 0, total, 1.0)[rows]).astype(np.float32)

    def contributions(self, history: Histories, items: NDArray[np.integer]) -> FloatArray:
        share = self._shares(history)
        if not self.n_items:
            return np.zeros((len(share), len(items)), dtype=np.float32)
        film = self.films[np.where(share != 0, history.item_index, 0)]
        _, person, product = self._parts()
        part = (film * product) @ self.films[items].T + (film @ person)[:, None]
        return (share[:, None] * part).astype(np.float32)

    def baseline(self, history: Histories, items: NDArray[np.integer]) -> FloatArray:
        film, _, _ = self._parts()
        return (self.films[items] @ film + self.weights[0]).astype(np.float32)

    def params(self) -> dict[str, Any]:
        names = ("n_text", "strength", "max_examples", "min_rating")
        return {name: getattr(self, name) for name in names}

    def to_arrays(self) -> dict[str, NDArray]:
        return {"films": self.films, "weights": self.weights}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        model = cls(**params)
        model.films, model.weights = arrays["films"], arrays["weights"]
        model.n_items = len(model.films)
        return model


def _pairs(person: FloatArray, film: FloatArray) -> FloatArray:
    return np.concatenate([person, film, person * film], axis=1)


def _describe(features: ItemFeatures | None, n_text: int) -> FloatArray:
    """float32[n_items, d]: genres, era and text directions, each column of spread 1."""
    blocks: list[NDArray] = []
    if features is not None and features.genres is not None:
        blocks.append(unit_rows(features.genres))
    if features is not None and features.year is not None:
        blocks.append(year_basis(features.year))
    if features is not None and features.text is not None and n_text:
        text = unit_rows(centered_text(features.text))
        _, vectors = np.linalg.eigh(text.T @ text)
        blocks.append(text @ vectors[:, ::-1][:, :n_text])
    if not blocks:
        raise ValueError("logistic needs facts about the films: genres, years or text vectors")
    table = np.concatenate(blocks, axis=1)
    if not len(table):
        return table.astype(np.float32)
    spread = table.std(axis=0)
    return ((table - table.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)).astype(np.float32)
