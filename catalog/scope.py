"""Which films an answer may show, and the nearest and best known among them.

By the shelf and the table of rounded vectors where this process has them, else by SQL.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.conditions import films_meeting, ids_meeting
from catalog.embeddings.models import EncoderSpace
from catalog.embeddings.nearest import (
    EXACT_BELOW,
    Near,
    among_sorted,
    nearest_among,
    nearest_films,
    nearest_meeting,
    nearest_of_rough,
)
from catalog.embeddings.rough import rough_vectors
from catalog.intent import Chip, Kind, Reading
from catalog.querysets import MovieQuerySet
from catalog.shelf import most_rated, rating_counts
from ml.types import FloatArray


@dataclass
class Scope:
    """The films that may be shown.

    ``known`` are they, with hidden ones among them, where the shelf has them; ``few`` are their ids
    where they are so few that they are compared one by one.
    """

    hard: tuple[Chip, ...]
    known: NDArray[np.int64] | None = None
    few: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, reading: Reading) -> Scope:
        hard = tuple(reading.hard)
        if not hard:
            return cls(hard)
        scope = cls(hard, ids_meeting(hard))
        if scope.known is None:
            found = scope.films.order_by("pk").values_list("pk", flat=True)
            ids = np.array(found[: EXACT_BELOW + 1], dtype=np.int64)
        else:
            ids = scope.known
        if len(ids) <= EXACT_BELOW:
            scope.few = ids
        return scope

    @property
    def is_everything(self) -> bool:
        """No condition."""
        return not self.hard

    @cached_property
    def films(self) -> MovieQuerySet:
        """For SQL, which is not always asked: making the query takes longer than the shelf."""
        return films_meeting(self.hard)

    @property
    def strict(self) -> tuple[Chip, ...]:
        """Conditions that are looked up again for the films that are shown: a certification that an
        editor has just set is never some seconds old."""
        return tuple(chip for chip in self.hard if chip.kind is Kind.CERTIFICATION)

    def passing(self, movie_ids: list[int]) -> list[int]:
        """Those of these that meet the conditions, as far as that is known without a query."""
        allowed = self.few if self.known is None else self.known
        if allowed is None:
            return movie_ids
        wanted = np.array(movie_ids, dtype=np.int64)
        return wanted[among_sorted(wanted, allowed)].tolist()

    def keep(
        self, movie_ids: list[int], *, hidden: Collection[int] | None = None
    ) -> dict[int, int]:
        """Those that may be shown, among these, and how many people rated each.

        One query where it is not given which films are ``hidden``.
        """
        if self.is_everything or self.few is not None or self.known is not None:
            counts = rating_counts(self.passing(movie_ids), hidden=hidden)
            return {pk: counts[pk] for pk in self._confirmed(list(counts))}
        films = self.films.filter(pk__in=movie_ids)
        return dict(films.values_list("pk", "rating_count"))

    def most_rated(self, n: int) -> list[int]:
        """The ``n`` of them that most people rated; a query or two."""
        wanted = 2 * n if self.strict else n
        found = None if self.known is None else most_rated(self.known, wanted)
        if found is not None:
            confirmed = self._confirmed(found)
            if len(confirmed) >= n or len(found) < wanted:
                return confirmed[:n]
        ranked = self.films.order_by("-rating_count", "pk")
        return list(ranked.values_list("pk", flat=True)[:n])

    def _confirmed(self, movie_ids: list[int]) -> list[int]:
        """Those of these, which the shelf says meet the conditions, that still do."""
        if not self.strict or self.known is None:
            return movie_ids
        films = films_meeting(self.strict).filter(pk__in=movie_ids)
        still = set(films.values_list("pk", flat=True))
        return [pk for pk in movie_ids if pk in still]

    def nearest(
        self, vector: FloatArray, space: EncoderSpace, n: int, *, also: Collection[int] = ()
    ) -> Near:
        """The ``n`` of them nearest to a vector, and how near those of ``also`` are that may be
        shown; hidden ones may be among them."""
        rough = rough_vectors(space)
        allowed = self.few if self.known is None else self.known
        if rough is not None and (self.is_everything or allowed is not None):
            return nearest_of_rough(
                vector, space, rough, among=allowed, also=self.passing(sorted(also)), n=n
            )
        if self.is_everything:
            near = nearest_films(vector, space, n=n)
        elif self.few is not None:
            near = nearest_among(vector, space, movie_ids=self.few, n=n)
        else:
            near = nearest_meeting(vector, space, films=self.films, n=n)
        missing = self.passing(sorted(set(also) - set(near.movie_ids)))
        if not missing:
            return near
        more = nearest_among(vector, space, movie_ids=missing, n=len(missing))
        return Near(near.movie_ids + more.movie_ids, near.similarity + more.similarity)
