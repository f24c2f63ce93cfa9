"""``manage.py replay``: are logged lists computed again the same?

``--sample N`` draws N lists from the whole log by a seed; without it the latest ``--latest`` are
taken; a request id shows one list place by place.
"""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from typing import IO, Any, cast

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import track
from rich.table import Table

from catalog.models import Movie
from feedback.models import Slate
from recommendations.replay import NotReproducibleError, Place, Replay, Versions, replay

CHUNK = 200


class Command(BaseCommand):
    """Exit status 1 where a list differs, cannot be made again by id, or there was none."""

    help = "Compute logged lists again from model version, log and seed, and compare."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "request_id", nargs="?", metavar="REQUEST_ID", help="one list, place by place"
        )
        parser.add_argument("--sample", type=int, metavar="N", help="so many, drawn by --seed")
        parser.add_argument(
            "--latest", type=int, default=200, metavar="N", help="the latest N (200)"
        )
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["request_id"]:
            self._one(options["request_id"])
            return
        wanted = options["sample"] if options["sample"] is not None else options["latest"]
        if wanted < 1:
            raise CommandError("Ask for 1 list or more.")
        if options["sample"] is not None:
            self._many(_drawn(wanted, seed=options["seed"]))
        else:
            newest = Slate.objects.order_by("-created_at", "pk").values_list("pk", flat=True)
            self._many(list(newest[:wanted]))

    def _many(self, request_ids: list[uuid.UUID]) -> None:
        n_same = n_places = n_filled = 0
        worst = 0.0
        wrong: list[str] = []
        not_possible: Counter[str] = Counter()
        versions = Versions()
        for slate in self._slates(request_ids):
            try:
                found = replay(slate, versions)
            except NotReproducibleError as error:
                not_possible[str(error)] += 1
                continue
            if not found.is_same:
                wrong.append(str(slate.pk))
            elif found.places:
                n_same += 1
                n_places += len(found.places)
                worst = max(worst, found.worst)
            else:
                n_filled += 1
        n_all = n_same + len(wrong)
        self.stdout.write(
            f"Slates computed again: {n_all}; identical: {n_same}/{n_all} ({n_places} places, "
            f"largest difference of a score {worst:.1e})."
        )
        if n_filled:
            self.stdout.write(f"Nothing to compare: {n_filled} x only popular films filled it.")
        for reason, count in not_possible.most_common():
            self.stdout.write(f"Not reproducible: {count} x {reason}")
        if wrong:
            raise CommandError(f"{len(wrong)} differ, such as {', '.join(wrong[:5])}.")
        if not n_same:
            raise CommandError("There was no list of a model to compare.")

    def _slates(self, request_ids: list[uuid.UUID]) -> Iterable[Slate]:
        """With a bar where somebody watches; in blocks, so that memory stays flat."""
        console = Console(stderr=True)
        steps = track(
            range(0, len(request_ids), CHUNK),
            description="Computing lists again",
            console=console,
            disable=not console.is_terminal,
        )
        for start in steps:
            some = request_ids[start : start + CHUNK]
            yield from Slate.objects.select_related("user").filter(pk__in=some).order_by("pk")

    def _one(self, name: str) -> None:
        try:
            request_id = uuid.UUID(name)
        except ValueError as error:
            raise CommandError(f"{name} is no request id.") from error
        slate = Slate.objects.select_related("user").filter(pk=request_id).first()
        if slate is None:
            raise CommandError(f"There is no slate {request_id}.")
        try:
            found = replay(slate)
        except NotReproducibleError as error:
            raise CommandError(f"Not reproducible: {error}") from error
        self._show(slate, found)

    def _show(self, slate: Slate, found: Replay) -> None:
        console = Console(file=cast(IO[str], self.stdout))
        console.print(_table(slate, found.places))
        if found.n_filled:
            console.print(f"{found.n_filled} places were filled with popular films: not compared.")
        if not found.is_same:
            n_other = sum(not place.is_same for place in found.places)
            raise CommandError(f"{n_other} of {len(found.places)} places differ.")
        console.print(
            f"{len(found.places)} of {len(found.places)} places are the same, "
            f"scores within {found.worst:.1e}."
        )


def _drawn(n: int, *, seed: int) -> list[uuid.UUID]:
    """``n`` ids without return, or all there are."""
    everything = list(Slate.objects.order_by("pk").values_list("pk", flat=True))
    if len(everything) <= n:
        return everything
    at = np.random.default_rng(seed).choice(len(everything), size=n, replace=False)
    return [everything[i] for i in sorted(at)]


def _table(slate: Slate, places: tuple[Place, ...]) -> Table:
    wanted = {pk for place in places for pk in (place.stored_id, place.found_id) if pk}
    titles = dict(Movie.objects.filter(pk__in=wanted).values_list("pk", "title"))
    table = Table(title=f"{slate.surface} · {slate.policy} {slate.model_version}")
    for name in ("", "stored", "score", "computed again", "score", ""):
        table.add_column(name)
    for place in places:
        table.add_row(
            str(place.position + 1),
            titles.get(place.stored_id, str(place.stored_id)),
            _score(place.stored_score),
            titles.get(place.found_id or 0, "-"),
            _score(place.found_score),
            "" if place.is_same else "differs",
        )
    return table


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:.6f}"
