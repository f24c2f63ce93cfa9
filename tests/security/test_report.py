"""``make security``: a finding is one, silence is none, and what was not asked is not clean."""

from __future__ import annotations

import json

import pytest

from benchmarks import security
from benchmarks.security import Outcome, Verdict, audited, counted, table

FINE = {"name": "django", "version": "5.2.19", "vulns": []}
BAD = {"name": "requests", "version": "1.0", "vulns": [{"id": "PYSEC-1"}, {"id": "GHSA-2"}]}
SKIPPED = {"name": "torch", "skip_reason": "Dependency not found on PyPI"}


def report(*packages):
    return json.dumps({"dependencies": list(packages), "fixes": []})


def test_a_known_hole_is_found_and_named():
    done = audited(report(FINE, BAD, SKIPPED))
    assert done.verdict is Verdict.FOUND
    assert "requests 1.0: PYSEC-1, GHSA-2 (2 of 3 packages" in done.said


def test_only_what_was_asked_about_in_full_is_clean():
    assert audited(report(FINE)).verdict is Verdict.CLEAN
    assert audited(report(FINE, SKIPPED)) == Outcome(
        Verdict.UNKNOWN, "1 of 2 packages could be asked about"
    )


def test_an_audit_that_could_not_ask_is_no_success():
    done = audited("", "WARNING: x\nConnectionError: no route")
    assert done == Outcome(Verdict.UNKNOWN, "ConnectionError: no route")


def test_the_table_survives_what_a_check_says():
    text = table({"a check": Outcome(Verdict.FOUND, "one\ntwo | three")}, today="2026-01-02")
    assert "| a check | **found something** | one two \\| three |" in text
    assert text.startswith("Checked 2026-01-02 at commit ")


def junit(tests: int, failures: int = 0, errors: int = 0, skipped: int = 0) -> str:
    """As pytest writes it."""
    return (
        f'<testsuites><testsuite tests="{tests}" failures="{failures}" errors="{errors}" '
        f'skipped="{skipped}"/></testsuites>'
    )


@pytest.mark.parametrize(
    ("report", "status", "verdict"),
    [
        (junit(3), 0, Verdict.CLEAN),
        (junit(3, failures=1), 1, Verdict.FOUND),
        (junit(3, errors=1), 1, Verdict.FOUND),
        (junit(3), 4, Verdict.FOUND),
        (junit(0), 0, Verdict.FOUND),
        (junit(3, skipped=1), 0, Verdict.UNKNOWN),
    ],
)
def test_tests_are_clean_only_where_all_of_them_ran_and_passed(report, status, verdict):
    assert counted(report, status=status).verdict is verdict


def test_a_gap_in_the_standards_table_is_a_finding(monkeypatch):
    text = security.asvs.page().replace("| V1.2.1 |", "| V1.2.2 |")
    monkeypatch.setattr(security.asvs, "page", lambda: text)
    done = security.standard()
    assert done.verdict is Verdict.FOUND
    assert done.said == "V1.2.1 stands in no row; V1.2.2 stands in 2 rows"


def test_a_proof_of_the_standard_that_fails_is_a_finding(monkeypatch):
    asked = []

    def failed(which: list[str]) -> Outcome:
        asked.extend(which)
        return counted(junit(len(which), failures=1), status=1)

    monkeypatch.setattr(security, "_passed", failed)
    done = security.standard()
    assert done.verdict is Verdict.FOUND
    assert asked == security.asvs.named_tests(security.asvs.page())
    assert done.said.endswith("1 failed, 0 skipped")
