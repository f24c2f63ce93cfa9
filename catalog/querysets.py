"""Shapes of queries over films."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models.functions import Cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catalog.models import Movie


#: Room for every film's id below a figure.
KEY_SPAN = 1 << 32


def order_key(value: Any, *, sign: int) -> models.ExpressionWrapper:
    """A number that no two films share: by ``value``, then by id (``sign`` -1: from the top)."""
    # Wrapped, or Django takes the sum for a 32-bit number and drops comparisons beyond it.
    return models.ExpressionWrapper(
        Cast(value, models.BigIntegerField()) * models.Value(KEY_SPAN)
        + models.Value(sign) * models.F("id"),
        output_field=models.BigIntegerField(),
    )


def popularity_key() -> models.ExpressionWrapper:
    """The order of lists that ask for none; the index ``catalog_movie_in_turn`` holds it."""
    return order_key(models.F("rating_count"), sign=-1)


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
