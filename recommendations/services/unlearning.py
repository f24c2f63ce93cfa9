"""The proof that models can forget: item weights without a person equal a refit without them.

Before the deletion, the person's row is taken out of EASE and of the item-item table by the exact
formulas of :mod:`ml.unlearning`; after it, both are fitted on what the database then holds. In
float64, on the films with the most ratings, with plain events of at least 4 stars. What is served
carries weights of time and is float32: it is not patched but trained anew without the person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from accounts.models import User
from ml.data import Weighting, to_csr
from ml.unlearning import (
    cosine_from_gram,
    cosine_without,
    inverse_without,
    weights_from_inverse,
)
from recommendations.training_data import (
    LIVE_USER_OFFSET,
    NoTrainingDataError,
    TrainingData,
    narrowed,
    training_data,
)

# 3,000 films are 72 MB a matrix and some seconds.
MAX_ITEMS = 3000
MIN_RATING = 4.0
L2 = 500.0
SHRINKAGE = 20.0
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Downdated:
    """The tables without the person, computed while the person was still there."""

    movie_ids: NDArray[np.int64]
    matrix: sparse.csr_matrix
    person: int | None


@dataclass(frozen=True)
class Proof:
    """Largest differences to a refit; ``n_events`` of the person were taken out."""

    n_events: int
    n_films: int
    ease: float
    item_item: float

    @property
    def is_exact(self) -> bool:
        """Both below 1e-9."""
        return max(self.ease, self.item_item) < TOLERANCE


def remember(user: User) -> Downdated | None:
    """What the models see now, with the person; None where there is nothing to learn from."""
    try:
        data = narrowed(training_data(), max_items=MAX_ITEMS)
    except NoTrainingDataError:
        return None
    users = data.dataset.users.ids
    found = np.flatnonzero(users == LIVE_USER_OFFSET + user.pk)
    person = int(found[0]) if len(found) else None
    return Downdated(data.items.ids, _matrix(data), person)


def prove(before: Downdated) -> Proof:
    """Takes the person out of ``before`` and compares with a fit on what there is now."""
    try:
        after = training_data()
    except NoTrainingDataError:
        return Proof(0, 0, 0.0, 0.0)
    # Films that only the person kept above the least number of ratings are gone by now.
    films = before.movie_ids[np.isin(before.movie_ids, after.items.ids)]
    with_person = before.matrix[:, np.searchsorted(before.movie_ids, films)]
    without = _matrix(after)[:, np.searchsorted(after.items.ids, films)]
    rows = [] if before.person is None else [before.person]
    removed = with_person[rows]
    gram, left = _gram(with_person), _gram(without)
    ease = item_item = 0.0
    if removed.nnz:
        inverse = inverse_without(np.linalg.inv(gram + L2 * np.eye(len(films))), removed)
        refit = weights_from_inverse(np.linalg.inv(left + L2 * np.eye(len(films))))
        ease = float(np.abs(weights_from_inverse(inverse) - refit).max())
        table = cosine_from_gram(gram, shrinkage=SHRINKAGE)
        downdated, _gram_left = cosine_without(table, gram, removed, shrinkage=SHRINKAGE)
        exact = cosine_from_gram(left, shrinkage=SHRINKAGE)
        item_item = float(np.abs(downdated - exact).max())
    return Proof(int(removed.nnz), len(films), ease, item_item)


def _matrix(data: TrainingData) -> sparse.csr_matrix:
    return to_csr(data.dataset.interactions, Weighting(min_rating=MIN_RATING)).astype(np.float64)


def _gram(matrix: sparse.csr_matrix) -> NDArray[np.float64]:
    return np.asarray((matrix.T @ matrix).todense(), dtype=np.float64)
