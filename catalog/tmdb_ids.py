"""What TMDB calls the films: for every answer of the API that lists some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from catalog.models import ExternalId
from catalog.shelf import current_shelf, remembered
from ml.idmap import IdMap

_SQL = """
    SELECT DISTINCT ON (movie_id) movie_id, value::bigint FROM catalog_externalid
    WHERE source = %(source)s AND (%(all)s OR movie_id = ANY (%(ids)s::bigint[]))
    ORDER BY movie_id, id
"""


class _Known(NamedTuple):
    """Films that have one, and int64[n] theirs."""

    films: IdMap
    tmdb: NDArray[np.int64]


def tmdb_ids(movie_ids: Sequence[int]) -> dict[int, int]:
    """{film id: TMDB id}, the first where a film has two; without a shelf one query."""
    if current_shelf() is None:
        return dict(_read(movie_ids))
    known = _all()
    at = known.films.index(movie_ids)
    places = zip(movie_ids, at.tolist(), strict=True)
    return {pk: int(known.tmdb[place]) for pk, place in places if place >= 0}


def prepare_tmdb_ids() -> None:
    """Reads those of all films; nothing without a shelf."""
    if current_shelf() is not None:
        _all()


def _all() -> _Known:
    return remembered("tmdb ids", _read_all)


def _read_all() -> _Known:
    rows = np.array(_read(None), dtype=np.int64).reshape(-1, 2)
    return _Known(IdMap(rows[:, 0]), rows[:, 1])


def _read(movie_ids: Sequence[int] | None) -> list[tuple[int, int]]:
    """Of these films, or of all; by film."""
    wanted = list(movie_ids or ())
    source = ExternalId.Source.TMDB.value
    with connection.cursor() as cursor:
        cursor.execute(_SQL, {"source": source, "all": movie_ids is None, "ids": wanted})
        return cursor.fetchall()
