"""LightGCN against a dense reference written from the paper's equations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse

from ml.models.lightgcn import LightGCN, bpr_loss, softmax_loss
from ml.models.propagation import Graph, ridge_map
from ml.models.training import EarlyStopping, Epoch, hold_out
from ml.types import Histories
from tests.ml.data import histories, two_tastes

N_USERS, N_ITEMS, D = 12, 9, 4


def some_graph(seed: int = 0) -> sparse.csr_matrix:
    rng = np.random.default_rng(seed)
    return sparse.csr_matrix((rng.random((N_USERS, N_ITEMS)) < 0.4).astype(np.float32))


def dense_mean(matrix: sparse.csr_matrix, start: torch.Tensor, n_layers: int) -> torch.Tensor:
    """Mean over layers of (D^-1/2 A D^-1/2)^l E with A the (users + films) adjacency."""
    x = torch.from_numpy(matrix.toarray())
    n = sum(matrix.shape)
    adjacency = torch.zeros(n, n)
    adjacency[: x.shape[0], x.shape[0] :] = x
    adjacency[x.shape[0] :, : x.shape[0]] = x.T
    degree = adjacency.sum(dim=1).clamp(min=1)
    smooth = adjacency / torch.sqrt(degree[:, None] * degree[None, :])
    layers = [start]
    for _ in range(n_layers):
        layers.append(smooth @ layers[-1])
    return torch.stack(layers).mean(dim=0)


@pytest.mark.parametrize("n_layers", [0, 1, 3])
def test_propagation_equals_powers_of_the_normalised_adjacency(n_layers: int) -> None:
    matrix = some_graph()
    start = torch.randn(N_USERS + N_ITEMS, D, generator=torch.Generator().manual_seed(0))
    wanted = dense_mean(matrix, start, n_layers)
    users, items = Graph(matrix, n_layers).propagate(start[:N_USERS], start[N_USERS:])
    torch.testing.assert_close(users, wanted[:N_USERS], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(items, wanted[N_USERS:], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("loss", ["bpr", "softmax"])
def test_a_step_follows_the_gradient_of_the_dense_model(loss: str) -> None:
    """The shortcut (the graph is its own gradient) against autograd through the dense model."""
    matrix = some_graph(1)
    model = LightGCN(loss=loss, n_layers=3, weight_decay=0.01, temperature=0.5)
    start = torch.randn(N_USERS + N_ITEMS, D, generator=torch.Generator().manual_seed(1))
    people = np.flatnonzero(np.diff(matrix.indptr))[:5]
    rows = matrix[people]
    batch = {
        "bpr": (np.array([0, 1, 1]), np.array([2, 3, 4]), np.array([5, 0, 8])),
        "softmax": (people, np.diff(rows.indptr), rows.indices),
    }[loss]
    free = (start[:N_USERS].clone().requires_grad_(), start[N_USERS:].clone().requires_grad_())
    model._step(Graph(matrix, 3), free, torch.optim.SGD(free, lr=1.0), batch)

    dense = start.clone().requires_grad_()
    final = dense_mean(matrix, dense, 3)
    tensors = [torch.from_numpy(np.asarray(b, dtype=np.int64)) for b in batch]
    both = [final[:N_USERS], final[N_USERS:]]
    if loss == "bpr":
        u, i, j = tensors
        margin = (both[0][u] * both[1][i]).sum(1) - (both[0][u] * both[1][j]).sum(1)
        value = -torch.log(torch.sigmoid(margin)).mean()
        drawn = [dense[u], dense[N_USERS + i], dense[N_USERS + j]]
    else:
        u, _, films = tensors
        cosine = torch.nn.functional.cosine_similarity(
            both[0][u][:, None, :], both[1][None, :, :], dim=2
        )
        shares = torch.softmax(cosine / 0.5, dim=1)
        value = -torch.stack(
            [
                torch.log(shares[r, torch.from_numpy(matrix[[p]].indices)]).mean()
                for r, p in enumerate(people)
            ]
        ).mean()
        drawn = [dense[u], dense[N_USERS + films]]
    decay = sum(part.square().sum() for part in drawn) / (2 * len(batch[-1]))
    (value + 0.01 * decay).backward()
    moved = start - torch.cat([part.detach() for part in free])
    assert dense.grad is not None
    assert dense.grad.abs().max() > 1e-3
    torch.testing.assert_close(moved, dense.grad, atol=1e-6, rtol=1e-4)


def test_losses_have_their_known_values() -> None:
    same = [torch.zeros(2, 3), torch.zeros(4, 3)]
    index = torch.tensor([0, 1])
    assert float(bpr_loss(same, [index, index, index])) == pytest.approx(np.log(2))
    value = softmax_loss(
        same, [index, torch.tensor([1, 2]), torch.tensor([0, 1, 2])], temperature=1
    )
    assert float(value) == pytest.approx(np.log(4))


@pytest.mark.parametrize("loss", ["softmax", "bpr"])
def test_without_free_people_a_known_person_and_their_history_score_alike(loss: str) -> None:
    events = two_tastes()
    model = LightGCN(n_factors=8, n_epochs=6, loss=loss).fit(events, seed=2)
    users = np.arange(10)
    from_history = model.score(histories(events, users.tolist()))
    seen = np.isfinite(from_history[0])
    np.testing.assert_allclose(
        from_history[:, seen], model.score_known(users)[:, seen], rtol=1e-4, atol=1e-5
    )


def test_fold_in_predicts_the_free_part_of_people() -> None:
    rng = np.random.default_rng(0)
    given, mapping = rng.normal(size=(50, 3)), rng.normal(size=(3, 2))
    found = ridge_map(given.astype(np.float32), (given @ mapping).astype(np.float32))
    np.testing.assert_allclose(found, mapping, atol=5e-3)
    events = two_tastes()
    model = LightGCN(n_factors=8, n_epochs=20, loss="bpr", free_people=True).fit(events, seed=2)
    users = np.arange(20)
    scores = model.score(histories(events, users.tolist()))
    known = model.score_known(users)
    seen = np.isfinite(scores[0])
    likeness = [np.corrcoef(scores[i, seen], known[i, seen])[0, 1] for i in users]
    assert np.mean(likeness) > 0.8


def test_progress_is_told_and_training_stops_early() -> None:
    told: list[Epoch] = []
    model = LightGCN(n_factors=4, n_epochs=60, eval_every=1, patience=2, progress=told.append)
    model.fit(two_tastes(), seed=0)
    assert [e.epoch for e in told] == list(range(1, len(told) + 1))
    assert len(told) < 60
    assert told[-1].loss < told[0].loss
    best = int(np.argmax([e.quality or 0.0 for e in told]))
    assert len(told) - 1 - best == 2


def test_early_stopping_keeps_the_best_state() -> None:
    stopping = EarlyStopping(patience=2)
    answers = [stopping.update(q, e, lambda e=e: e) for e, q in enumerate([0.1, 0.3, 0.2, 0.3])]
    assert answers == [False, False, False, True]
    assert (stopping.state, stopping.best_epoch, stopping.best) == (1, 1, 0.3)


def test_the_internal_validation_takes_its_entries_out_of_training() -> None:
    rng = np.random.default_rng(0)
    matrix = sparse.csr_matrix((rng.random((40, 300)) < 0.05).astype(np.float32))
    held = hold_out(matrix, rng)
    assert held is not None
    assert held.truth.nnz > 0
    assert held.train.nnz + held.truth.nnz == matrix.nnz
    assert held.train[held.users].multiply(held.truth).nnz == 0
    assert matrix[held.users].multiply(held.truth).nnz == held.truth.nnz
    truth = held.truth.toarray()
    assert held.recall(lambda users: truth[np.searchsorted(held.users, users)]) == 1.0
    assert held.recall(lambda users: -truth[np.searchsorted(held.users, users)]) < 0.2
    assert hold_out(sparse.csr_matrix((3, 4), dtype=np.float32), rng) is None


def test_a_dislike_speaks_against_its_neighbours() -> None:
    model = LightGCN(n_factors=8, n_epochs=20).fit(two_tastes(), seed=1)
    liked = model.score(Histories.from_lists([[0, 1, 2]]))[0]
    torn = model.score(Histories.from_lists([[0, 1, 2, 30]], weights=[[1, 1, 1, -1]]))[0]
    assert (torn[24:48] - liked[24:48]).mean() < 0
