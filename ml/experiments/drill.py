"""The same two policies put to people both ways: how soon does each kind of experiment tell?

Every session is one list shown to a simulated person. Interleaving shows a draft of both policies'
lists; A/B shows one of them by a coin. Both are read after every session by the same confidence
sequences as on the site.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.experiments.arms import difference
from ml.experiments.interleaving import credits_of, preference, team_draft
from ml.experiments.sequential import N_TARGET, START, Path, mean_sequence
from ml.models.base import Recommender
from ml.models.registry import create
from ml.retrieval import history_mask
from ml.simulation import Behaviour, click_chance, made_world, people_of, watched
from ml.types import Histories


@dataclass(frozen=True, slots=True)
class Stage:
    """Two policies' lists for the same people: ``a`` and ``b`` int[n, k], ``liking`` [n, items]."""

    a: NDArray[np.int32]
    b: NDArray[np.int32]
    liking: NDArray[np.float64]
    behaviour: Behaviour

    def clicks_per_list(self) -> tuple[float, float]:
        """The truth: expected clicks on a list of each policy."""
        rates = [
            click_chance(np.take_along_axis(self.liking, lists, axis=1), self.behaviour)
            for lists in (self.a, self.b)
        ]
        return float(rates[0].sum(axis=1).mean()), float(rates[1].sum(axis=1).mean())


def set_stage(
    model_a: str,
    model_b: str,
    *,
    seed: int,
    n_items: int = 400,
    n_past: int = 1500,
    n_people: int = 2000,
    n_shown: int = 10,
    behaviour: Behaviour | None = None,
) -> Stage:
    """Fits both models on ``n_past`` people's histories and makes lists for ``n_people`` others."""
    rng = np.random.default_rng(seed)
    world = made_world(n_items=n_items, rng=rng)
    crowd = people_of(world, n_past + n_people, rng)
    log = watched(crowd, rng)
    learned = log.select(log.user_index < n_past)
    others = np.arange(n_past, n_past + n_people)
    histories = Histories.from_interactions(log, users=others)
    exclude = history_mask(histories, n_items)
    fitted: dict[str, Recommender] = {}
    lists = []
    for name in (model_a, model_b):
        if name not in fitted:
            fitted[name] = create(name, {}).fit(learned, seed=seed)
        lists.append(fitted[name].recommend(histories, n_shown, exclude=exclude).item_index)
    return Stage(lists[0], lists[1], crowd.liking(others), behaviour or Behaviour())


def interleaved(
    stage: Stage, n_sessions: int, rng: np.random.Generator, *, n_target: int = N_TARGET
) -> Path:
    """The path of B against A over ``n_sessions`` drafted lists."""
    people = rng.integers(len(stage.a), size=n_sessions)
    k = stage.a.shape[1]
    drafts = [
        team_draft(stage.a[person].tolist(), stage.b[person].tolist(), k, rng) for person in people
    ]
    shown = np.array([draft.items for draft in drafts])
    chance = click_chance(stage.liking[people[:, None], shown], stage.behaviour)
    is_clicked = rng.random(shown.shape) < chance
    values = [preference(*credits_of(draft.teams, is_clicked[i])) for i, draft in enumerate(drafts)]
    return mean_sequence(np.array(values), n_target=n_target, start=START)


def split(
    stage: Stage, n_sessions: int, rng: np.random.Generator, *, n_target: int = N_TARGET
) -> Path:
    """The path of B minus A in clicks per list over ``n_sessions`` lists of an A/B test."""
    people = rng.integers(len(stage.a), size=n_sessions)
    arm = rng.integers(2, size=n_sessions)
    shown = np.where(arm[:, None] == 1, stage.b[people], stage.a[people])
    chance = click_chance(stage.liking[people[:, None], shown], stage.behaviour)
    outcome = (rng.random(shown.shape) < chance).sum(axis=1)
    return difference(outcome, arm, n_target=n_target, start=START).path
