"""The fault matrix: a part that is measured anew replaces its own rows and leaves the others."""

from __future__ import annotations

from datetime import date

from tests.faults.table import Matrix, Row


def test_rows_of_another_day_stay_with_their_day(tmp_path):
    kept = tmp_path / "faults.json"
    first = Matrix([Row("Redis", "pages", "nothing", 1.25), Row("beat", "pages", "nothing")])
    first.merged(date(2026, 1, 2), kept=kept)
    again = Matrix([Row("beat", "pages", "nothing", 7.5, lost=1), Row("disk", "all", "a word")])
    whole = again.merged(date(2026, 3, 4), kept=kept)
    assert [(row.what, row.healed_s, row.measured) for row in whole.rows] == [
        ("Redis", 1.25, "2026-01-02"),
        ("beat", 7.5, "2026-03-04"),
        ("disk", None, "2026-03-04"),
    ]
    text = whole.markdown()
    assert "| Redis | pages | nothing | 1.2 s | all good | 2026-01-02 |" in text
    assert "Feedback lost: 1; duplicated: 0." in text
