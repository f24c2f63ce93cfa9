"""The network of ``neural_rating``: trained by torch, applied by numpy.

Weights travel as a dict of arrays, so that predicting needs no torch and an artifact no pickle.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.models._side_info import centered_text
from ml.types import FloatArray, Interactions, ItemFeatures

if TYPE_CHECKING:
    import torch

NUMBER_WIDTHS = (16, 8)
ITEM_WIDTHS = (32, 16)
HEAD_WIDTHS = (128, 64)
PATIENCE = 2  # epochs without improvement on the held-out ratings before stopping
PRIOR_RATINGS = 5.0  # means of few ratings lean on the overall mean like this many
CHUNK_ROWS = 65_536
EMBEDDING_DECAY, DROPOUT = 1e-5, 0.2  # of the improved network, chosen on validation


@dataclass(frozen=True, slots=True)
class NetSettings:
    """Sizes and steps; see ``NeuralRating``."""

    dim: int
    n_epochs: int
    batch_size: int
    learning_rate: float
    improved: bool


@dataclass(frozen=True, slots=True)
class Numbers:
    """Sums from which a pair's scaled numbers come; the last row is the unknown person or film.

    In training the pair's own rating is taken out of the sums, or the mean would tell the answer.
    """

    user_sums: NDArray[np.float64]  # [n_users + 1, 3]: count, sum, sum of squares
    item_sums: NDArray[np.float64]
    year: FloatArray  # [n_items + 1], scaled
    totals: NDArray[np.float64]  # [3]

    @classmethod
    def of(cls, train: Interactions, features: ItemFeatures | None) -> Self:
        """From the training ratings and the films' years."""
        stars = train.rating.astype(np.float64)
        powers = np.stack([np.ones_like(stars), stars, stars**2])

        def sums(index: NDArray[np.integer], n: int) -> NDArray[np.float64]:
            return np.stack([np.bincount(index, p, minlength=n + 1) for p in powers], axis=1)

        year = np.zeros(train.n_items + 1, dtype=np.float32)
        if features is not None and features.year is not None:
            year[:-1] = np.nan_to_num((features.year - 1985.0) / 20.0)
        return cls(
            user_sums=sums(train.user_index, train.n_users),
            item_sums=sums(train.item_index, train.n_items),
            year=year,
            totals=powers.sum(axis=1),
        )

    def of_pairs(
        self,
        users: NDArray[np.integer],
        items: NDArray[np.integer],
        *,
        own: NDArray[np.floating] | None = None,
    ) -> FloatArray:
        """float32[n, 7]; ``own`` ratings are taken out (training)."""
        columns = []
        for sums in (self.user_sums[users], self.item_sums[items]):
            if own is not None:
                sums = sums - np.stack([np.ones_like(own), own, own**2], axis=1)
            columns += self._describe(sums)
        return np.stack([*columns, self.year[items]], axis=1).astype(np.float32)

    def _describe(self, sums: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        mean_all = self.totals[1] / self.totals[0]
        spread_all = np.sqrt(max(self.totals[2] / self.totals[0] - mean_all**2, 1e-4))
        count = sums[:, 0] + PRIOR_RATINGS
        mean = (sums[:, 1] + PRIOR_RATINGS * mean_all) / count
        second = (sums[:, 2] + PRIOR_RATINGS * (spread_all**2 + mean_all**2)) / count
        spread = np.sqrt(np.maximum(second - mean**2, 1e-4))
        scaled = [(mean - mean_all) / spread_all, spread / spread_all - 1.0]
        return [np.log1p(sums[:, 0]) / 3.0 - 1.0, *scaled]

    def to_arrays(self) -> dict[str, NDArray]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def item_inputs(features: ItemFeatures | None, n_items: int, *, with_text: bool) -> FloatArray:
    """float32[n_items + 1, g]: multi-hot genres (and text vectors); the last row is unknown."""
    blocks = [np.zeros((n_items, 1), dtype=np.float32)]
    if features is not None and features.genres is not None:
        blocks.append(features.genres)
    if with_text and features is not None and features.text is not None:
        blocks.append(centered_text(features.text) * 4.0)
    table = np.concatenate(blocks, axis=1)
    return np.concatenate([table, np.zeros((1, table.shape[1]))]).astype(np.float32)


def train_net(
    train: Interactions,
    held: Interactions,
    numbers: Numbers,
    inputs: FloatArray,
    settings: NetSettings,
    *,
    seed: int,
) -> dict[str, NDArray]:
    """The weights with the least squared error on ``held``."""
    import torch

    torch.manual_seed(seed)
    net = _Net(train.n_users, train.n_items, inputs.shape[1], settings)
    net.values["center"].fill_(float(train.rating.mean()))
    loose = [v for k, v in net.values.items() if "embedding" not in k and k != "center"]
    tables = [v for k, v in net.values.items() if "embedding" in k]
    for value in (*loose, *tables):
        value.requires_grad_(True)
    decay = EMBEDDING_DECAY if settings.improved else 0.0
    groups: list[dict[str, Any]] = [{"params": loose}, {"params": tables, "weight_decay": decay}]
    adam = torch.optim.Adam(groups, lr=settings.learning_rate)
    x = _tensors(train, numbers, own=train.rating)
    item_table, target = torch.from_numpy(inputs), torch.from_numpy(train.rating)
    generator = torch.Generator().manual_seed(seed)
    best, best_error, since = net.arrays(train), np.inf, 0
    for _ in range(settings.n_epochs):
        for rows in torch.randperm(len(train), generator=generator).split(settings.batch_size):
            users, items, own = (part[rows] for part in x)
            predicted = net.forward(users, items, own, item_table[items], training=True)
            loss = torch.mean((predicted - target[rows]) ** 2)
            adam.zero_grad()
            loss.backward()
            adam.step()
        weights = net.arrays(train)
        own_numbers = numbers.of_pairs(held.user_index, held.item_index)
        error = predict_net(weights, held.user_index, held.item_index, own_numbers, inputs)
        mean_error = float(np.mean((error - held.rating) ** 2))
        since = 0 if mean_error < best_error else since + 1
        if mean_error < best_error:
            best, best_error = weights, mean_error
        if since > PATIENCE:
            break
    return best


def _tensors(data: Interactions, numbers: Numbers, *, own: FloatArray) -> tuple[Any, Any, Any]:
    import torch

    given = numbers.of_pairs(data.user_index, data.item_index, own=own)
    users, items = (
        torch.from_numpy(a.astype(np.int64)) for a in (data.user_index, data.item_index)
    )
    return users, items, torch.from_numpy(given)


class _Net:
    """The weights as tensors, and the same formula as :func:`predict_net` for the gradient."""

    def __init__(self, n_users: int, n_items: int, n_inputs: int, settings: NetSettings) -> None:
        import torch

        self.settings = settings
        d = settings.dim
        joined = 2 * d + NUMBER_WIDTHS[-1] + ITEM_WIDTHS[-1]
        self.values: dict[str, torch.Tensor] = {
            "user_embedding": torch.randn(n_users + 1, d) * 0.05,
            "item_embedding": torch.randn(n_items + 1, d) * 0.05,
            "center": torch.zeros(1),
        }
        if settings.improved:
            self.values["user_bias_embedding"] = torch.zeros(n_users + 1, 1)
            self.values["item_bias_embedding"] = torch.zeros(n_items + 1, 1)
        for name, widths in (
            ("numbers", (7, *NUMBER_WIDTHS)),
            ("inputs", (n_inputs, *ITEM_WIDTHS)),
            ("head", (joined, *HEAD_WIDTHS, 1)),
        ):
            for layer, (a, b) in enumerate(zip(widths, widths[1:], strict=False)):
                self.values[f"{name}.{layer}.w"] = torch.randn(a, b) * float(np.sqrt(2.0 / a))
                self.values[f"{name}.{layer}.b"] = torch.zeros(b)
        last = f"head.{len(HEAD_WIDTHS)}.w"
        self.values[last] = self.values[last] * 0.1

    def forward(
        self,
        users: torch.Tensor,
        items: torch.Tensor,
        numbers: torch.Tensor,
        inputs: torch.Tensor,
        *,
        training: bool,
    ) -> torch.Tensor:
        import torch

        v, improved = self.values, self.settings.improved
        p, q = v["user_embedding"][users], v["item_embedding"][items]
        parts = [p, q, self._mlp("numbers", numbers), self._mlp("inputs", inputs)]
        joined = torch.cat(parts, dim=1)
        if improved:
            joined = torch.nn.functional.dropout(joined, DROPOUT, training=training)
        out = self._mlp("head", joined, is_open=True)[:, 0] + v["center"]
        if improved:
            biases = v["user_bias_embedding"][users] + v["item_bias_embedding"][items]
            out = out + biases[:, 0] + (p * q).sum(dim=1)
        return out

    def _mlp(self, name: str, x: torch.Tensor, *, is_open: bool = False) -> torch.Tensor:
        import torch

        n = sum(key.startswith(f"{name}.") and key.endswith(".w") for key in self.values)
        for layer in range(n):
            x = x @ self.values[f"{name}.{layer}.w"] + self.values[f"{name}.{layer}.b"]
            if layer < n - 1 or not is_open:
                x = torch.relu(x)
        return x

    def arrays(self, train: Interactions) -> dict[str, NDArray]:
        """Copies of the weights; the unknown person and film get the average of the known."""
        out = {name: value.detach().numpy().copy() for name, value in self.values.items()}
        for name, index in (("user", train.user_index), ("item", train.item_index)):
            for table in (f"{name}_embedding", f"{name}_bias_embedding"):
                if table in out:
                    n = len(out[table]) - 1
                    unseen = np.bincount(index, minlength=n + 1) == 0
                    out[table][unseen] = out[table][~unseen].mean(axis=0)
        return out


def predict_net(
    weights: dict[str, NDArray],
    users: NDArray[np.integer],
    items: NDArray[np.integer],
    numbers: FloatArray,
    inputs: FloatArray,
) -> FloatArray:
    """float32[n]: stars of (person, film) pairs, not clipped; ``numbers`` [n, 7], ``inputs`` the
    table of :func:`item_inputs`."""
    out = np.empty(len(users), dtype=np.float32)
    # What a film's inputs give does not depend on the person: once per film.
    of_item = _mlp(weights, "inputs", inputs)
    for start in range(0, len(users), CHUNK_ROWS):
        at = slice(start, start + CHUNK_ROWS)
        p, q = weights["user_embedding"][users[at]], weights["item_embedding"][items[at]]
        parts = [p, q, _mlp(weights, "numbers", numbers[at]), of_item[items[at]]]
        value = _mlp(weights, "head", np.concatenate(parts, axis=1), is_open=True)[:, 0]
        value = value + weights["center"]
        if "user_bias_embedding" in weights:
            value = value + weights["user_bias_embedding"][users[at], 0]
            value = value + weights["item_bias_embedding"][items[at], 0] + (p * q).sum(axis=1)
        out[at] = value
    return out


def _mlp(weights: dict[str, NDArray], name: str, x: NDArray, *, is_open: bool = False) -> NDArray:
    n = sum(key.startswith(f"{name}.") and key.endswith(".w") for key in weights)
    for layer in range(n):
        x = x @ weights[f"{name}.{layer}.w"] + weights[f"{name}.{layer}.b"]
        if layer < n - 1 or not is_open:
            x = np.maximum(x, 0.0)
    return x
