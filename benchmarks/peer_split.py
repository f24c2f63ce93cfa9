"""One peer on one of our splits: exported, fitted in the peer's own environment, measured here.

``python -m benchmarks.peer_split --data FOLDER --protocol NAME --seed N --peer NAME --python PATH
--json FILE --rows FOLDER``; called by quality.py. The peer sees the training events and the
histories and returns lists; our formulas measure them, as for every own model.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml.__main__ import write_rows
from ml.evaluation import BATCH_ROWS, DEPTH, batch_exclude, measure
from ml.models.base import Recommender
from ml.protocols import tasks_of
from ml.retrieval import top_k
from ml.runs import Source
from ml.split import RankingSplit
from ml.types import FloatArray, Histories, Interactions, ItemFeatures, ScoredItems

PEERS_SCRIPT = Path(__file__).resolve().parent / "peers.py"


class PeerLists(Recommender):
    """Plays back lists that were computed elsewhere, batch by batch in the split's order."""

    name = "peer"

    def __init__(self, items: NDArray[np.int32]) -> None:
        self.items = items
        self.next = 0

    def fit(
        self, interactions: Interactions, *, seed: int = 0, features: ItemFeatures | None = None
    ) -> Self:
        return self

    def score(self, histories: Histories) -> FloatArray:
        raise TypeError("a peer gives lists, no scores")

    def recommend(
        self, histories: Histories, k: int, exclude: sparse.csr_matrix | None = None
    ) -> ScoredItems:
        rows = self.items[self.next : self.next + len(histories), :k]
        self.next += len(histories)
        return ScoredItems(rows, np.zeros(rows.shape, dtype=np.float32))

    def params(self) -> dict[str, Any]:
        return {}

    def to_arrays(self) -> dict[str, NDArray]:
        return {"items": self.items}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray], params: dict[str, Any]) -> Self:
        return cls(arrays["items"])


def main() -> int:
    """Export, run the peer, measure, write the record."""
    top = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "python", "json", "rows"):
        top.add_argument(f"--{name}", type=Path, required=True)
    for name in ("protocol", "peer"):
        top.add_argument(f"--{name}", required=True)
    top.add_argument("--seed", type=int, required=True)
    options = top.parse_args()
    (task,) = tasks_of([options.protocol])
    data, features = Source(options.data).load(ordered_only=task.needs_order)
    split = task.build(data, options.seed, "test")
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "split.npz", Path(folder) / "scores.npy"
        export(split, given)
        result = measure(
            lambda: PeerLists(run_peer(options, split, given, answer)),
            split,
            label=options.peer,
            features=features,
        )
    options.json.write_text(json.dumps([result.to_json()], allow_nan=False))
    write_rows(options.rows, result)
    return 0


def export(split: RankingSplit, target: Path) -> None:
    """Training events and histories as plain arrays."""
    shown = split.histories.select(np.arange(len(split)))
    np.savez(
        target,
        user=split.train.user_index,
        item=split.train.item_index,
        shape=np.array([split.train.n_users, split.train.n_items]),
        indptr=shown.indptr,
        history=shown.item_index,
        user_index=split.user_index,
    )


def run_peer(
    options: argparse.Namespace, split: RankingSplit, given: Path, answer: Path
) -> NDArray[np.int32]:
    """int32[n, DEPTH]: the peer's best films, ours to leave out what may not be recommended."""
    command = [str(options.python), str(PEERS_SCRIPT), options.peer, str(given), str(answer)]
    subprocess.run([*command, str(options.seed)], check=True)  # noqa: S603  our own script
    scores = np.load(answer, mmap_mode="r", allow_pickle=False)
    parts = []
    for start in range(0, len(split), BATCH_ROWS):
        rows = np.arange(start, min(start + BATCH_ROWS, len(split)))
        barred = batch_exclude(split, split.histories.select(rows), rows)
        parts.append(top_k(np.asarray(scores[rows]), DEPTH, exclude=barred).item_index)
    return np.concatenate(parts)


if __name__ == "__main__":
    sys.exit(main())
