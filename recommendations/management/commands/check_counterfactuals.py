"""``manage.py check_counterfactuals --users N``: claims of the why page hold."""

from __future__ import annotations

from recommendations import evidence_checks
from recommendations.management.checking import CheckCommand


class Command(CheckCommand):
    """Exit status 1 unless all of it holds."""

    help = "Check every claim that without one rating a film would leave somebody's first 20."
    claim = "Claims that hold"

    def one(self) -> evidence_checks.Check:
        return evidence_checks.counterfactuals
