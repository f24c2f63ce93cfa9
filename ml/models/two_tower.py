"""Two towers: people by their history, films by id and facts, compared by a dot product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.models.base import Recommender
from ml.models.numpy_net import gelu
from ml.models.training import VALIDATION_USERS, EarlyStopping, Epoch, Holdout, Progress, batches
from ml.types import FloatArray, Histories, IntArray, Interactions, ItemFeatures

if TYPE_CHECKING:
    import torch

YEAR_SCALE = 20.0  # years become about -3..3
INIT_DEVIATION = 0.05
ID_DROPOUT = 0.1  # how often a film has to be recognised by its facts alone


class TwoTower(Recommender):
    """History tower x film tower with an in-batch softmax corrected for sampling (logQ).

    Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations"
    (2019). A film is ``x_i = id_i + facts_i A`` (text, genres, year, standardised together), its
    tower ``v_i = unit(x_i + mlp(x_i))``; a person the recency-weighted mean ``m`` of the ``x_j`` of
    at most ``length`` films, ``u = unit(m + mlp(m))``. For pairs (history before an event, film)

        loss = -log softmax_j (u_i . v_j / temperature - log q_j)

    over the films j of the batch, with q_j the film's share of the events: without the correction
    popular films, which are everybody's negatives, would be pushed down. An id is left out in one
    of ten uses, so films without events are placed by their facts. Without features: ids only.
    """

    name = "two_tower"

    def __init__(
        self,
        *,
        n_factors: int = 64,
        length: int = 50,
        decay: float = 0.95,
        temperature: float = 0.07,
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-6,
        batch_size: int = 2048,
        n_epochs: int = 30,
        eval_every: int = 3,
        patience: int = 3,
        min_rating: float = 0.0,
        progress: Progress | None = None,
    ) -> None:
        if not 0 < decay <= 1 or temperature <= 0:
            raise ValueError("decay must be in (0, 1] and temperature positive")
        self.n_factors = n_factors
        self.length = length
        self.decay = decay
        self.temperature = temperature
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.n_epochs = n_epochs
        self.eval_every = eval_every
        self.patience = patience
        self.min_rating = min_rating
        self.progress = progress

    # --- fitting -----------------------------------------------------------------------------

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        import torch

        events = interactions.select(interactions.rating >= self.min_rating)
        self.n_items = interactions.n_items
        self.counts = np.bincount(events.item_index, minlength=self.n_items).astype(np.int64)
        facts = film_facts(features, self.n_items)
        has_facts = (facts != 0).any(axis=1)
        self.seen = (self.counts > 0) | has_facts if len(events) else self.counts > 0
        rng = np.random.default_rng(seed)
        generator = torch.Generator().manual_seed(seed)
        self._facts = torch.from_numpy(facts)
        self._parameters = self._initial(facts.shape[1], generator)
        self._train(Histories.from_interactions(events), rng)
        with torch.no_grad():
            known = torch.from_numpy((self.counts > 0).astype(np.float32))
            inputs = self._inputs(known)
            self.inputs = inputs.numpy()
            self.item_vectors = self._tower("item", inputs).numpy()
        state = self._state()
        self.user_up, self.user_down = state["user.up"], state["user.down"]
        return self

    def _initial(self, n_facts: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
        import torch

        d = self.n_factors
        shapes = {"ids": (self.n_items, d), "facts": (n_facts, d)}
        for tower in ("item", "user"):
            shapes |= {f"{tower}.up": (d, 2 * d), f"{tower}.down": (2 * d, d)}
        return {
            name: (INIT_DEVIATION * torch.randn(*shape, generator=generator)).requires_grad_()
            for name, shape in shapes.items()
        }

    def _train(self, histories: Histories, rng: np.random.Generator) -> None:
        import torch

        pairs = np.arange(len(histories.item_index))
        first = np.repeat(histories.indptr[:-1], np.diff(histories.indptr))
        holdout = _last_films(histories, self.n_items, rng)
        if holdout is not None:
            held = histories.indptr[1:][holdout.users] - 1
            pairs = np.setdiff1d(pairs, held)
        pairs = pairs[pairs > first[pairs]]
        optimiser = torch.optim.Adam(
            self._parameters.values(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
        stopping = EarlyStopping(patience=self.patience)
        for epoch in range(1, self.n_epochs + 1):
            losses = []
            for part in batches(len(pairs), self.batch_size, rng):
                loss = self._loss(histories, pairs[part], first[pairs[part]], rng)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                losses.append(float(loss.detach()))
            quality = None
            if holdout is not None and (epoch % self.eval_every == 0 or epoch == self.n_epochs):
                quality = self._validate(histories, holdout)
            if self.progress is not None:
                mean = float(np.mean(losses)) if losses else 0.0
                self.progress(Epoch(epoch, self.n_epochs, mean, quality))
            if quality is not None and stopping.update(quality, epoch, self._state):
                break
        if stopping.state is not None:
            self._parameters = {n: torch.from_numpy(p) for n, p in stopping.state.items()}

    def _loss(
        self,
        histories: Histories,
        at: NDArray[np.intp],
        first: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> torch.Tensor:
        """The corrected in-batch softmax of the events ``at``, each after its own history."""
        import torch
        from torch.nn import functional

        keep = torch.from_numpy((rng.random(self.n_items) >= ID_DROPOUT).astype(np.float32))
        inputs = self._inputs(keep)
        start = np.maximum(first, at - self.length)
        user = self._users(
            inputs, _history_rows(histories.item_index, start, at, self.n_items, self.decay)
        )
        films, own = np.unique(histories.item_index[at], return_inverse=True)
        item = self._tower("item", inputs[torch.from_numpy(films.astype(np.int64))])
        share = self.counts[films] / self.counts.sum()
        scores = user @ item.T / self.temperature - torch.from_numpy(np.log(share)).float()
        return functional.cross_entropy(scores, torch.from_numpy(own.astype(np.int64)))

    def _inputs(self, keep_id: torch.Tensor) -> torch.Tensor:
        ids = self._parameters["ids"] * keep_id[:, None]
        return ids + self._facts @ self._parameters["facts"]

    def _tower(self, tower: str, x: torch.Tensor) -> torch.Tensor:
        from torch.nn import functional

        up, down = self._parameters[f"{tower}.up"], self._parameters[f"{tower}.down"]
        return functional.normalize(x + functional.gelu(x @ up) @ down, dim=1)

    def _users(self, inputs: torch.Tensor, rows: sparse.csr_matrix) -> torch.Tensor:
        """Unit vectors float32[n, d] of the histories' weighted means (rows sum to 1)."""
        import torch
        from torch.nn import functional

        mean = functional.embedding_bag(
            torch.from_numpy(rows.indices.astype(np.int64)),
            inputs,
            torch.from_numpy(rows.indptr[:-1].astype(np.int64)),
            per_sample_weights=torch.from_numpy(rows.data),
            mode="sum",
        )
        return self._tower("user", mean)

    def _validate(self, histories: Histories, holdout: Holdout) -> float:
        import torch

        with torch.no_grad():
            known = torch.from_numpy((self.counts > 0).astype(np.float32))
            inputs = self._inputs(known)
            items = self._tower("item", inputs)

            def score(users: NDArray[np.intp]) -> FloatArray:
                after = histories.indptr[users + 1] - 1
                start = np.maximum(histories.indptr[users], after - self.length)
                rows = _history_rows(histories.item_index, start, after, self.n_items, self.decay)
                found: FloatArray = (self._users(inputs, rows) @ items.T).numpy()
                return found

            return holdout.recall(score)

    # --- scoring -----------------------------------------------------------------------------

    def score(self, histories: Histories) -> FloatArray:
        """By numpy: serving needs no torch."""
        known = (histories.item_index >= 0) & (histories.item_index < self.n_items)
        known &= histories.weight > 0
        known[known] = self.seen[histories.item_index[known]]
        people = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))[known]
        after = np.cumsum(np.bincount(people, minlength=len(histories)).astype(np.int64))
        before = np.concatenate([np.zeros(min(1, len(after)), np.int64), after[:-1]])
        kept = histories.item_index[known]
        start = np.maximum(before, after - self.length)
        rows = _history_rows(kept, start, after, self.n_items, self.decay)
        mean = np.asarray(rows @ self.inputs, dtype=np.float32)
        user = mean + gelu(mean @ self.user_up) @ self.user_down
        user /= np.maximum(np.linalg.norm(user, axis=1, keepdims=True), 1e-12)
        scores = (user @ self.item_vectors.T).astype(np.float32)
        scores[:, ~self.seen] = -np.inf
        scores[np.diff(rows.indptr) == 0] = -np.inf
        return scores

    # --- state -------------------------------------------------------------------------------

    def _state(self) -> dict[str, NDArray]:
        return {n: p.detach().numpy().copy() for n, p in self._parameters.items()}

    def params(self) -> dict[str, Any]:
        names = (
            "n_factors length decay temperature learning_rate weight_decay batch_size n_epochs "
            "eval_every patience min_rating"
        )
        return {name: getattr(self, name) for name in names.split()}

    def to_arrays(self) -> dict[str, NDArray]:
        """What scoring needs: the films' inputs and vectors, and the history tower."""
        return {
            "inputs": self.inputs,
            "item_vectors": self.item_vectors,
            "user_up": self.user_up,
            "user_down": self.user_down,
            "seen": self.seen,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        model = cls(**params)
        model.inputs, model.item_vectors = arrays["inputs"], arrays["item_vectors"]
        model.seen = arrays["seen"]
        model.n_items = len(model.seen)
        model.user_up, model.user_down = arrays["user_up"], arrays["user_down"]
        return model


def film_facts(features: ItemFeatures | None, n_items: int) -> FloatArray:
    """Text, genres and year side by side: float32 [n_items, p]; zero where unknown, p may be 0.

    Text is centred first (all synopses look alike before that) and scaled to length 1; genres share
    length 1; the year counts from the median in steps of twenty.
    """
    parts = [np.zeros((n_items, 0), dtype=np.float32)]
    if features is not None and features.text is not None:
        known = (features.text != 0).any(axis=1)
        mean = features.text[known].sum(axis=0) / max(1, int(known.sum()))
        parts.append(_unit(np.where(known[:, None], features.text - mean, 0)))
    if features is not None and features.genres is not None:
        parts.append(_unit(features.genres))
    if features is not None and features.year is not None and np.isfinite(features.year).any():
        from_median = (features.year - np.nanmedian(features.year)) / YEAR_SCALE
        parts.append(np.nan_to_num(from_median)[:, None])
    return np.concatenate(parts, axis=1).astype(np.float32)


def _unit(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1.0)


def _history_rows(
    item_index: IntArray,
    start: NDArray[np.int64],
    after: NDArray[np.integer],
    n_items: int,
    decay: float,
) -> sparse.csr_matrix:
    """csr float32 of the events start..after-1 of each row, weights decay^age that sum to 1."""
    size = np.asarray(after - start, dtype=np.int64)
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(size)])
    at = np.repeat(start - indptr[:-1], size) + np.arange(indptr[-1])
    weight = decay ** (np.repeat(indptr[1:], size) - 1.0 - np.arange(indptr[-1]))
    total = np.bincount(np.repeat(np.arange(len(size)), size), weight, minlength=len(size))
    weight = (weight / np.repeat(total, size)).astype(np.float32)
    shape = (len(size), n_items)
    return sparse.csr_matrix((weight, item_index[at], indptr), shape=shape)


def _last_films(histories: Histories, n_items: int, rng: np.random.Generator) -> Holdout | None:
    """The last film of up to 1,000 people with at least 5, held back to stop training by."""
    able = np.flatnonzero(np.diff(histories.indptr) >= 5)
    if not len(able):
        return None
    users = np.sort(rng.choice(able, min(VALIDATION_USERS, max(1, len(able) // 2)), replace=False))
    last = histories.indptr[1:][users] - 1
    people = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
    shown = np.ones(len(people), dtype=bool)
    shown[last] = False
    ones = np.ones(len(people), dtype=np.float32)
    shape = (len(histories), n_items)
    train = sparse.csr_matrix(
        (ones[shown], (people[shown], histories.item_index[shown])), shape=shape
    )
    truth = sparse.csr_matrix(
        (ones[: len(users)], (np.arange(len(users)), histories.item_index[last])),
        shape=(len(users), n_items),
    )
    return Holdout(train=train, users=users, truth=truth)
