"""The table of docs/security.md against OWASP ASVS 5.0, levels 1 and 2: what is missing in it.

Read by the test of that page and by ``make security``, which also runs the tests it names.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "security.md"
#: Levels 1 and 2 of ASVS 5.0.0: section -> its requirements' numbers.
REQUIREMENTS = {
    **{"1.1": "1-2", "1.2": "1-9", "1.3": "1-11", "1.4": "1-3", "1.5": "1-2"},
    **{"2.1": "1-3", "2.2": "1-3", "2.3": "1-4", "2.4": "1"},
    **{"3.2": "1-2", "3.3": "1-4", "3.4": "1-6", "3.5": "1-5", "3.7": "1-2"},
    **{"4.1": "1-3", "4.2": "1", "4.3": "1-2", "4.4": "1-4"},
    **{"5.1": "1", "5.2": "1-3", "5.3": "1-2", "5.4": "1-3"},
    **{"6.1": "1-3", "6.2": "1-12", "6.3": "1-4", "6.4": "1-4", "6.5": "1-5", "6.6": "1-3"},
    **{"6.8": "1-4", "7.1": "1-3", "7.2": "1-4", "7.3": "1-2", "7.4": "1-5", "7.5": "1-2"},
    **{"7.6": "1-2", "8.1": "1-2", "8.2": "1-3", "8.3": "1", "8.4": "1", "9.1": "1-3"},
    **{"9.2": "1-4", "10.1": "1-2", "10.2": "1-2", "10.3": "1-4", "10.4": "1-11"},
    **{"10.5": "1-5", "10.6": "1-2", "10.7": "1-3", "11.1": "1-2", "11.2": "1-3"},
    **{"11.3": "1-3", "11.4": "1-4", "11.5": "1", "11.6": "1", "12.1": "1-3", "12.2": "1-2"},
    **{"12.3": "1-4", "13.1": "1", "13.2": "1-5", "13.3": "1-2", "13.4": "1-5"},
    **{"14.1": "1-2", "14.2": "1-4", "14.3": "1-3", "15.1": "1-3", "15.2": "1-3"},
    **{"15.3": "1-7", "16.1": "1", "16.2": "1-5", "16.3": "1-4", "16.4": "1-3"},
    **{"16.5": "1-3", "17.1": "1", "17.2": "1-4", "17.3": "1-2"},
}
STATUSES = {"met", "by setup", "exception", "none here"}
#: A reason in fewer characters than this is none.
MIN_REASON = 20
_ROW = re.compile(r"^\| (V[\d.\-, V]+) \| ([^|]+) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py(?:::\w+)*)`")


@dataclass(frozen=True)
class Line:
    """One row of the table: the requirements it stands for, how they stand, and why."""

    cell: str
    what: str
    status: str
    evidence: str

    @property
    def requirements(self) -> list[str]:
        """Such as V1.2.3, one by one."""
        return covered(self.cell)


def page() -> str:
    """docs/security.md."""
    return PAGE.read_text(encoding="utf-8")


def lines(text: str) -> list[Line]:
    """The rows of the table in ``text``."""
    return [Line(*(cell.strip() for cell in found.groups())) for found in _ROW.finditer(text)]


def all_requirements() -> set[str]:
    """Their numbers, such as V1.2.3."""
    return {f"V{s}.{n}" for s, numbers in REQUIREMENTS.items() for n in _span(numbers)}


def covered(cell: str) -> list[str]:
    """What a row's first cell stands for: V1.2.3, V1.2.3-5, V9 (a chapter), or several of them."""
    found = []
    for part in cell.split(","):
        name = part.strip()
        head, _, last = name.rpartition(".")
        if "." not in name:
            found += [r for r in all_requirements() if r.startswith(f"{name}.")]
        else:
            found += [f"{head}.{n}" for n in _span(last)]
    return found


def named_tests(text: str) -> list[str]:
    """The tests that the page names, as pytest takes them, each once."""
    return sorted(set(_TEST.findall(text)))


def statuses(text: str) -> Counter[str]:
    """How many requirements stand where."""
    return Counter(line.status for line in lines(text) for _requirement in line.requirements)


def gaps(text: str) -> list[str]:
    """One sentence for each thing that is missing or wrong in the table; none where all is well."""
    table = lines(text)
    named = Counter(requirement for line in table for requirement in line.requirements)
    wanted = all_requirements()
    found = [f"{name} stands in no row" for name in sorted(wanted - named.keys())]
    found += [f"{name} stands in {n} rows" for name, n in sorted(named.items()) if n > 1]
    found += [f"{name} is no requirement" for name in sorted(named.keys() - wanted)]
    for line in table:
        if line.status not in STATUSES:
            found.append(f'{line.cell}: "{line.status}" is no status')
        elif line.status == "met" and "`" not in line.evidence:
            found.append(f"{line.cell}: a claim without a test or a place in the code")
        elif line.status != "met" and len(line.evidence) <= MIN_REASON:
            found.append(f"{line.cell}: a reason is needed")
    found += [f"{test} does not exist" for test in named_tests(text) if not _exists(test)]
    return found


def _exists(test: str) -> bool:
    """As pytest would find it: a method stands below its class's name."""
    path, *names = test.split("::")
    file = ROOT / path
    if not file.exists():
        return False
    body = ast.parse(file.read_text(encoding="utf-8")).body
    for name in names:
        found = [node for node in body if getattr(node, "name", None) == name]
        if not found:
            return False
        body = getattr(found[0], "body", [])
    return True


def _span(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))
