"""What serves the networks is what was trained: numpy and torch agree, and torch stays out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ml.artifacts import save_artifact
from ml.models.numpy_net import batches_of_windows, last_states
from ml.models.registry import create
from ml.types import Histories
from tests.ml.data import item_features, two_tastes


def test_the_transformer_in_numpy_is_the_one_in_torch() -> None:
    torch = pytest.importorskip("torch")
    from ml.models import transformer

    generator = torch.Generator().manual_seed(3)
    given = transformer.initial(
        n_items=30, length=12, n_factors=16, n_blocks=2, generator=generator
    )
    noisy = {k: v + 0.3 * torch.randn(v.shape, generator=generator) for k, v in given.items()}
    films = np.array([[3, 7, 9, 0, 0], [1, 2, 4, 8, 16], [5, 0, 0, 0, 0]])
    lengths = np.array([3, 5, 1])
    with torch.no_grad():
        states = transformer.states(
            noisy, torch.from_numpy(films), torch.from_numpy(lengths), n_heads=2, n_blocks=2
        )
    expected = states[torch.arange(3), torch.from_numpy(lengths - 1)].numpy()
    arrays = {k: v.numpy() for k, v in noisy.items()}
    found = last_states(arrays, films, lengths, n_heads=2, n_blocks=2)
    assert np.allclose(found, expected, atol=1e-5)


def test_windows_of_a_batch_are_alike_and_all_are_there() -> None:
    size = np.array([0, 4000, 3, 90, 3, 200, 1])
    rows = np.flatnonzero(size)
    parts = list(batches_of_windows(rows, size))
    assert sorted(np.concatenate(parts).tolist()) == rows.tolist()
    assert all(len(part) * size[part].max() <= 4096 for part in parts)
    assert parts[-1].tolist() == [1]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("two_tower", {"n_factors": 8, "n_epochs": 2}),
        ("sequential", {"n_factors": 8, "length": 10, "n_negatives": 20, "n_epochs": 2}),
        ("lightgcn", {"n_factors": 8, "n_epochs": 2}),
    ],
)
def test_a_network_is_loaded_and_asked_without_torch(
    tmp_path: Path, name: str, params: dict[str, object]
) -> None:
    events = two_tastes()
    model = create(name, params).fit(events, seed=1, features=item_features(events.n_items))
    save_artifact(model, tmp_path / "model", metadata={})
    expected = model.score(Histories.from_lists([[1, 5, 9]]))
    np.save(tmp_path / "expected.npy", expected)
    code = (
        "import sys, pathlib, numpy as np\n"
        "from ml.artifacts import load_artifact\n"
        "from ml.types import Histories\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "model, _ = load_artifact(folder / 'model')\n"
        "scores = model.score(Histories.from_lists([[1, 5, 9]]))\n"
        "assert np.allclose(scores, np.load(folder / 'expected.npy'), atol=1e-6)\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
