"""``manage.py check_influence --users N``: muting a film is like deleting its rating."""

from __future__ import annotations

from recommendations import evidence_checks
from recommendations.management.checking import CheckCommand


class Command(CheckCommand):
    """Exit status 1 unless all of it holds."""

    help = "Check that muting a film is like deleting its rating. All changes are rolled back."
    claim = "Muted films without influence"

    def one(self) -> evidence_checks.Check:
        return evidence_checks.influence
