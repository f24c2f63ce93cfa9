"""Shapes of queries over films."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catalog.models import Movie


class MovieQuerySet(models.QuerySet["Movie"]):
    """Films, filtered the way pages ask for them."""

    def visible(self) -> Self:
        """What people may see: hidden films are shown nowhere."""
        return self.filter(is_hidden=False)

    def for_cards(self) -> Self:
        """With all that a card shows, in two queries whatever the number of films."""
        return self.defer(
            "search_vector", "title_trigrams", "synopsis", "tagline"
        ).prefetch_related("genres")

    def in_order(self, ids: Sequence[int]) -> list[Movie]:
        """The visible films among ``ids``, as cards need them, in the order of ``ids``."""
        found = {movie.pk: movie for movie in self.visible().for_cards().filter(pk__in=ids)}
        return [found[pk] for pk in ids if pk in found]
