"""Models x protocols x seeds on one data set: what the command line and the benchmarks run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ml.cluster_slices import cluster_slices
from ml.data import Dataset, load_ratings
from ml.evaluation import Progress, Result, measure, silent
from ml.evaluation_ratings import evaluate_ratings, rating_tasks
from ml.facts import load_facts
from ml.idmap import IdMap
from ml.items import load_item_features
from ml.models.registry import MODELS, RATING_MODELS, UnknownModelError, load_class
from ml.protocols import RATING, Task, tasks_of
from ml.recipes import fit_recipe, recipe_of
from ml.shelf import FittedOnce
from ml.text import SentenceTransformerEncoder
from ml.types import ItemFeatures


@dataclass(slots=True)
class Source:
    """A data set on disk, read once per kind of reading.

    ``facts`` is a table of film records (:mod:`ml.facts`): text vectors, people and keywords join
    the genres and years of the folder's own list. ``text_cache`` keeps the vectors (an .npz).
    """

    path: Path
    facts: Path | None = None
    text_cache: Path | None = None
    _read: dict[bool, tuple[Dataset, ItemFeatures]] = field(default_factory=dict)

    def load(self, *, ordered_only: bool) -> tuple[Dataset, ItemFeatures]:
        """The ratings and the films' facts; raises DataError."""
        if ordered_only not in self._read:
            data = load_ratings(self.path, ordered_only=ordered_only)
            self._read[ordered_only] = (data, self._features(data.items))
        return self._read[ordered_only]

    def _features(self, items: IdMap) -> ItemFeatures:
        if self.facts is None:
            return load_item_features(self.path, items)
        encoder = SentenceTransformerEncoder()
        return load_facts(
            self.path, items, table=self.facts, encoder=encoder, cache=self.text_cache
        )


def check_names(models: Sequence[str], protocols: Sequence[str]) -> None:
    """Raise UnknownModelError or UnknownProtocolError before any work is done."""
    tasks_of([name for name in protocols if name != RATING])
    for protocol in protocols:
        for label in models:
            if protocol != RATING:
                recipe_of(label, protocol)
            elif label not in RATING_MODELS:
                known = ", ".join(sorted(RATING_MODELS))
                hint = "ranks and predicts no stars" if label in MODELS else "is no known model"
                raise UnknownModelError(f"{label!r} {hint}; protocol 'rating' knows: {known}")


def run(
    source: Source,
    *,
    models: Sequence[str],
    protocols: Sequence[str],
    seeds: Sequence[int],
    shelf: Path | None = None,
    on_progress: Callable[[str], Progress] | None = None,
) -> Iterator[Result]:
    """Results one by one. ``on_progress(title)`` gives the callback for each model on each task;
    ``shelf`` is where :class:`FittedOnce` keeps what is dear to fit."""
    check_names(models, protocols)
    start = on_progress or (lambda title: silent)
    for protocol in protocols:
        for seed in seeds:
            if protocol == RATING:
                yield from _run_ratings(source, models, seed=seed, start=start)
                continue
            fit = FittedOnce(shelf)  # lengths of `sparse` share one training set
            for task in tasks_of([protocol]):
                yield from _run_task(source, task, models, seed=seed, start=start, fit=fit)


def _run_task(
    source: Source,
    task: Task,
    models: Sequence[str],
    *,
    seed: int,
    start: Callable[[str], Progress],
    fit: FittedOnce,
) -> Iterator[Result]:
    data, features = source.load(ordered_only=task.needs_order)
    split = task.build(data, seed, "test")
    recipes = [recipe_of(label, task.family) for label in models]
    parts = cluster_slices(split, features)
    valid = task.validation(data, seed) if any(r.parts for r in recipes) else []
    for recipe in recipes:
        tell = start(f"{data.name} {task.name} seed {seed}: {recipe.label}")
        saved = fit.saved_s
        result = measure(
            lambda recipe=recipe: fit_recipe(  # type: ignore[misc]  # bound per turn of the loop
                recipe, split, task, valid, seed=seed, features=features, fit=fit
            ),
            split,
            label=recipe.label,
            features=features,
            parts=parts,
            on_progress=tell,
        )
        # Sources that were on the shelf cost what they cost when they were fitted.
        yield replace(result, fit_s=result.fit_s + fit.saved_s - saved)


def _run_ratings(
    source: Source, models: Sequence[str], *, seed: int, start: Callable[[str], Progress]
) -> Iterator[Result]:
    data, features = source.load(ordered_only=False)
    splits = rating_tasks(source.path, data, seed=seed)
    for label in models:
        kind = load_class(label)
        tell = start(f"{data.name} {RATING} seed {seed}: {label}")
        yield evaluate_ratings(
            kind, splits, label=label, seed=seed, features=features, on_progress=tell
        )
