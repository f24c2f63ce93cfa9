"""``manage.py search``: what the site would find, for people and for measurements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.hybrid import search
from catalog.search_serializers import search_body

# A command may wait for the encoder; a page may not.
ENCODER_WAIT_S = 120.0


class Command(BaseCommand):
    """One request, or a file of them."""

    help = "Search as the site does: what was understood, and the films found."

    def add_arguments(self, parser: CommandParser) -> None:
        """QUERY or --queries, --k, --json."""
        parser.add_argument("query", nargs="?", help="what somebody might type")
        parser.add_argument("--queries", type=Path, help="a file of requests, one a line")
        parser.add_argument("--k", type=int, default=10, help="films for each request")
        parser.add_argument("--json", type=Path, dest="out", help="write the answers to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Search, print, write."""
        if (options["query"] is None) == (options["queries"] is None):
            raise CommandError("Give a query, or --queries FILE with one a line.")
        if not 1 <= options["k"] <= 240:
            raise CommandError("--k must be 1 to 240.")
        answers = []
        for query in self._queries(options):
            answer = search(query, limit=options["k"], wait_s=ENCODER_WAIT_S)
            body = _brief(search_body(query, answer, limit=options["k"]))
            answers.append(body)
            if options["out"] is None:
                self._print(body)
            if answer.is_meaning_missing:
                self.stderr.write(
                    "Searched without meaning: no vectors yet (manage.py embed_movies), or the "
                    "encoder could not be loaded."
                )
        if options["out"] is not None:
            text = json.dumps(answers, ensure_ascii=False, indent=1)
            try:
                options["out"].write_text(text + "\n", encoding="utf-8")
            except OSError as error:
                raise CommandError(f"{options['out']}: {error.strerror}") from error
            self.stdout.write(f"{len(answers):,} answers in {options['out']}.")

    def _queries(self, options: dict[str, Any]) -> list[str]:
        if options["query"] is not None:
            if not options["query"].strip():
                raise CommandError("The query is empty.")
            return [options["query"]]
        try:
            # As editors on Windows write it, with a mark before the first line, or without.
            text = options["queries"].read_text(encoding="utf-8-sig")
        except OSError as error:
            msg = f"{options['queries']} cannot be read: {error.strerror}."
            raise CommandError(msg) from error
        except UnicodeDecodeError as error:
            msg = f"{options['queries']} is no text in UTF-8 (byte {error.start})."
            raise CommandError(msg) from error
        queries = [line.strip() for line in text.splitlines() if line.strip()]
        if not queries:
            raise CommandError(f"{options['queries']} holds no query: write one a line.")
        return queries

    def _print(self, body: dict[str, Any]) -> None:
        chips = " · ".join(chip["label"] for chip in body["chips"]) or "none"
        self.stdout.write(f"{body['query']}\n  understood: {chips}")
        for place, film in enumerate(body["results"], start=1):
            year = f" ({film['year']})" if film["year"] else ""
            self.stdout.write(
                f"  {place:>3}. {film['title']}{year}  [{', '.join(film['why'])}; "
                f"{film['score']:.3f}]"
            )


_FIELDS = ("tmdb_id", "movie_id", "title", "year", "score", "why")


def _brief(body: dict[str, Any]) -> dict[str, Any]:
    """What the file holds: the API's answer without what only pages need."""
    return {
        "query": body["query"],
        "chips": body["chips"],
        "results": [{name: film[name] for name in _FIELDS} for film in body["results"]],
    }
