"""schemathesis against a running Marquee: what its own document allows and forbids, as somebody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.api.fuzz_world import PASSWORD, PEOPLE, Known

ROOT = Path(__file__).resolve().parent.parent.parent
PHASES = ("examples", "coverage", "fuzzing", "stateful")
#: How often an address names something that there is, where the document allows anything.
KNOWN_SHARE = 0.8


@dataclass(frozen=True)
class Outcome:
    """Of one person's run."""

    who: str
    operations: int
    requests: int
    failures: int  # a kind of failure on an operation, each counted once
    excused: int  # refusals by a rule of fuzz_hooks, which no schema can say
    errors: int  # of the tool itself: nothing was learned
    seconds: float
    said: str

    @property
    def is_clean(self) -> bool:
        """Whether something was asked and nothing was wrong."""
        return self.requests > 0 and not self.failures and not self.errors


def fuzz(
    url: str,
    who: str,
    known: Known,
    *,
    folder: Path,
    n_examples: int,
    phases: Sequence[str] = PHASES,
    only: str = "",
    seed: int = 1,
) -> Outcome:
    """Asks every operation as ``who`` (a name of PEOPLE); all checks, nothing is shrunk.

    ``n_examples`` per operation and phase; ``only`` is a regular expression of paths. ``folder``
    keeps what was written: the report names every failed request as a curl command.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "schemathesis.toml"
    settings.write_text(_settings(known, is_anonymous=PEOPLE[who] is None))
    report = folder / f"{who}.json"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run"),
        *(f"{url}/api/v1/schema/?format=json", "--phases", ",".join(phases)),
        *("--checks", "all", "--max-examples", str(n_examples), "--seed", str(seed)),
        *("--continue-on-failure", "--no-shrink", "--generation-database", "none"),
        *("--suppress-health-check", "all", "--request-timeout", "60", "--no-color"),
        *("--report", "json", "--report-json-path", str(report)),
        *(("--include-path-regex", only) if only else ()),
    ]
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.api.fuzz_hooks",
        "FUZZ_URL": url,
        "FUZZ_EMAIL": PEOPLE[who] or "",
        "FUZZ_PASSWORD": PASSWORD,
    }
    with (folder / f"{who}.txt").open("w") as out:
        subprocess.run(
            command, cwd=folder, env=env, stdout=out, stderr=subprocess.STDOUT, check=False
        )
    said = (folder / f"{who}.txt").read_text(errors="replace")
    if not report.exists():
        return Outcome(who, 0, 0, 0, 0, 1, 0.0, said)
    found = json.loads(report.read_text())
    return Outcome(
        who=who,
        operations=found["operations"]["tested"],
        requests=found["test_cases"]["generated"],
        failures=sum(kind["count"] for kind in found["failures"]),
        excused=found["filtered"],
        errors=len(found["errors"]) + (not found["complete"]),
        seconds=found["running_time"],
        said=said,
    )


def _settings(known: Known, *, is_anonymous: bool) -> str:
    """schemathesis.toml; values of addresses are drawn from what there is."""
    # Whoever is logged in sends that alone: a made-up token beside it would be refused first.
    lines = ["[generation]", f"with-security-parameters = {str(is_anonymous).lower()}"]
    # No text holds NUL, everywhere: docs/api.md says it once, the schemas not of each.
    lines.append("allow-x00 = false")
    for name, values in known.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    lines.append("[parameters]")
    lines += [
        f'"path.{name}" = {{ dictionary = "{name}", probability = {KNOWN_SHARE} }}'
        for name in known
    ]
    return "\n".join(lines) + "\n"
