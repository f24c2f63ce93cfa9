"""``manage.py replay_slate REQUEST_ID``: a stored list and the same list computed again."""

from __future__ import annotations

import uuid
from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from catalog.models import Movie
from feedback.models import Slate
from recommendations.replay import NotReproducibleError, Place, replay


class Command(BaseCommand):
    """Exit status 1 where the lists differ, or where the slate cannot be computed again."""

    help = "Compute a logged list again from its model version and the person's log, and compare."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("request_id", metavar="REQUEST_ID")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            request_id = uuid.UUID(options["request_id"])
        except ValueError as error:
            raise CommandError(f"{options['request_id']} is no request id.") from error
        slate = Slate.objects.select_related("user").filter(pk=request_id).first()
        if slate is None:
            raise CommandError(f"There is no slate {request_id}.")
        try:
            found = replay(slate)
        except NotReproducibleError as error:
            raise CommandError(f"Not reproducible: {error}") from error
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
