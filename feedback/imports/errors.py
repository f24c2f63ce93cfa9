"""What can be wrong with a file, said so that its owner knows what to do."""

from __future__ import annotations

from django.utils.translation import ngettext

from catalog.numbers import count_text


class ImportFileError(Exception):
    """The file cannot be imported; the message is a sentence for its owner."""


def no_films(n: int) -> str:
    """A note on rows that were left aside."""
    return ngettext(
        "One row is about a series, an episode or a game, not a film.",
        "%(n)s rows are about series, episodes or games, not films.",
        n,
    ) % {"n": count_text(n)}
