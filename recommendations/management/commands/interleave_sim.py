"""``manage.py interleave_sim [--aa]``: what interleaving finds, and how often it cries wolf."""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ml.experiments.drill import Stage, interleaved, set_stage, split
from ml.experiments.sequential import ALPHA
from ml.models.registry import UnknownModelError

KINDS = (("interleaving", interleaved), ("A/B", split))
POWER = 0.8


class Command(BaseCommand):
    """Exit status 1 where a promise is broken: too many false alarms, or too many sessions."""

    help = "Interleaving and A/B on the same simulated people, with two models or one twice (--aa)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--aa", action="store_true", help="also both policies the same model")
        parser.add_argument("--a", default="popularity", help="the model of policy A")
        parser.add_argument("--b", default="ease", help="the model of policy B")
        parser.add_argument("--runs", type=int, default=500)
        parser.add_argument("--sessions", type=int, default=1500, help="per run, at most")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--json", metavar="FILE", help="write the figures here")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["runs"] < 20 or not 100 <= options["sessions"] <= 100_000:
            raise CommandError("--runs must be 20 or more, --sessions from 100 to 100,000.")
        path = Path(options["json"]) if options["json"] else None
        if path is not None and not path.parent.is_dir():
            raise CommandError(f"{path}: the folder {path.parent} does not exist.")
        console = Console(file=cast(IO[str], self.stdout), width=110)
        failures: list[str] = []
        self.rows: list[dict[str, Any]] = []
        try:
            if options["aa"]:
                failures += self._alarms(console, options)
            failures += self._race(console, options)
        except UnknownModelError as error:
            raise CommandError(str(error)) from error
        if path is not None:
            content = {
                "date": datetime.now(UTC).date().isoformat(),
                **{name: options[name] for name in ("a", "b", "runs", "sessions", "seed")},
                "clicks_per_list": self.truth,
                "rows": self.rows,
            }
            path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        if failures:
            raise CommandError(" ".join(failures))

    def _alarms(self, console: Console, options: dict[str, Any]) -> list[str]:
        """Both policies are B's model: whatever is found is a false alarm."""
        stage = set_stage(options["b"], options["b"], seed=options["seed"])
        table = Table("A/A", "runs", "sessions each", "false alarms", "share", "at most")
        failures = []
        # Three standard errors of a share that is exactly alpha: what chance in the runs allows.
        allowed = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / options["runs"])
        for kind, path_of in KINDS:
            decided = _decisions(stage, path_of, options, f"A/A by {kind}")
            share = sum(found is not None for found in decided) / len(decided)
            table.add_row(
                *(kind, str(len(decided)), str(options["sessions"])),
                *(str(sum(found is not None for found in decided)), f"{share:.3f}"),
                f"{ALPHA:.2f} (+ chance: {allowed:.3f})",
            )
            self.rows.append({"what": "A/A", "kind": kind, "false_alarms": share})
            if share > allowed:
                failures.append(f"{kind} found a difference in {share:.1%} of A/A runs.")
        console.print(table)
        return failures

    def _race(self, console: Console, options: dict[str, Any]) -> list[str]:
        """A against B, read after every session."""
        stage = set_stage(options["a"], options["b"], seed=options["seed"])
        self.truth = rate_a, rate_b = stage.clicks_per_list()
        console.print(
            f"Truth in the simulator: {options['a']} {rate_a:.3f} clicks a list, "
            f"{options['b']} {rate_b:.3f}."
        )
        table = Table(f"{options['b']} against {options['a']}", "runs", "found", "median sessions")
        table.add_column(f"sessions for {POWER:.0%} of runs")
        needed: dict[str, float] = {}
        for kind, path_of in KINDS:
            decided = _decisions(stage, path_of, options, f"race by {kind}")
            counts = np.array([math.inf if found is None else found for found in decided])
            needed[kind] = float(np.quantile(counts, POWER, method="higher"))
            median = float(np.quantile(counts, 0.5, method="higher"))
            self.rows.append(
                {"what": "race", "kind": kind, "found": float(np.isfinite(counts).mean())}
                | {
                    name: n if math.isfinite(n) else None
                    for name, n in (("median", median), ("power_80", needed[kind]))
                }
            )
            table.add_row(
                *(kind, str(len(counts)), f"{np.isfinite(counts).mean():.3f}"),
                f"{median:.0f}",
                f"{needed[kind]:.0f}",
            )
        console.print(table)
        ratio = needed["interleaving"] / needed["A/B"]
        if math.isnan(ratio) or math.isinf(needed["interleaving"]):
            return [f"Interleaving did not find it in {POWER:.0%} of runs: more --sessions."]
        console.print(f"Interleaving needs {ratio:.2f} of the sessions that A/B needs.")
        return [] if ratio < 0.5 else ["Interleaving needs half the sessions of A/B or more."]


def _decisions(stage: Stage, path_of: Any, options: dict[str, Any], what: str) -> Sequence[Any]:
    """Per run, after how many sessions the experiment said something; None: never."""
    console = Console(stderr=True)
    runs = track(
        range(options["runs"]), description=what, console=console, disable=not console.is_terminal
    )
    return [
        path_of(
            stage, options["sessions"], np.random.default_rng([options["seed"], run])
        ).first_decision()
        for run in runs
    ]
