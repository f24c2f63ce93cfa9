"""Asks the running API what its own document allows and forbids: ``make fuzz`` writes the table.

    python -m benchmarks.fuzz                              # 200 examples per operation and phase
    python -m benchmarks.fuzz --examples 20 --people staff --only experiments --dry

schemathesis with all its checks and all its phases (examples, coverage, fuzzing, stateful), each
time as one person: nobody, a user, another one, staff. granian serves a small world of its own
(tests/api/fuzz_world.py) under ``benchmarks.fuzz_settings``. Refusals that no schema can say are
named in tests/api/fuzz_hooks.py and counted here as excused. Exit status 1 for a failure; the
requests to repeat it stand under var/bench-fuzz.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.marked_page import write_marked
from benchmarks.own_database import own_database
from benchmarks.serving_load import web

ROOT = Path(__file__).resolve().parent.parent


def table(outcomes: list[Any], *, n_examples: int, today: str) -> str:
    """Markdown."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [
        f"Asked {today} at commit {commit.stdout.strip()}, {n_examples} examples per operation.",
        "",
        "| who | operations | requests | failures | refused by a rule of its own | seconds |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {done.who} | {done.operations} | {done.requests:,} | {done.failures + done.errors} "
        f"| {done.excused:,} | {done.seconds:.0f} |"
        for done in outcomes
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--people", default="", help="names, by commas; all if not given")
    parser.add_argument("--phases", default="", help="by commas; all if not given")
    parser.add_argument("--only", default="", help="a regular expression of paths")
    parser.add_argument("--dry", action="store_true", help="leave docs/reliability.md as it is")
    given = parser.parse_args()
    os.environ["MARQUEE_ENV_FILE"] = ""
    with own_database("fuzz") as work:
        os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.fuzz_settings"
        from tests.api.fuzz_world import PEOPLE, make_fuzz_world
        from tests.api.fuzzing import PHASES, fuzz

        known = make_fuzz_world()
        outcomes = []
        with web(workers=1) as server:
            for who in given.people.split(",") if given.people else PEOPLE:
                done = fuzz(
                    f"http://127.0.0.1:{server.port}",
                    who,
                    known,
                    folder=work / "reports",
                    n_examples=given.examples,
                    phases=given.phases.split(",") if given.phases else PHASES,
                    only=given.only,
                )
                print(f"{who}: {'clean' if done.is_clean else done.said}", flush=True)
                outcomes.append(done)
    text = table(outcomes, n_examples=given.examples, today=f"{datetime.now(tz=UTC):%Y-%m-%d}")
    print(f"\n{text}")
    if not given.dry:
        write_marked("fuzz", text)
    if not all(done.is_clean for done in outcomes):
        sys.exit(1)


if __name__ == "__main__":
    main()
