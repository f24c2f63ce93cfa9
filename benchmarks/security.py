"""What docs/security.md promises, checked: ``make security`` prints a table and keeps it.

    python -m benchmarks.security             # also into docs/reliability.md
    python -m benchmarks.security --dry       # only prints

Exit status 1 for a finding. A service that cannot be reached is no finding and no success: the
table says that nothing was looked up.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import venv
import xml.etree.ElementTree as ET  # noqa: S405 - of pytest's own report
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from benchmarks.marked_page import write_marked
from tests.security import asvs
from tests.security.test_secrets import secrets_in

ROOT = Path(__file__).resolve().parent.parent
AUDIT_ENVIRONMENT = ROOT / "var" / "tools" / "audit"
AUDIT_REQUIREMENTS = ROOT / "benchmarks" / "requirements-audit.txt"
AUDIT_TIMEOUT_S = 600
#: What stands for a secret in the history without being one: the scanner's own tests.
NOT_SECRETS = {"tests/security/test_secrets.py"}


class Verdict(StrEnum):
    """How a check ended."""

    CLEAN = "clean"
    FOUND = "**found something**"
    UNKNOWN = "not looked up"


@dataclass(frozen=True)
class Outcome:
    """A verdict, and what was counted or found."""

    verdict: Verdict
    said: str


def production_check() -> Outcome:
    """Django's and our own checks, with production settings."""
    env = {
        **os.environ,
        **{"MARQUEE_ENV_FILE": "", "DJANGO_SETTINGS_MODULE": "config.settings.production"},
        **{"DATABASE_URL": "postgres://nobody@localhost/none", "REDIS_URL": "redis://localhost"},
        **{"ALLOWED_HOSTS": "marquee.example", "SECRET_KEY": secrets.token_urlsafe(64)},
    }
    manage = [sys.executable, "manage.py"]
    _run([*manage, "messages", "--compile"], env=env)
    done = _run([*manage, "check", "--deploy", "--fail-level", "WARNING"], env=env)
    said = (done.stdout + done.stderr).strip().splitlines()
    return Outcome(_verdict(done.returncode == 0), said[-1] if said else "")


def lint() -> Outcome:
    """bandit's rules, as ruff has them."""
    done = _run(["ruff", "check", "--select", "S", "--output-format", "json", "."])
    found = json.loads(done.stdout)
    places = [f"{Path(one['filename']).relative_to(ROOT)}: {one['code']}" for one in found[:5]]
    n_files = len(_run(["git", "ls-files", "*.py"]).stdout.split())
    return Outcome(_verdict(not found), "; ".join(places) or f"{n_files:,} Python files")


