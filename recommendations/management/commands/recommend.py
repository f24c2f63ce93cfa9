"""``manage.py recommend --user EMAIL``: the same list as the page and the API."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from accounts.models import User
from catalog.models import Movie
from recommendations.pipeline import DEFAULT_SOURCE, UnknownSourceError
from recommendations.ranked import RankedList
from recommendations.selectors import recommendations_for
from recommendations.serializers import recommendation_list


class Command(BaseCommand):
    """Prints a table; ``--json`` writes what the API would answer."""

    help = "Show somebody's recommendations with their reasons."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, metavar="EMAIL")
        parser.add_argument("--source", default=DEFAULT_SOURCE)
        parser.add_argument("--k", type=int, default=20, metavar="N", help="how many (1 to 100)")
        parser.add_argument(
            "--explain", action="store_true", help="print every part of every score"
        )
        parser.add_argument("--json", metavar="FILE", help="write JSON here (- for the screen)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["k"] <= 100:
            raise CommandError("--k must be from 1 to 100.")
        user = User.objects.filter(email__iexact=options["user"]).first()
        if user is None:
            raise CommandError(f"Nobody is registered as {options['user']}.")
        try:
            ranked = recommendations_for(user, n=options["k"], source=options["source"])
        except UnknownSourceError as error:
            raise CommandError(str(error)) from error
        body = recommendation_list(ranked)
        if options["json"] == "-":
            self.stdout.write(json.dumps(body, indent=2))
            return
        if options["json"]:
            Path(options["json"]).write_text(json.dumps(body, indent=2), encoding="utf-8")
        table = Table(title=f"{user.email} · {ranked.source} {ranked.model_version}")
        for name in ("", "film", "score", "why"):
            table.add_column(name)
        for place, item in enumerate(body["results"], start=1):
            score = "" if item["score"] is None else f"{item['score']:.3f}"
            film = f"{item['title']} ({item['year']})" if item["year"] else item["title"]
            table.add_row(str(place), film, score, item["reason"])
        console = Console(file=cast(IO[str], self.stdout))
        console.print(table)
        if options["explain"]:
            self._explain(console, ranked)

    def _explain(self, console: Console, ranked: RankedList) -> None:
        """All parts of each score, down to the sum."""
        wanted = {part.movie_id for film in ranked.films for part in film.evidence}
        wanted.update(film.movie_id for film in ranked.films)
        titles = dict(Movie.objects.filter(pk__in=wanted).values_list("pk", "title"))
        for film in ranked.films:
            if film.score is None:
                console.print(f"{titles[film.movie_id]}: popular, nothing personal speaks for it.")
                continue
            table = Table(title=titles[film.movie_id])
            for name in ("part", "contribution"):
                table.add_column(name, justify="right" if name == "contribution" else "left")
            for part in film.evidence:
                table.add_row(titles.get(part.movie_id, "?"), f"{part.contribution:+.6f}")
            for term in film.terms:
                table.add_row(f"re-ranking: {term.name}", f"{term.contribution:+.6f}")
            for feature in film.features:
                said = f"{feature.name} = {feature.value:.3f}"
                table.add_row(said, f"{feature.contribution:+.6f}")
            if film.other:
                table.add_row("everything else", f"{film.other:+.6f}")
            table.add_row("not from the history", f"{film.baseline:+.6f}")
            table.add_row("score", f"{film.total:.6f}")
            console.print(table)
