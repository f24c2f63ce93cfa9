"""Do off-policy estimates tell the truth? Coverage of their 95 % intervals in the simulator.

    python benchmarks/off_policy.py

People of the simulator are shown lists of one policy (EASE) with chance in the tail; clicks and
exact propensities are logged. From that log alone three estimators say what other policies would
have earned on the same places; the simulator knows the truth. Written to
``benchmarks/results/off_policy.json`` and printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ml.experiments.exploration import Exploration, tail_shuffle  # noqa: E402
from ml.experiments.off_policy import Logged, off_policy, reward_table  # noqa: E402
from ml.models.registry import create  # noqa: E402
from ml.retrieval import history_mask  # noqa: E402
from ml.simulation import Behaviour, click_chance, made_world, people_of, watched  # noqa: E402
from ml.types import Histories  # noqa: E402

RESULT = Path(__file__).parent / "results" / "off_policy.json"
N_SHOWN = 10
HOW = Exploration(epsilon=0.5, first=2, reserve=8)
LOW, HIGH = 0.93, 0.97
ESTIMATORS = ("ips", "snips", "dr")


@dataclass(frozen=True)
class Stage:
    """``ranking`` int[n, m] the logging policy's candidates; ``chance`` float[n, m, places] the
    true chance of a click on each of them at each shuffled place; ``targets`` int[n, places] by
    policy: which candidate it puts there."""

    ranking: NDArray[np.int32]
    chance: NDArray[np.float64]
    targets: dict[str, NDArray[np.int64]]


def stage_of(*, seed: int, n_people: int, n_items: int = 400, n_past: int = 1500) -> Stage:
    """EASE logs; judged are popularity, and ALS, each within EASE's window."""
    rng = np.random.default_rng(seed)
    world = made_world(n_items=n_items, rng=rng)
    crowd = people_of(world, n_past + n_people, rng)
    log = watched(crowd, rng)
    learned = log.select(log.user_index < n_past)
    others = np.arange(n_past, n_past + n_people)
    histories = Histories.from_interactions(log, users=others)
    exclude = history_mask(histories, n_items)
    window = N_SHOWN + HOW.reserve
    ease = create("ease", {}).fit(learned, seed=seed)
    ranking = ease.recommend(histories, window, exclude=exclude).item_index
    liking = np.take_along_axis(crowd.liking(others), ranking.astype(np.int64), axis=1)
    places = [
        click_chance(np.repeat(liking[:, :, None], N_SHOWN, axis=2), Behaviour())[:, :, place]
        for place in range(HOW.first, N_SHOWN)
    ]
    targets = {}
    for name in ("popularity", "als"):
        scores = create(name, {}).fit(learned, seed=seed).score(histories)
        of_window = np.take_along_axis(scores, ranking.astype(np.int64), axis=1)[:, HOW.first :]
        best = np.argsort(-of_window, axis=1, kind="stable")[:, : N_SHOWN - HOW.first]
        targets[name] = best + HOW.first
    return Stage(ranking, np.stack(places, axis=2), targets)


def truth_of(stage: Stage, target: NDArray[np.int64]) -> float:
    """The expected clicks per place of a policy, over everybody."""
    places = np.arange(target.shape[1])
    return float(stage.chance[np.arange(len(target))[:, None], target, places[None, :]].mean())


def run(stage: Stage, target: NDArray[np.int64], *, n_lists: int, rng: Any) -> Any:
    """One log of ``n_lists`` lists, and what it says of ``target``."""
    people = rng.integers(len(stage.ranking), size=n_lists)
    n_ranked, n_places = stage.ranking.shape[1], N_SHOWN - HOW.first
    explored = [tail_shuffle(n_ranked, N_SHOWN, HOW, rng) for _ in range(n_lists)]
    shown = np.array([e.order[HOW.first :] for e in explored])
    logged = np.array([e.propensity[HOW.first :] for e in explored])
    places = np.broadcast_to(np.arange(n_places), shown.shape)
    reward = (rng.random(shown.shape) < stage.chance[people[:, None], shown, places]).astype(float)
    wanted = target[people]
    # The reward model: clicks by place and by where the logging policy ranked the film, learned on
    # the other half of the lists.
    half = np.arange(n_lists) % 2
    at_shown, at_target = np.empty(shown.shape), np.empty(shown.shape)
    for fold in (0, 1):
        mine = half == fold
        table = reward_table(
            shown[~mine].ravel(),
            places[~mine].ravel(),
            reward[~mine].ravel(),
            shape=(n_ranked, n_places),
        )
        at_shown[mine] = table[shown[mine], places[mine]]
        at_target[mine] = table[wanted[mine], places[mine]]
    return off_policy(
        Logged(
            reward=reward.ravel(),
            logged=logged.ravel(),
            target=(shown == wanted).astype(float).ravel(),
            group=np.repeat(np.arange(n_lists), n_places),
        ),
        predicted_shown=at_shown.ravel(),
        predicted_target=at_target.ravel(),
    )


def main() -> int:
    """0 where SNIPS and DR cover within the promise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--lists", type=int, default=2000, help="lists in each log")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.runs < 2 or options.lists < 10:
        parser.error("--runs must be 2 or more, --lists 10 or more")
    stage = stage_of(seed=options.seed, n_people=4000)
    console = Console(stderr=True)
    rows: list[dict[str, Any]] = []
    for name, target in stage.targets.items():
        truth = truth_of(stage, target)
        found = [
            run(stage, target, n_lists=options.lists, rng=np.random.default_rng([options.seed, i]))
            for i in track(range(options.runs), name, console=console)
        ]
        for estimator in ESTIMATORS:
            values = [getattr(one, estimator) for one in found]
            covered = float(np.mean([v.lo <= truth <= v.hi for v in values]))
            rows.append(
                {"policy": name, "estimator": estimator, "truth": round(truth, 5)}
                | {"mean": round(float(np.mean([v.mean for v in values])), 5)}
                | {"width": round(float(np.mean([v.hi - v.lo for v in values])), 5)}
                | {"coverage": covered}
            )
    show(rows, options)
    wrong = [r for r in rows if r["estimator"] != "ips" and not LOW <= r["coverage"] <= HIGH]
    return 1 if wrong else 0


def show(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """The table, and the file."""
    table = Table(
        "judged policy", "estimator", "truth", "mean", "width of interval", "covers truth"
    )
    for row in rows:
        table.add_row(
            *(row["policy"], row["estimator"], f"{row['truth']:.4f}", f"{row['mean']:.4f}"),
            *(f"{row['width']:.4f}", f"{row['coverage']:.3f}"),
        )
    Console(width=110).print(table)
    content = {
        "date": datetime.now(UTC).date().isoformat(),
        "runs": options.runs,
        "lists": options.lists,
        "seed": options.seed,
        "promise": [LOW, HIGH],
        "rows": rows,
    }
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
