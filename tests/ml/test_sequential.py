"""The sequential model: order matters, the future doesn't leak, padding doesn't count."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ml.models import transformer
from ml.models.sequential import Sequential
from ml.models.training import Epoch
from ml.retrieval import history_mask
from ml.types import Histories, Interactions
from tests.ml.data import interactions

N_FILMS = 12


def circles(n_users: int = 120, length: int = 8) -> Interactions:
    """Everybody watches film i, then i + 1, ... around a circle, from a random start."""
    rng = np.random.default_rng(0)
    rows = [
        (user, int((start + step) % N_FILMS), 5.0, 1000 + step)
        for user, start in enumerate(rng.integers(0, N_FILMS, n_users))
        for step in range(length)
    ]
    return interactions(rows, n_users=n_users, n_items=N_FILMS)


def small(**settings: object) -> Sequential:
    given = {"n_factors": 16, "length": 6, "n_negatives": 8, "learning_rate": 0.01, "n_epochs": 40}
    return Sequential(**{**given, "dropout": 0.0, **settings})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def fitted() -> Sequential:
    return small(n_epochs=40).fit(circles(), seed=1)


def test_the_next_film_of_a_circle_is_found_from_the_last_one(fitted: Sequential) -> None:
    shown = Histories.from_lists([[(i - 1) % N_FILMS, i] for i in range(N_FILMS)])
    best = fitted.recommend(shown, 1, exclude=history_mask(shown, N_FILMS)).item_index[:, 0]
    assert best.tolist() == [(i + 1) % N_FILMS for i in range(N_FILMS)]


def test_order_changes_the_answer(fitted: Sequential) -> None:
    shown = Histories.from_lists([[2, 3, 4], [4, 3, 2]])
    forth, back = fitted.score(shown)
    assert not np.allclose(forth, back)
    best = fitted.recommend(shown, 1, exclude=history_mask(shown, N_FILMS)).item_index[:, 0]
    assert best[0] == 5


def test_only_the_last_films_count(fitted: Sequential) -> None:
    six = [3, 4, 5, 6, 7, 8]
    long, short = fitted.score(Histories.from_lists([[0, 1, 2, *six], six]))
    np.testing.assert_allclose(long, short, atol=1e-5)


def test_disliked_films_are_left_out(fitted: Sequential) -> None:
    with_dislike = Histories.from_lists([[2, 9, 3]], weights=[[1.0, -1.0, 1.0]])
    without = Histories.from_lists([[2, 3]])
    np.testing.assert_allclose(fitted.score(with_dislike), fitted.score(without), atol=1e-6)


def parameters() -> transformer.Parameters:
    return transformer.initial(
        n_items=20, length=8, n_factors=8, n_blocks=2, generator=torch.Generator().manual_seed(0)
    )


def test_states_do_not_see_the_future_nor_the_padding() -> None:
    settings = {"n_heads": 2, "n_blocks": 2}
    films = torch.tensor([[1, 2, 3, 4, 5]])
    changed = torch.tensor([[1, 2, 3, 9, 7]])
    length = torch.tensor([5])
    first = transformer.states(parameters(), films, length, **settings)
    second = transformer.states(parameters(), changed, length, **settings)
    torch.testing.assert_close(first[:, :3], second[:, :3])
    assert not torch.allclose(first[:, 3:], second[:, 3:])
    padded = torch.tensor([[1, 2, 3, 4, 5, 0, 0]])
    third = transformer.states(parameters(), padded, length, **settings)
    torch.testing.assert_close(first, third[:, :5])


def test_windows_cover_every_pair_of_neighbours_once() -> None:
    model = small(length=5)
    model.n_items = 40
    films = [list(range(17)), list(range(20, 26)), [30, 31], [35]]
    shown = Histories.from_lists(films)
    for seed in range(5):
        pairs = []
        windows = model._windows(shown, shown.indptr[1:].copy(), np.random.default_rng(seed))
        for batch, sizes in windows:
            for row, size in zip(batch, sizes, strict=True):
                assert 2 <= size <= 6
                assert (row[size:] == 0).all()
                own = row[:size] - 1
                pairs += list(zip(own[:-1].tolist(), own[1:].tolist(), strict=True))
        wanted = [p for row in films for p in zip(row[:-1], row[1:], strict=True)]
        assert sorted(pairs) == sorted(wanted)


def test_loss_of_a_blind_model_is_the_log_of_the_catalogue() -> None:
    model = small(n_negatives=500)
    model.n_items = 100
    model._parameters = {n: torch.zeros_like(p) for n, p in parameters().items()}
    model._parameters["items"] = torch.zeros(101, 8)
    batch = np.array([[1, 2, 3, 0]], dtype=np.int64)
    loss = model._loss(batch, np.array([3]), np.random.default_rng(0))
    assert float(loss) == pytest.approx(np.log(100), abs=0.02)


def test_training_is_told_and_leaves_the_global_generator_alone() -> None:
    told: list[Epoch] = []
    before = torch.random.get_rng_state()
    small(n_epochs=4, eval_every=2, progress=told.append, dropout=0.2).fit(circles(30), seed=3)
    assert torch.equal(before, torch.random.get_rng_state())
    assert [e.quality is None for e in told] == [True, False, True, False]
    assert told[-1].loss < told[0].loss


def test_heads_must_divide_the_factors() -> None:
    with pytest.raises(ValueError, match="multiple"):
        Sequential(n_factors=10, n_heads=3)
