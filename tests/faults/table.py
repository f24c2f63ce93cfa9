"""The fault matrix as it was measured: printed, and written to docs/reliability.md."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from datetime import date

from benchmarks.marked_page import write_marked

_HEAD = ("what breaks", "what goes on", "what a person sees", "well again by itself", "answers")


@dataclass
class Row:
    """One line of the matrix."""

    what: str
    goes_on: str
    sees: str
    healed_s: float | None = None
    lost: int = 0
    duplicated: int = 0
    statuses: str = ""

    def cells(self) -> list[str]:
        healed = "at once" if self.healed_s is None else f"{self.healed_s:.1f} s"
        return [self.what, self.goes_on, self.sees, healed, self.statuses or "all good"]


@dataclass
class Matrix:
    """All rows of this run."""

    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Kept for the table; the assertions are the test's."""
        self.rows.append(row)

    def markdown(self, today: date) -> str:
        lost, duplicated = (sum(getattr(r, n) for r in self.rows) for n in ("lost", "duplicated"))
        lines = [
            f"Measured {today:%Y-%m-%d} on {os.cpu_count()} cores ({platform.machine()}), shared "
            "with other work: times are upper bounds. "
            f"Feedback lost: {lost}; duplicated: {duplicated}.",
            "",
            f"| {' | '.join(_HEAD)} |",
            f"|{'---|' * len(_HEAD)}",
            *(f"| {' | '.join(row.cells())} |" for row in self.rows),
        ]
        return "\n".join(lines) + "\n"

    def write(self, today: date) -> None:
        """Between the marks of docs/reliability.md."""
        write_marked("faults", self.markdown(today))
