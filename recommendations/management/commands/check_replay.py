"""``manage.py check_replay --slates 200``: are stored lists what their models make of them?"""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback.models import Slate
from recommendations.replay import NotReproducibleError, replay


class Command(BaseCommand):
    """Exit status 1 where a list differs, or where there was none to compare."""

    help = "Compute the latest logged lists again and compare films, order and scores."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--slates", type=int, default=200, help="how many, the latest first")

    def handle(self, *args: Any, **options: Any) -> None:
        slates = Slate.objects.select_related("user").order_by("-created_at", "pk")
        n_same = n_places = 0
        worst = 0.0
        wrong: list[str] = []
        not_possible: Counter[str] = Counter()
        for slate in slates[: options["slates"]]:
            try:
                found = replay(slate)
            except NotReproducibleError as error:
                not_possible[str(error)] += 1
                continue
            if not found.is_same:
                wrong.append(str(slate.pk))
                continue
            n_same += bool(found.places)
            n_places += len(found.places)
            worst = max(worst, found.worst)
        n_all = n_same + len(wrong)
        self.stdout.write(
            f"Slates computed again: {n_all}; the same: {n_same} ({n_places} places, "
            f"largest difference of a score {worst:.1e})."
        )
        for reason, count in not_possible.most_common():
            self.stdout.write(f"Not reproducible: {count} x {reason}")
        if wrong:
            raise CommandError(f"{len(wrong)} differ, such as {', '.join(wrong[:5])}.")
        if not n_same:
            raise CommandError("There was no list of a model to compare.")
