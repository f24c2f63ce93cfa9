"""Short-term intent: a causal transformer over the films in the order they were watched."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.models import transformer
from ml.models.base import Recommender
from ml.models.numpy_net import batches_of_windows, last_states
from ml.models.training import EarlyStopping, Epoch, Progress
from ml.types import FloatArray, Histories, IntArray, Interactions, ItemFeatures, LongArray

if TYPE_CHECKING:
    import torch

VALIDATION_USERS = 1000
VALIDATION_K = 10
WARM_UP_STEPS = 100
LAST_RATE = 0.1  # of the learning rate, at the end of its cosine


class Sequential(Recommender):
    """SASRec (Kang and McAuley 2018) trained with a sampled softmax.

    After each film of a person a causal self-attention state ``h`` predicts the next one:
    ``p(i) = softmax(h . e_i)``, its sum over the catalogue replaced by the true film and
    ``n_negatives`` uniform ones shared by the batch; with that loss SASRec is ahead of BERT4Rec
    (Klenitskiy and Vasilev, "Turning Dross Into Gold Loss", 2023; Petrov and Macdonald's gSASRec,
    2023). Each person's films are cut into windows of ``length`` at a new random offset every
    epoch; a step takes windows of ``batch_events`` films, padding included, whatever their lengths
    (ML-1M: with 16,384 twenty epochs came to less than eight with 4,096). The learning rate warms
    up and falls along a cosine. Early stopping watches NDCG@10 of the last film of up to 1,000
    people, held back from training.

    Only events of positive weight count, and only the last ``length`` of them. Not linear.
    """

    name = "sequential"

    def __init__(
        self,
        *,
        n_factors: int = 64,
        n_blocks: int = 2,
        n_heads: int = 1,
        length: int = 200,
        dropout: float = 0.1,
        n_negatives: int = 256,
        learning_rate: float = 1e-3,
        batch_events: int = 4096,
        n_epochs: int = 40,
        eval_every: int = 5,
        patience: int = 3,
        min_rating: float = 0.0,
        progress: Progress | None = None,
    ) -> None:
        if n_factors % n_heads:
            raise ValueError("n_factors must be a multiple of n_heads")
        self.n_factors = n_factors
        self.n_blocks = n_blocks
        self.n_heads = n_heads
        self.length = length
        self.dropout = dropout
        self.n_negatives = n_negatives
        self.learning_rate = learning_rate
        self.batch_events = batch_events
        self.n_epochs = n_epochs
        self.eval_every = eval_every
        self.patience = patience
        self.min_rating = min_rating
        self.progress = progress
        # Tensors while training, arrays where it was loaded: serving needs no torch.
        self._parameters: dict[str, Any] = {}

    # --- fitting -----------------------------------------------------------------------------

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        import torch

        events = interactions.select(interactions.rating >= self.min_rating)
        self.n_items = interactions.n_items
        self.seen = np.bincount(events.item_index, minlength=self.n_items) > 0
        histories = Histories.from_interactions(events)
        rng = np.random.default_rng(seed)
        with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
            torch.manual_seed(seed)
            generator = torch.Generator().manual_seed(seed)
            self._parameters = transformer.initial(
                n_items=self.n_items,
                length=self.length,
                n_factors=self.n_factors,
                n_blocks=self.n_blocks,
                generator=generator,
            )
            self._train(histories, rng)
        return self

    def _train(self, histories: Histories, rng: np.random.Generator) -> None:
        import torch

        people, stop = self._hold_out(histories, rng)
        tensors = [p.requires_grad_() for p in self._parameters.values()]
        optimiser = torch.optim.Adam(tensors, lr=self.learning_rate, betas=(0.9, 0.98))
        n_steps = max(1, sum(1 for _ in self._windows(histories, stop, rng)) * self.n_epochs)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _rate(n_steps))
        stopping = EarlyStopping(patience=self.patience)
        for epoch in range(1, self.n_epochs + 1):
            losses = []
            for films, lengths in self._windows(histories, stop, rng):
                loss = self._loss(films, lengths, rng)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                schedule.step()
                losses.append(float(loss.detach()))
            quality = None
            if len(people) and (epoch % self.eval_every == 0 or epoch == self.n_epochs):
                quality = self._validate(histories, people, stop)
            if self.progress is not None:
                mean = float(np.mean(losses)) if losses else 0.0
                self.progress(Epoch(epoch, self.n_epochs, mean, quality))
            if quality is not None and stopping.update(quality, epoch, self._state):
                break
        best = self._state() if stopping.state is None else stopping.state
        self._parameters = {name: torch.from_numpy(value) for name, value in best.items()}

    def _hold_out(
        self, histories: Histories, rng: np.random.Generator
    ) -> tuple[NDArray[np.intp], LongArray]:
        """People whose last film validates, and where everyone's training films end."""
        stop = histories.indptr[1:].copy()
        able = np.flatnonzero(np.diff(histories.indptr) >= 5)
        people = np.sort(rng.choice(able, min(VALIDATION_USERS, len(able) // 2), replace=False))
        stop[people] -= 1
        return people, stop

    def _windows(
        self, histories: Histories, stop: LongArray, rng: np.random.Generator
    ) -> Iterator[tuple[LongArray, LongArray]]:
        """One epoch: batches of films int64[n, width] (0 padding, films + 1) and their lengths.

        A window holds up to ``length + 1`` films, the inputs and the film after the last of them.
        Windows of similar length share a batch, batches come in random order.
        """
        starts: list[int] = []
        ends: list[int] = []
        for begin, end in zip(histories.indptr[:-1], stop, strict=True):
            n = int(end - begin)
            if n < 2:
                continue
            offset = int(rng.integers(min(n - 1, self.length))) if n > self.length + 1 else 0
            cuts = np.arange(end - 1 - offset, begin, -self.length)
            if offset:
                cuts = np.concatenate([[end - 1], cuts])
            starts.extend(np.append(cuts[1:], begin))
            ends.extend(cuts + 1)
        first, after = np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)
        size = after - first
        order = np.lexsort((rng.random(len(size)), size))
        pieces, begin = [], 0
        while begin < len(order):
            end = begin + 1
            while end < len(order) and (end + 1 - begin) * size[order[end]] <= self.batch_events:
                end += 1
            pieces.append(order[begin:end])
            begin = end
        for at in rng.permutation(len(pieces)):
            rows = pieces[at]
            yield _padded(histories.item_index, first[rows], size[rows]), size[rows]

    def _loss(self, films: LongArray, lengths: LongArray, rng: np.random.Generator) -> torch.Tensor:
        """Mean sampled cross-entropy of every next film in the windows."""
        import torch
        from torch.nn import functional

        batch = torch.from_numpy(films)
        hidden = self._states(batch[:, :-1], torch.from_numpy(lengths - 1), dropout=self.dropout)
        wanted = batch[:, 1:]
        is_event = wanted > 0
        hidden, target = hidden[is_event], wanted[is_event]
        negatives = torch.from_numpy(rng.integers(1, self.n_items + 1, size=self.n_negatives))
        items = self._parameters["items"]
        positive = (hidden * items[target]).sum(dim=1)
        scores = hidden @ items[negatives].T
        scores = scores.masked_fill(negatives[None, :] == target[:, None], -torch.inf)
        # Each negative stands for n_items / n_negatives films of the catalogue.
        weight = math.log(max(self.n_items - 1, 1) / self.n_negatives)
        total = torch.logaddexp(positive, torch.logsumexp(scores + weight, dim=1))
        return functional.relu(total - positive).mean()

    def _validate(self, histories: Histories, people: NDArray[np.intp], stop: LongArray) -> float:
        """NDCG@10 of the held-back film among all films the person hasn't seen."""
        gains = []
        for begin in range(0, len(people), 256):
            rows = people[begin : begin + 256]
            shown = [histories.item_index[histories.indptr[i] : stop[i]] for i in rows]
            scores = self.score(Histories.from_lists([items.tolist() for items in shown]))
            for i, items in enumerate(shown):
                scores[i, items] = -np.inf
            target = histories.item_index[stop[rows]]
            own = scores[np.arange(len(rows)), target]
            place = (scores > own[:, None]).sum(axis=1)
            gains.append(np.where(place < VALIDATION_K, 1.0 / np.log2(place + 2.0), 0.0))
        return float(np.concatenate(gains).mean())

    # --- scoring -----------------------------------------------------------------------------

    def score(self, histories: Histories) -> FloatArray:
        """By numpy: serving needs no torch."""
        known = (histories.item_index >= 0) & (histories.item_index < self.n_items)
        known &= histories.weight > 0
        known[known] = self.seen[histories.item_index[known]]
        rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
        counts = np.bincount(rows[known], minlength=len(histories)).astype(np.int64)
        scores = np.full((len(histories), self.n_items), -np.inf, dtype=np.float32)
        active = np.flatnonzero(counts)
        weights = self._arrays()
        end = np.cumsum(counts)
        # Windows of like length share a batch: padding is wasted work.
        size = np.minimum(counts, self.length)
        for part in batches_of_windows(active, size):
            films = _padded(histories.item_index[known], end[part] - size[part], size[part])
            last = last_states(
                weights, films, size[part], n_heads=self.n_heads, n_blocks=self.n_blocks
            )
            scores[part] = last @ weights["items"][1:].T
        scores[:, ~self.seen] = -np.inf
        return scores

    def _states(
        self, films: torch.Tensor, lengths: torch.Tensor, *, dropout: float = 0.0
    ) -> torch.Tensor:
        return transformer.states(
            self._parameters,
            films,
            lengths,
            n_heads=self.n_heads,
            n_blocks=self.n_blocks,
            dropout=dropout,
        )

    # --- state -------------------------------------------------------------------------------

    def _arrays(self) -> dict[str, NDArray]:
        """The parameters as arrays, without a copy: of tensors while training, else as loaded."""
        return {
            name: value if isinstance(value, np.ndarray) else value.detach().numpy()
            for name, value in self._parameters.items()
        }

    def _state(self) -> dict[str, NDArray]:
        return {name: value.copy() for name, value in self._arrays().items()}

    def params(self) -> dict[str, Any]:
        names = (
            "n_factors n_blocks n_heads length dropout n_negatives learning_rate batch_events "
            "n_epochs eval_every patience min_rating"
        )
        return {name: getattr(self, name) for name in names.split()}

    def to_arrays(self) -> dict[str, NDArray]:
        return {"seen": self.seen, **self._state()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        model = cls(**params)
        model.seen = arrays["seen"]
        model.n_items = len(model.seen)
        model._parameters = {name: value for name, value in arrays.items() if name != "seen"}
        return model


def _padded(item_index: IntArray, first: LongArray, size: LongArray) -> LongArray:
    """Films + 1 of each window [n, longest], zeros after its end."""
    steps = np.arange(int(size.max()))
    inside = steps[None, :] < size[:, None]
    at = np.where(inside, first[:, None] + steps[None, :], 0)
    return np.where(inside, item_index[at].astype(np.int64) + 1, 0)


def _rate(n_steps: int) -> Any:
    """Share of the learning rate at a step: linear warm-up, then a cosine down to a tenth."""

    def share(step: int) -> float:
        warm = min(1.0, (step + 1) / min(WARM_UP_STEPS, n_steps))
        done = min(1.0, step / n_steps)
        return warm * (LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * done)) / 2)

    return share
