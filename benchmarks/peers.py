"""Other projects' models on one of our splits; runs in the environment of requirements-peers.txt.

``python peers.py NAME split.npz scores.npy SEED`` writes float32 [n_rows, n_items] scores. Knows
nothing of our code, so that nothing of it can help or hinder a peer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from scipy import sparse

Split = dict[str, np.ndarray]


def train_matrix(split: Split) -> sparse.csr_matrix:
    """csr float32 [n_users, n_items] of ones."""
    ones = np.ones(len(split["user"]), dtype=np.float32)
    return sparse.csr_matrix((ones, (split["user"], split["item"])), shape=tuple(split["shape"]))


def history_matrix(split: Split) -> sparse.csr_matrix:
    """csr float32 [n_rows, n_items] of the histories."""
    ones = np.ones(len(split["history"]), dtype=np.float32)
    n_items = int(split["shape"][1])
    parts = (ones, split["history"], split["indptr"])
    return sparse.csr_matrix(parts, shape=(len(split["indptr"]) - 1, n_items))


def implicit_als(split: Split, seed: int, **settings: float) -> np.ndarray:
    """implicit's ALS; every row is folded in from its history, as a new user would be."""
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(random_state=seed, **settings)
    model.fit(train_matrix(split), show_progress=False)
    rows = history_matrix(split)
    users = model.recalculate_user(np.arange(rows.shape[0]), rows)
    return np.asarray(users @ model.item_factors.T, dtype=np.float32)


def implicit_bpr(split: Split, seed: int) -> np.ndarray:
    """implicit's BPR; known users only, new ones get the mean of their films' factors."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    model = BayesianPersonalizedRanking(random_state=seed)
    model.fit(train_matrix(split), show_progress=False)
    return _with_known_users(split, model.user_factors, model.item_factors)


def cornac_bpr(split: Split, seed: int) -> np.ndarray:
    """Cornac's BPR with the settings of Microsoft Recommenders' comparison."""
    import cornac

    triples = [(u, i, 1.0) for u, i in zip(split["user"], split["item"], strict=True)]
    data = cornac.data.Dataset.from_uir(triples, seed=seed)
    model = cornac.models.BPR(
        k=200, max_iter=200, learning_rate=0.01, lambda_reg=0.001, seed=seed, verbose=False
    )
    model.fit(data)
    n_users, n_items = (int(n) for n in split["shape"])
    users = np.zeros((n_users, 201), dtype=np.float32)
    items = np.zeros((n_items, 201), dtype=np.float32)
    for outer, inner in data.uid_map.items():
        users[outer] = [*model.u_factors[inner], 1.0]
    for outer, inner in data.iid_map.items():
        items[outer] = [*model.i_factors[inner], model.i_biases[inner]]
    items[np.abs(items).sum(axis=1) == 0, -1] = -1e6  # unknown to Cornac
    return _with_known_users(split, users, items)


def rectools_ease(split: Split, seed: int, *, regularization: float = 500.0) -> np.ndarray:
    """RecTools' EASE, every row scored from its history; 500 is its own default."""
    from rectools.models import EASEModel

    dataset, outer = _rectools_dataset(split)
    model = EASEModel(regularization=regularization)
    model.fit(dataset)
    n_items = int(split["shape"][1])
    scores = np.full((len(split["indptr"]) - 1, n_items), -1e6, dtype=np.float32)
    scores[:, outer] = history_matrix(split)[:, outer] @ model.weight.astype(np.float32)
    return scores


def rectools_svd(split: Split, seed: int, *, factors: int) -> np.ndarray:
    """RecTools' PureSVD; a row is folded in by the films' factors (x V V').

    Without its seed, which only starts the solver and which today's scipy refuses.
    """
    from rectools.models import PureSVDModel

    dataset, outer = _rectools_dataset(split)
    model = PureSVDModel(factors=factors)
    model.fit(dataset)
    n_items = int(split["shape"][1])
    scores = np.full((len(split["indptr"]) - 1, n_items), -1e6, dtype=np.float32)
    vectors = np.asarray(model.item_factors, dtype=np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=0), 1e-12)
    scores[:, outer] = history_matrix(split)[:, outer] @ vectors @ vectors.T
    return scores


def _rectools_dataset(split: Split) -> tuple[object, np.ndarray]:
    """RecTools' data set of the training events, and our position of each of its films."""
    import pandas as pd
    from rectools import Columns
    from rectools.dataset import Dataset

    frame = pd.DataFrame(
        {Columns.User: split["user"], Columns.Item: split["item"], Columns.Weight: 1.0}
    )
    frame[Columns.Datetime] = pd.Timestamp("2000-01-01")  # asked for, used by neither model
    dataset = Dataset.construct(frame)
    return dataset, np.asarray(dataset.item_id_map.external_ids)


def _with_known_users(split: Split, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    known = split["user_index"]
    rows = history_matrix(split)
    mean = rows @ items / np.maximum(np.diff(rows.indptr), 1)[:, None]
    vectors = np.where((known >= 0)[:, None], users[np.maximum(known, 0)], mean)
    return np.asarray(vectors @ items.T, dtype=np.float32)


PEERS: dict[str, Callable[[Split, int], np.ndarray]] = {
    "implicit-als-default": lambda split, seed: implicit_als(split, seed),
    # What our iALS uses as far as implicit has it (no nu, no alpha0): 128 factors, 16 epochs, seen
    # events weighing 10 times the rest, 1 / alpha0. Its penalty is untuned.
    "implicit-als-128": lambda split, seed: implicit_als(
        split, seed, factors=128, iterations=16, regularization=2.0, alpha=10.0
    ),
    "implicit-bpr": implicit_bpr,
    "cornac-bpr": cornac_bpr,
    "rectools-ease-default": rectools_ease,
    "rectools-ease": lambda split, seed: rectools_ease(split, seed, regularization=400.0),
    "rectools-svd": lambda split, seed: rectools_svd(split, seed, factors=64),
}


def main() -> int:
    """Fit the named peer and write its scores."""
    name, given, answer, seed = sys.argv[1:]
    with np.load(given, allow_pickle=False) as file:
        split = {key: file[key] for key in file.files}
    np.save(answer, PEERS[name](split, int(seed)).astype(np.float32), allow_pickle=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
