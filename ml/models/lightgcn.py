"""LightGCN: embeddings smoothed over the graph of people and films."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.data import Weighting, to_csr
from ml.models.base import LinearRecommender
from ml.models.propagation import Graph
from ml.models.training import EarlyStopping, Epoch, Holdout, Progress, batches, hold_out
from ml.types import FloatArray, Histories, Interactions, ItemFeatures

if TYPE_CHECKING:
    import torch

LOSSES = ("softmax", "bpr")
SOFTMAX_CELLS = 4_000_000  # people in a batch x films: bounds a batch at 16 MiB a matrix
INIT_SCALE = 0.1  # RecBole and the authors' code start in the same range


class LightGCN(LinearRecommender):
    """Embeddings averaged over layers of neighbours (He et al. 2020), with an exact linear fold-in.

    With ``R~ = D_u^-1/2 X D_i^-1/2`` and free embeddings ``U_0``, ``V_0``:

        U_l+1 = R~ V_l,   V_l+1 = R~' U_l,   U = mean_l U_l,   V = mean_l V_l,   score = U V'

    ``loss`` "bpr" is the paper's: ``-log sigmoid(s_pos - s_neg)`` on random pairs, ``batch_size``
    edges a step. "softmax" is the likelihood of all of a person's films among the whole catalogue
    with cosine scores over ``temperature`` (Wu et al., "On the Effectiveness of Sampled Softmax
    Loss for Item Recommendation", 2022; here without sampling), ``batch_size`` people a step.
    ``weight_decay`` is on the free embeddings of the batch; ``edge_dropout`` leaves out that share
    of the edges anew each epoch (SGL, Wu et al. 2021).

    Without ``free_people`` ``U_0`` is 0: people are nothing but their films. That is better
    (ML-100K, validation: NDCG@10 .246 against .239) and makes the fold-in of somebody new exact,
    since every layer of a person follows from their films. With it (the paper's model) the free
    part of somebody new is predicted from the other layers
    (:meth:`ml.models.propagation.Graph.fold_in`). Either way the score is a sum over the history,
    and known and new people are treated alike.

    The paper's settings: ``loss="bpr", free_people=True, learning_rate=1e-3, batch_size=2048`` and
    up to 1,000 epochs.
    """

    name = "lightgcn"

    def __init__(
        self,
        *,
        n_factors: int = 64,
        n_layers: int = 3,
        loss: str = "softmax",
        free_people: bool = False,
        learning_rate: float = 0.01,
        weight_decay: float = 1e-4,
        temperature: float = 0.25,
        edge_dropout: float = 0.0,
        batch_size: int = 256,
        n_epochs: int = 100,
        eval_every: int = 5,
        patience: int = 4,
        min_rating: float = 0.0,
        progress: Progress | None = None,
    ) -> None:
        if loss not in LOSSES:
            msg = f"loss is {loss!r}, expected one of {', '.join(LOSSES)}"
            raise ValueError(msg)
        if not 0 <= edge_dropout < 1:
            raise ValueError("edge_dropout must be in [0, 1)")
        self.n_factors = n_factors
        self.n_layers = n_layers
        self.loss = loss
        self.learning_rate = learning_rate
        self.free_people = free_people
        self.weight_decay = weight_decay
        self.temperature = temperature
        self.edge_dropout = edge_dropout
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
        matrix = to_csr(interactions, Weighting(min_rating=self.min_rating))
        matrix.data[:] = 1.0
        self.n_items = interactions.n_items
        self.seen = np.asarray(matrix.sum(axis=0)).ravel() > 0
        rng = np.random.default_rng(seed)
        holdout = hold_out(matrix, rng)
        users, items = self._train(matrix if holdout is None else holdout.train, holdout, rng)
        # The held-back entries return: the free embeddings stay, the graph is the whole one.
        self._keep(Graph(matrix, self.n_layers), users, items)
        return self

    def _train(
        self, train: sparse.csr_matrix, holdout: Holdout | None, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """The free embeddings of people and films, from the best epoch measured."""
        import torch

        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        free: tuple[torch.Tensor, ...] = tuple(
            (INIT_SCALE * torch.randn(n, self.n_factors, generator=generator)).requires_grad_()
            for n in train.shape
        )
        if not self.free_people:
            free = (torch.zeros_like(free[0]), free[1])
        trained = [part for part in free if part.requires_grad]
        optimiser = torch.optim.Adam(trained, lr=self.learning_rate)
        graph = Graph(train, self.n_layers)
        stopping = EarlyStopping(patience=self.patience)

        def state() -> tuple[FloatArray, FloatArray]:
            return free[0].detach().numpy().copy(), free[1].detach().numpy().copy()

        for epoch in range(1, self.n_epochs + 1):
            thin = graph.thinned(self.edge_dropout, rng) if self.edge_dropout else graph
            losses = [self._step(thin, free, optimiser, b) for b in self._batches(train, rng)]
            quality = None
            if holdout is not None and (epoch % self.eval_every == 0 or epoch == self.n_epochs):
                self._keep(graph, *state())
                quality = holdout.recall(lambda rows: self._score_rows(train[rows]))
            if self.progress is not None:
                loss = float(np.mean(losses)) if losses else 0.0
                self.progress(Epoch(epoch, self.n_epochs, loss, quality))
            if quality is not None and stopping.update(quality, epoch, state):
                break
        return state() if stopping.state is None else stopping.state

    def _batches(
        self, train: sparse.csr_matrix, rng: np.random.Generator
    ) -> Iterator[tuple[NDArray[np.integer], ...]]:
        """("softmax") people with all their films, or ("bpr") user, positive and negative."""
        if self.loss == "softmax":
            people = np.flatnonzero(np.diff(train.indptr))
            size = max(32, min(self.batch_size, SOFTMAX_CELLS // max(1, self.n_items)))
            for part in batches(len(people), size, rng):
                rows = train[people[part]]
                yield people[part], np.diff(rows.indptr), rows.indices
            return
        edges = train.tocoo()
        for part in batches(train.nnz, self.batch_size, rng):
            users = edges.row[part]
            yield users, edges.col[part], _not_in(train, users, rng)

    def _step(
        self,
        graph: Graph,
        free: tuple[torch.Tensor, ...],
        optimiser: torch.optim.Optimizer,
        batch: tuple[NDArray[np.integer], ...],
    ) -> float:
        """One update; the loss. The graph's gradient is the graph (see :class:`Graph`)."""
        import torch

        with torch.no_grad():
            final = [part.requires_grad_() for part in graph.propagate(free[0], free[1])]
        tensors = [torch.from_numpy(np.asarray(b, dtype=np.int64)) for b in batch]
        optimiser.zero_grad(set_to_none=True)
        if self.loss == "softmax":
            loss = softmax_loss(final, tensors, temperature=self.temperature)
            decay = free[0][tensors[0]].square().sum() + free[1][tensors[2]].square().sum()
        else:
            loss = bpr_loss(final, tensors)
            users, positive, negative = tensors
            decay = free[0][users].square().sum() + free[1][positive].square().sum()
            decay = decay + free[1][negative].square().sum()
        loss.backward()
        (self.weight_decay * decay / (2 * len(batch[-1]))).backward()
        with torch.no_grad():
            gradient = graph.propagate(_gradient(final[0]), _gradient(final[1]))
            for part, more in zip(free, gradient, strict=True):
                if part.requires_grad:
                    part.grad = _gradient(part) + more
        optimiser.step()
        return float(loss.detach())

    def _keep(self, graph: Graph, users: FloatArray, items: FloatArray) -> None:
        """The fitted model, two matrices [n_items, d], from the free embeddings."""
        import torch

        final = graph.propagate(torch.from_numpy(users), torch.from_numpy(items))
        vectors = final[1].numpy()
        if self.loss == "softmax":
            vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        self.fold_in = graph.fold_in(users, items)
        self.item_vectors = vectors.astype(np.float32)
        self.user_vectors = final[0].numpy()

    # --- scoring -----------------------------------------------------------------------------

    def score_known(self, users: NDArray[np.integer]) -> FloatArray:
        """float32[n, n_items] from the people's own trained vectors, as the paper evaluates.

        Only right after ``fit``: their vectors are not part of the saved model.
        """
        return self.user_vectors[users] @ self.item_vectors.T

    def score(self, histories: Histories) -> FloatArray:
        rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
        weight = self._weights(histories)
        used = weight != 0
        shown = sparse.csr_matrix(
            (weight[used], (rows[used], histories.item_index[used])),
            shape=(len(histories), self.n_items),
        )
        scores = self._score_rows(shown)
        scores[:, ~self.seen] = -np.inf
        scores[np.diff(shown.indptr) == 0] = -np.inf
        return scores

    def contributions(self, history: Histories, items: NDArray[np.integer]) -> FloatArray:
        weight = self._weights(history)
        index = np.where(weight != 0, history.item_index, 0)
        scale = weight / np.sqrt(max(float(np.abs(weight).sum()), 1e-12))
        vectors = self.fold_in[index] * scale[:, None]
        return (vectors @ self.item_vectors[items].T).astype(np.float32)

    def _weights(self, histories: Histories) -> FloatArray:
        """float32[n_events]: the event's weight, 0 for films unknown here."""
        known = (histories.item_index >= 0) & (histories.item_index < self.n_items)
        known[known] = self.seen[histories.item_index[known]]
        return np.where(known, histories.weight, 0.0).astype(np.float32)

    def _score_rows(self, shown: sparse.csr_matrix) -> FloatArray:
        total = np.asarray(abs(shown).sum(axis=1), dtype=np.float32).reshape(-1, 1)
        user = (shown @ self.fold_in) / np.sqrt(np.maximum(total, 1e-12))
        return np.asarray(user @ self.item_vectors.T, dtype=np.float32)

    # --- state -------------------------------------------------------------------------------

    def params(self) -> dict[str, Any]:
        names = (
            "n_factors n_layers loss free_people learning_rate weight_decay temperature "
            "edge_dropout batch_size n_epochs eval_every patience min_rating"
        )
        return {name: getattr(self, name) for name in names.split()}

    def to_arrays(self) -> dict[str, NDArray]:
        return {"fold_in": self.fold_in, "item_vectors": self.item_vectors, "seen": self.seen}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        model = cls(**params)
        model.fold_in, model.item_vectors = arrays["fold_in"], arrays["item_vectors"]
        model.seen = arrays["seen"]
        model.n_items = len(model.seen)
        return model


def softmax_loss(
    final: list[torch.Tensor], batch: list[torch.Tensor], *, temperature: float
) -> torch.Tensor:
    """Mean over people of the mean -log softmax of their films, on cosines over ``temperature``.

    ``batch``: people int64[n], how many films each has int64[n], the films one after the other.
    """
    import torch
    from torch.nn import functional

    people, counts, films = batch
    left = functional.normalize(final[0][people], dim=1)
    right = functional.normalize(final[1], dim=1)
    likelihood = functional.log_softmax(left @ right.T / temperature, dim=1)
    rows = torch.repeat_interleave(torch.arange(len(people)), counts)
    return -(likelihood[rows, films] / counts[rows]).sum() / len(people)


def bpr_loss(final: list[torch.Tensor], batch: list[torch.Tensor]) -> torch.Tensor:
    """Mean of -log sigmoid(s_pos - s_neg); ``batch``: users, positives, negatives int64[n]."""
    from torch.nn import functional

    users, positive, negative = batch
    difference = (final[0][users] * (final[1][positive] - final[1][negative])).sum(dim=1)
    return functional.softplus(-difference).mean()


def _gradient(part: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.zeros_like(part) if part.grad is None else part.grad


def _not_in(
    train: sparse.csr_matrix, users: NDArray[np.integer], rng: np.random.Generator
) -> NDArray[np.int64]:
    """A random film per user that the user doesn't have (after ten tries, any film)."""
    n_items = train.shape[1]
    keys = np.repeat(np.arange(train.shape[0]), np.diff(train.indptr)) * np.int64(n_items)
    known = np.sort(keys + train.indices)
    drawn = rng.integers(n_items, size=len(users))
    for _ in range(10):
        wanted = users * np.int64(n_items) + drawn
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        taken = known[at] == wanted
        if not taken.any():
            break
        drawn[taken] = rng.integers(n_items, size=int(taken.sum()))
    return drawn
