"""The fault matrix as it was measured: printed, and written to docs/reliability.md."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from benchmarks.marked_page import write_marked

KEPT = Path(__file__).resolve().parent.parent.parent / "benchmarks" / "results" / "faults.json"
_HEAD = (
    *("what breaks", "what goes on", "what a person sees", "well again by itself", "answers"),
    "measured",
)


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
    measured: str = ""

    def cells(self) -> list[str]:
        healed = "at once" if self.healed_s is None else f"{self.healed_s:.1f} s"
        said = self.statuses or "all good"
        return [self.what, self.goes_on, self.sees, healed, said, self.measured]


@dataclass
class Matrix:
    """All rows of this run."""

    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Kept for the table; the assertions are the test's."""
        self.rows.append(row)

    def markdown(self) -> str:
        lost, duplicated = (sum(getattr(r, n) for r in self.rows) for n in ("lost", "duplicated"))
        lines = [
            f"Measured on {os.cpu_count()} cores ({platform.machine()}), shared with other work: "
            f"times are upper bounds. Feedback lost: {lost}; duplicated: {duplicated}.",
            "",
            f"| {' | '.join(_HEAD)} |",
            f"|{'---|' * len(_HEAD)}",
            *(f"| {' | '.join(row.cells())} |" for row in self.rows),
        ]
        return "\n".join(lines) + "\n"

    def write(self, today: date, *, kept: Path = KEPT) -> None:
        """Into the results and docs/reliability.md; a part of the faults replaces its own rows."""
        write_marked("faults", self.merged(today, kept=kept).markdown())

    def merged(self, today: date, *, kept: Path = KEPT) -> Matrix:
        """These rows and the kept ones of other faults, each with its day; kept from now on."""
        known: dict[str, Row] = {}
        if kept.exists():
            rows = json.loads(kept.read_text("utf-8"))["rows"]
            known = {row["what"]: Row(**row) for row in rows}
        for row in self.rows:
            row.measured = f"{today:%Y-%m-%d}"
            known[row.what] = row
        whole = Matrix(list(known.values()))
        found = {"rows": [asdict(row) for row in whole.rows]}
        kept.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        return whole