def history() -> Outcome:
    """Secrets in any line that any commit of this branch ever added."""
    log = subprocess.Popen(
        ["git", "log", "--patch", "--unified=0", "--no-color", "--format=commit %h"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    assert log.stdout is not None
    commit, path, n_commits, n_lines = "", "", 0, 0
    found = []
    for line in log.stdout:
        if line.startswith("commit "):
            commit, n_commits = line.split()[1], n_commits + 1
        elif line.startswith("+++ "):
            path = line[4:].strip().removeprefix("b/")
        elif line.startswith("+"):
            n_lines += 1
            if path not in NOT_SECRETS:
                found += [f"{commit} {path}: {kind}" for kind in secrets_in(line[1:])]
    if log.wait() != 0:
        return Outcome(Verdict.UNKNOWN, "git log failed: run it in a checkout with its history")
    counted = f"{n_lines:,} added lines of {n_commits:,} commits"
    return Outcome(_verdict(not found), "; ".join(found[:5]) or counted)


def tests() -> Outcome:
    """Everything under tests/security and tests/accounts."""
    return _passed(["tests/security", "tests/accounts"])


def standard() -> Outcome:
    """ASVS' 253 requirements: the table in docs/security.md is whole, the tests it names pass."""
    text = asvs.page()
    if missing := asvs.gaps(text):
        return Outcome(Verdict.FOUND, "; ".join(missing[:5]))
    named = asvs.named_tests(text)
    done = _passed(named)
    stand = ", ".join(f"{n} {name}" for name, n in asvs.statuses(text).most_common())
    return Outcome(done.verdict, f"{stand}; of the {len(named)} proofs named: {done.said}")


def _passed(which: list[str]) -> Outcome:
    """Whether pytest finds all of ``which`` to hold; a skipped one was not looked at."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-n", "0", "-q", f"--junitxml={report}", *which]
        done = subprocess.run(command, cwd=ROOT, check=False)
        if not report.exists():
            return Outcome(Verdict.FOUND, f"pytest ended with {done.returncode}")
        return counted(report.read_text(encoding="utf-8"), status=done.returncode)


def counted(report: str, *, status: int) -> Outcome:
    """What pytest's report and exit status say."""
    suite = ET.fromstring(report).find("testsuite")  # noqa: S314 - pytest wrote it
    assert suite is not None
    n = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    n_failed = n["failures"] + n["errors"]
    said = f"{n['tests']} tests, {n_failed} failed, {n['skipped']} skipped"
    if status != 0 or n_failed or not n["tests"]:
        return Outcome(Verdict.FOUND, said)
    return Outcome(Verdict.UNKNOWN if n["skipped"] else Verdict.CLEAN, said)


def known_holes() -> Outcome:
    """pip-audit over requirements.txt, in an environment of its own."""
    program = AUDIT_ENVIRONMENT / "bin" / "pip-audit"
    if not program.exists():
        venv.create(AUDIT_ENVIRONMENT, with_pip=True, clear=True)
        install = [str(AUDIT_ENVIRONMENT / "bin" / "pip"), "install", "--quiet"]
        done = _run([*install, "--requirement", str(AUDIT_REQUIREMENTS)])
        if done.returncode != 0:
            return Outcome(Verdict.UNKNOWN, "pip-audit could not be installed; is there a network?")
    try:
        done = _run(
            [
                *(str(program), "--requirement", "requirements.txt", "--no-deps", "--disable-pip"),
                *("--format", "json", "--progress-spinner", "off", "--timeout", "10"),
            ],
            timeout_s=AUDIT_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return Outcome(Verdict.UNKNOWN, f"no answer within {AUDIT_TIMEOUT_S} s")
    return audited(done.stdout, done.stderr)


def audited(report: str, errors: str = "") -> Outcome:
    """What pip-audit's JSON says. It ends with success, too, where it could ask about nothing."""
    try:
        packages = json.loads(report)["dependencies"]
    except ValueError:
        lines = errors.strip().splitlines()
        return Outcome(Verdict.UNKNOWN, lines[-1][:200] if lines else "pip-audit said nothing")
    asked = [package for package in packages if "skip_reason" not in package]
    holes = [
        f"{package['name']} {package['version']}: {', '.join(v['id'] for v in package['vulns'])}"
        for package in asked
        if package["vulns"]
    ]
    counted = f"{len(asked)} of {len(packages)} packages could be asked about"
    if holes:
        return Outcome(Verdict.FOUND, f"{'; '.join(holes)} ({counted})")
    return Outcome(Verdict.CLEAN if len(asked) == len(packages) else Verdict.UNKNOWN, counted)


CHECKS: dict[str, Callable[[], Outcome]] = {
    "production settings (`check --deploy`)": production_check,
    "bandit's rules (`ruff --select S`)": lint,
    "secrets in the history": history,
    "tests of security and accounts": tests,
    "OWASP ASVS 5.0, levels 1 and 2": standard,
    "known holes of the packages (pip-audit)": known_holes,
}


def table(outcomes: dict[str, Outcome], *, today: str) -> str:
    """Markdown."""
    commit = _run(["git", "rev-parse", "--short", "HEAD"]).stdout.strip()
    lines = [
        f"Checked {today} at commit {commit}.",
        "",
        "| what | result | counted |",
        "|---|---|---|",
        *(f"| {name} | {done.verdict} | {cell(done.said)} |" for name, done in outcomes.items()),
    ]
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """On one line, without what would end the cell."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def _verdict(is_clean: bool) -> Verdict:
    return Verdict.CLEAN if is_clean else Verdict.FOUND


def _run(
    command: list[str], *, env: dict[str, str] | None = None, timeout_s: float | None = None
) -> subprocess.CompletedProcess[str]:
    folder = str(Path(sys.executable).parent)
    known = env or dict(os.environ)
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**known, "PATH": os.pathsep.join([folder, known.get("PATH", os.defpath)])},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dry", action="store_true", help="leave docs/reliability.md as it is")
    given = parser.parse_args()
    outcomes = {}
    for name, check in CHECKS.items():
        print(f"{name} ...", flush=True)
        outcomes[name] = check()
    text = table(outcomes, today=f"{datetime.now(tz=UTC):%Y-%m-%d}")
    print(f"\n{text}")
    if not given.dry:
        write_marked("security", text)
    if any(done.verdict is Verdict.FOUND for done in outcomes.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
