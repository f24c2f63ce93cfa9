"""docs/security.md names every requirement of OWASP ASVS 5.0 level 2, and tests that exist."""

from __future__ import annotations

import pytest

from tests.security.asvs import all_requirements, covered, gaps, named_tests, page, statuses

METS = "| V1.1.1-2 | decode once, encode last | met | "
NONE = "| none here | neither exists here: Python, and Redis"


def test_there_are_as_many_requirements_as_the_standard_counts():
    """253 of levels 1 and 2 in the published table (70 and 183)."""
    assert len(all_requirements()) == 253


def test_nothing_is_missing_in_the_table():
    assert gaps(page()) == []
    assert sum(statuses(page()).values()) == 253
    assert len(named_tests(page())) > 40


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("| V1.2.1 |", "| V1.2.2 |", ["V1.2.1 stands in no row", "V1.2.2 stands in 2 rows"]),
        ("| V1.2.1 |", "| V1.2.1-2 |", ["V1.2.2 stands in 2 rows"]),
        ("| V1.2.9 |", "| V1.2.9-10 |", ["V1.2.10 is no requirement"]),
        (f"{METS}Django decodes", f"{METS.replace('met', 'done')}x", ['V1.1.1-2: "done" is no']),
        (f"{NONE} with its own protocol |", "| none here | no |", ["V1.3.8-9: a reason is"]),
        ("`tests/config/test_throttles.py`", "`tests/config/test_brakes.py`", ["test_brakes.py"]),
        ("::test_values_are_escaped`", "::test_values_are`", ["test_values_are does not exist"]),
        ("::TestTags::test_values_", "::test_values_", ["are_escaped does not exist"]),
    ],
)
def test_what_is_missing_is_named(old, new, found):
    text = page()
    assert old in text
    said = gaps(text.replace(old, new))
    assert len(said) == len(found)
    for sentence, part in zip(said, found, strict=True):
        assert part in sentence


def test_a_claim_needs_a_proof():
    text = "\n".join(
        f"{METS}everybody knows |" if line.startswith(METS) else line
        for line in page().splitlines()
    )
    assert gaps(text) == ["V1.1.1-2: a claim without a test or a place in the code"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("V1.2.3", 1), ("V1.2.3-5", 3), ("V9", 7), ("V4.3.1-2, V4.4.1-4", 6)],
)
def test_ranges_are_read_as_they_are_meant(cell, expected):
    assert len(covered(cell)) == expected
