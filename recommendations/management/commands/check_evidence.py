"""``manage.py check_evidence --users N``: the parts of shown scores add up."""

from __future__ import annotations

from recommendations import evidence_checks
from recommendations.management.checking import CheckCommand


class Command(CheckCommand):
    """Exit status 1 unless all of it holds."""

    help = "Check that the evidence on people's cards adds up to the scores that ranked them."
    claim = "Cards whose evidence adds up"

    def one(self) -> evidence_checks.Check:
        return evidence_checks.evidence
