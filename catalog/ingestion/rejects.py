"""Rows that were not taken: counted, shown, and all of them written down."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

SHOWN = 10
_MAX_CONTENT = 200
# A cell that starts so is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Reject:
    """One row that was not taken, and why; lines are counted from 1, with the header."""

    file: str
    line: int
    reason: str
    content: str


class RejectLog:
    """Writes every rejected row to a CSV; keeps the first few and the counts.

    The file is written as rows come and exists only if there are any.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first: list[Reject] = []
        self.by_reason: Counter[tuple[str, str]] = Counter()
        self._file: TextIO | None = None
        path.unlink(missing_ok=True)

    @property
    def total(self) -> int:
        """How many rows were rejected."""
        return self.by_reason.total()

    def of_file(self, file: str) -> int:
        """How many of one file's."""
        return sum(count for (name, _), count in self.by_reason.items() if name == file)

    def add(self, reject: Reject) -> None:
        """Note one row."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8", newline="")
            csv.writer(self._file).writerow(["file", "line", "reason", "content"])
        content = reject.content[:_MAX_CONTENT]
        safe = f"'{content}" if content.startswith(_FORMULA) else content
        csv.writer(self._file).writerow([reject.file, reject.line, reject.reason, safe])
        self.by_reason[reject.file, reject.reason] += 1
        if len(self.first) < SHOWN:
            self.first.append(reject)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
