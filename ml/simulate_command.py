"""``python -m ml simulate``: policies in the long run, on invented people over real films."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from ml.data import Dataset, load_ratings
from ml.models.als import Als
from ml.models.registry import create
from ml.recipes import recipe_of
from ml.simulation import (
    Behaviour,
    Floats,
    World,
    leanings_of,
    made_world,
    people_of,
    unit_factors,
    watched,
)
from ml.simulation_rounds import Plan, Round, Tell, run_rounds
from ml.types import Histories

FACTORS = 16
LIKED = 4.0  # stars
FROZEN = ":frozen"
MADE_FILMS = 500


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The options of ``simulate``."""
    command.add_argument(
        "--data", type=Path, help="folder or file of ratings, for the films; else invented films"
    )
    command.add_argument(
        "--models",
        default=f"ease,popularity{FROZEN}",
        help="comma-separated; NAME:frozen is never trained again",
    )
    command.add_argument("--people", type=positive, default=1000)
    command.add_argument("--rounds", type=positive, default=30)
    command.add_argument("--shown", type=positive, default=10, help="films on a list")
    command.add_argument("--keep", type=share, default=0.97, help="of each taste, round to round")
    command.add_argument("--visits", type=share, default=0.3, help="share of people per round")
    command.add_argument(
        "--refit-after", type=positive, default=500, help="new clicks that train a policy again"
    )
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--json", type=Path, help="file for the rounds")


def positive(text: str) -> int:
    """A whole number above 0, for argparse."""
    try:
        number = int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from error
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number


def share(text: str) -> float:
    """A number from 0 to 1, for argparse."""
    try:
        number = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from error
    if not 0.0 <= number <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return number


def world_of(data: Dataset | None, *, seed: int) -> tuple[World, Floats | None]:
    """Films of a data set, as ALS sees them and as often as they were rated, and how its people's
    tastes are spread; or invented films, without people."""
    if data is None:
        return made_world(n_items=MADE_FILMS, rng=np.random.default_rng(seed)), None
    events = data.interactions
    liked = events.select(events.rating >= LIKED)
    model = Als(n_factors=FACTORS, n_epochs=8).fit(liked, seed=seed)
    counts = np.bincount(events.item_index, minlength=len(data.items))
    vectors = model.user_vectors_of_many(Histories.from_interactions(liked))
    return World(unit_factors(model.item_factors), np.log1p(counts)), leanings_of(vectors)


def simulate(options: argparse.Namespace, *, tell: Tell | None = None) -> list[Round]:
    """All rounds of all policies; each policy meets the same people on the same days.

    Raises ml.data.DataError, ml.models.registry.UnknownModelError.
    """
    data = load_ratings(options.data) if options.data else None
    rng = np.random.default_rng(options.seed)
    world, directions = world_of(data, seed=options.seed)
    people = people_of(world, options.people, rng, directions=directions)
    past = watched(people, rng)
    found: list[Round] = []
    for label in (part.strip() for part in options.models.split(",") if part.strip()):
        recipe = recipe_of(label.removesuffix(FROZEN), "")
        found += run_rounds(
            label,
            lambda recipe=recipe: create(recipe.model, recipe.params),  # type: ignore[misc]
            people,
            past,
            Plan(
                n_rounds=options.rounds,
                n_shown=options.shown,
                keep=options.keep,
                visits=options.visits,
                refit_after=None if label.endswith(FROZEN) else options.refit_after,
            ),
            behaviour=Behaviour(),
            seed=options.seed,
            tell=tell,
        )
    return found


def show(rounds: list[Round], path: Path | None) -> None:
    """A table of fifths of the time per policy, and all rounds as JSON where wished."""
    table = Table("policy", "rounds", "lists", "trained again", "positive rate", "coverage")
    for policy in dict.fromkeys(found.policy for found in rounds):
        of_policy = [found for found in rounds if found.policy == policy]
        for part in np.array_split(np.arange(len(of_policy)), min(5, len(of_policy))):
            some = [of_policy[i] for i in part]
            n_lists = [found.n_lists for found in some]
            rate = np.average([found.positive_rate for found in some], weights=n_lists)
            table.add_row(
                policy,
                f"{some[0].number + 1}-{some[-1].number + 1}",
                str(sum(n_lists)),
                str(some[-1].n_refits),
                f"{rate:.4f}",
                f"{np.mean([found.coverage for found in some]):.3f}",
            )
    Console().print(table)
    if path is not None:
        content = [found.to_json() for found in rounds]
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
