"""What a template says of anything, cut where the values go: rendered once, filled in often."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

from django.utils.safestring import SafeString


class Stencil(NamedTuple):
    """A template's text in pieces; ``slots`` are the places of those that a mark stands for."""

    pieces: tuple[str, ...]
    slots: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, html: str, marks: Collection[str]) -> Stencil:
        """``html`` cut at each of the ``marks``."""
        # Every second piece is a mark: that is how re.split() gives what it split by.
        pieces = tuple(re.split(f"({'|'.join(map(re.escape, marks))})", html))
        return cls(pieces, tuple((at, pieces[at]) for at in range(1, len(pieces), 2)))

    def filled(self, value_of: Callable[[str], str]) -> SafeString:
        """The text with ``value_of(mark)``, which is HTML, in each mark's place."""
        pieces = list(self.pieces)
        for at, mark in self.slots:
            pieces[at] = value_of(mark)
        return SafeString("".join(pieces))
