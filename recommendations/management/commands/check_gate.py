"""``manage.py check_gate``: five bad models at the gate, and what it says to each."""

from __future__ import annotations

from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from recommendations.models import ModelVersion
from recommendations.services.gate_drill import NothingToSpoilError, gate_drill


class Command(BaseCommand):
    """Exit status 1 where one of them would have been served."""

    help = "Offer the gate five models that must be refused, made from the one being served."

    def handle(self, *args: Any, **options: Any) -> None:
        stream = cast(IO[str], self.stdout)
        console = Console(file=stream, width=None if self.stdout.isatty() else 160)
        before = _served()
        try:
            attempts = gate_drill()
        except NothingToSpoilError as error:
            raise CommandError(str(error)) from error
        table = Table(title="Bad models at the gate")
        for name in ("model", "verdict", "reason", "seconds"):
            table.add_column(name)
        for attempt in attempts:
            verdict = "refused" if attempt.reason else "SERVED"
            table.add_row(attempt.name, verdict, attempt.reason, f"{attempt.took_s:.1f}")
        console.print(table)
        n_refused = sum(1 for attempt in attempts if attempt.reason)
        console.print(f"Refused: {n_refused} of {len(attempts)}. Still serving {_served()}.")
        if n_refused < len(attempts) or _served() != before:
            raise CommandError("The gate let a bad model through.")


def _served() -> str:
    found = ModelVersion.objects.filter(kind="hybrid", status=ModelVersion.Status.ACTIVE).first()
    return found.version if found else ""
