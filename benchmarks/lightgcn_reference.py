"""Our LightGCN beside a plain one, written independently from the paper, on the same split.

    python -m benchmarks.lightgcn_reference --data DIR/ml-100k --seeds 1,2,3

The reference is deliberately plain: the equations as they stand, autograd through every layer, BPR
with one negative, Adam, the settings that Microsoft's Recommenders use for ML-100K (64 dimensions,
3 layers, batch 1,024, learning rate .005, decay 1e-4, 50 epochs), everybody scored by their own
trained vector. Beside it ours with the same settings and ours as it is served (people scored from
their films alone). Split ``ms-100k``, tested once.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ml import metrics
from ml.data import load_ratings, to_csr
from ml.models.lightgcn import LightGCN
from ml.protocols_users import ms_100k
from ml.retrieval import history_mask, top_k
from ml.split import RankingSplit
from ml.types import Interactions

EPOCHS, BATCH, RATE, DECAY, FACTORS, LAYERS = 50, 1024, 5e-3, 1e-4, 64, 3


def plain_lightgcn(events: Interactions, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Final embeddings of users and films."""
    torch.manual_seed(seed)
    seen = torch.from_numpy(to_csr(events).toarray() > 0).float()
    users_degree, items_degree = seen.sum(1).clamp(min=1), seen.sum(0).clamp(min=1)
    dense = seen / users_degree.sqrt()[:, None] / items_degree.sqrt()[None, :]
    smooth, back = dense.to_sparse(), dense.T.to_sparse()
    user = torch.nn.Parameter(0.1 * torch.randn(events.n_users, FACTORS))
    item = torch.nn.Parameter(0.1 * torch.randn(events.n_items, FACTORS))
    optimiser = torch.optim.Adam([user, item], lr=RATE)

    def final() -> tuple[torch.Tensor, torch.Tensor]:
        users: list[torch.Tensor] = [user]
        items: list[torch.Tensor] = [item]
        for _ in range(LAYERS):
            above = torch.sparse.mm(smooth, items[-1]), torch.sparse.mm(back, users[-1])
            users.append(above[0])
            items.append(above[1])
        return torch.stack(users).mean(0), torch.stack(items).mean(0)

    pairs = seen.nonzero()
    for _ in range(EPOCHS):
        for part in pairs[torch.randperm(len(pairs))].split(BATCH):
            people, liked = part.T
            other = torch.randint(events.n_items, (len(part),))
            while (hit := seen[people, other] > 0).any():
                other[hit] = torch.randint(events.n_items, (int(hit.sum()),))
            users, items = final()
            margin = (users[people] * (items[liked] - items[other])).sum(1)
            drawn = torch.cat([user[people], item[liked], item[other]])
            loss = torch.nn.functional.softplus(-margin).mean() + DECAY * drawn.square().sum() / (
                2 * len(part)
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    users, items = final()
    return users.detach().numpy(), items.detach().numpy()


def quality(split: RankingSplit, score: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
    """Mean nDCG@10 and Recall@10 of ``score(rows of the split)``."""
    rows = np.arange(len(split))
    mask = history_mask(split.histories.select(rows), split.train.n_items)
    best = top_k(score(rows).astype(np.float32), 10, exclude=mask).item_index
    return {
        "ndcg@10": float(np.nanmean(metrics.ndcg_at_k(best, split.truth, 10))),
        "recall@10": float(np.nanmean(metrics.recall_at_k(best, split.truth, 10))),
    }


def _from_history(model: LightGCN, split: RankingSplit, rows: np.ndarray) -> np.ndarray:
    return model.score(split.histories.select(rows))


def _from_own_vector(model: LightGCN, split: RankingSplit, rows: np.ndarray) -> np.ndarray:
    return model.score_known(split.user_index[rows])


def measure(data: Path, seed: int) -> list[dict[str, object]]:
    """The three models on the split of ``seed``."""
    split = ms_100k(load_ratings(data), seed=seed)
    same = LightGCN(
        loss="bpr",
        free_people=True,
        learning_rate=RATE,
        batch_size=BATCH,
        n_epochs=EPOCHS,
        weight_decay=DECAY,
        eval_every=EPOCHS,
    )
    found: list[dict[str, object]] = []

    def add(model: str, fit_s: float, score: Callable[[np.ndarray], np.ndarray]) -> None:
        head = {"model": model, "seed": seed, "split_sha256": split.sha256, "fit_s": fit_s}
        found.append(head | quality(split, score))

    start = time.perf_counter()
    users, items = plain_lightgcn(split.train, seed=seed)
    spent = time.perf_counter() - start
    add("plain reference", spent, lambda rows: users[split.user_index[rows]] @ items.T)
    for name, model in (("ours, its settings", same), ("ours, as served", LightGCN())):
        start = time.perf_counter()
        model.fit(split.train, seed=seed)
        spent = time.perf_counter() - start
        add(name, spent, partial(_from_history, model, split))
        if model is same:
            add(f"{name}, own vectors", spent, partial(_from_own_vector, model, split))
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="LightGCN beside a plain reference.")
    parser.add_argument("--data", type=Path, required=True, help="a folder with ML-100K")
    parser.add_argument("--seeds", default="1")
    parser.add_argument(
        "--out", type=Path, default=Path("benchmarks/results/lightgcn_reference.json")
    )
    given = parser.parse_args()
    found: list[dict[str, object]] = []
    for seed in given.seeds.split(","):
        found += measure(given.data, int(seed))
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(found, indent=1) + "\n")
    for row in found:
        print(
            f"seed {row['seed']}  {row['model']:32} nDCG@10 {row['ndcg@10']:.4f}  "
            f"Recall@10 {row['recall@10']:.4f}  fit {row['fit_s']:.0f} s"
        )


if __name__ == "__main__":
    main()
