"""docs/security.md names every requirement of OWASP ASVS 5.0 level 2, and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

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
ROW = re.compile(r"^\| (V[\d.\-, V]+) \| ([^|]+) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?(?:::(\w+))?`")


def span(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def all_requirements() -> set[str]:
    return {f"V{s}.{n}" for s, numbers in REQUIREMENTS.items() for n in span(numbers)}


def covered(cell: str) -> list[str]:
    """What a row's first cell stands for: V1.2.3, V1.2.3-5, V9 (a chapter), or several of them."""
    found = []
    for part in cell.split(","):
        name = part.strip()
        head, _, last = name.rpartition(".")
        if "." not in name:
            found += [r for r in all_requirements() if r.startswith(f"{name}.")]
        else:
            found += [f"{head}.{n}" for n in span(last)]
    return found


def rows() -> list[tuple[str | Any, ...]]:
    """Four texts each."""
    return [found.groups() for found in ROW.finditer(PAGE.read_text(encoding="utf-8"))]


def test_there_are_as_many_requirements_as_the_standard_counts():
    """253 of levels 1 and 2 in the published table (70 and 183)."""
    assert len(all_requirements()) == 253


def test_every_requirement_stands_in_the_table_once():
    named = [requirement for cell, *_ in rows() for requirement in covered(cell)]
    assert sorted(all_requirements() - set(named)) == []
    assert sorted({name for name in named if named.count(name) > 1}) == []
    assert sorted(set(named) - all_requirements()) == []


def test_every_row_has_a_status_and_evidence():
    for cell, _what, status, evidence in rows():
        assert status.strip() in STATUSES, cell
        if status.strip() == "met":
            assert "`" in evidence, f"{cell}: a claim without a test or a place in the code"
        else:
            assert len(evidence) > 20, f"{cell}: a reason is needed"


def test_every_test_that_is_named_exists():
    found = TEST.findall(PAGE.read_text(encoding="utf-8"))
    assert len(found) > 40
    missing = []
    for path, *names in found:
        file = ROOT / path
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        missing += [f"{path}::{n}" for n in names if n and not re.search(rf"\b{n}\b", text)]
        missing += [] if text else [path]
    assert missing == []


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("V1.2.3", 1), ("V1.2.3-5", 3), ("V9", 7), ("V4.3.1-2, V4.4.1-4", 6)],
)
def test_ranges_are_read_as_they_are_meant(cell, expected):
    assert len(covered(cell)) == expected
