"""``make security``: a finding is one, silence is none, and what was not asked is not clean."""

from __future__ import annotations

import json

from benchmarks.security import Outcome, Verdict, audited, table

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
