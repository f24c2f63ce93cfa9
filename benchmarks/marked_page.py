"""Measured tables inside a page of docs/ that is written by hand around them."""

from __future__ import annotations

import re
from pathlib import Path

RELIABILITY = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"


def write_marked(mark: str, text: str, *, page: Path = RELIABILITY) -> None:
    """Puts ``text`` between ``<!-- mark -->`` and ``<!-- /mark -->``; ValueError without them."""
    old = page.read_text(encoding="utf-8")
    marks = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    new, n_found = marks.subn(lambda found: found[1] + text.rstrip() + "\n" + found[2], old)
    if n_found != 1:
        msg = f"{page.name} needs one pair of <!-- {mark} --> and <!-- /{mark} -->."
        raise ValueError(msg)
    page.write_text(new, encoding="utf-8")
