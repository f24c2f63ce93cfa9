"""What simulated people have tastes about: the films as the served model sees them."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalog import warehouse
from catalog.models import Movie
from ml.models.als import Als
from ml.simulation import Floats, World, leanings_of, unit_factors
from ml.types import Histories, Interactions
from recommendations.snapshot import Snapshot

LIKED = 4.0  # stars
MAX_MODELS_OF_TASTE = 5000  # people whose ratings say how tastes are spread


class NoVectorsError(Exception):
    """The served model holds no film vectors to make tastes from; the message says what to do."""


def world_of(snapshot: Snapshot) -> tuple[World, NDArray[np.int64]]:
    """Films as the served model sees them, and their ids. Raises NoVectorsError.

    It is frozen at the start: what is trained later does not move it.
    """
    model = _als(snapshot)
    fame = dict(Movie.objects.visible().values_list("pk", "rating_count"))
    known = [at for at, pk in enumerate(snapshot.items.ids) if int(pk) in fame and model.seen[at]]
    ids = snapshot.items.ids[known]
    counts = np.array([fame[int(pk)] for pk in ids], dtype=np.float64)
    return World(unit_factors(model.item_factors[known]), np.log1p(counts)), ids


def real_leanings(snapshot: Snapshot) -> tuple[Floats | None, int]:
    """How the tastes of the imported people are spread, by what they liked, and of how many.

    None, 0 where no two people were imported who differ. Raises NoVectorsError.
    """
    rows = warehouse.read_ratings().filter(pl.col("rating") >= LIKED)
    keys = rows["user_key"].unique().sort()
    some = keys.sample(MAX_MODELS_OF_TASTE, seed=0) if len(keys) > MAX_MODELS_OF_TASTE else keys
    rows = rows.filter(pl.col("user_key").is_in(some.implode()))
    item_index = snapshot.items.index(rows["movie_id"].to_numpy())
    rows = rows.filter(pl.Series(item_index >= 0))
    people, user_index = np.unique(rows["user_key"].to_numpy(), return_inverse=True)
    liked = Interactions(
        user_index=user_index.astype(np.int32),
        item_index=item_index[item_index >= 0].astype(np.int32),
        rating=rows["rating"].to_numpy(),
        timestamp=rows["timestamp"].to_numpy(),
        n_users=len(people),
        n_items=len(snapshot.items),
    )
    leanings = leanings_of(_als(snapshot).user_vectors_of_many(Histories.from_interactions(liked)))
    return leanings, 0 if leanings is None else len(people)


def _als(snapshot: Snapshot) -> Als:
    for model in snapshot.hybrid.models.values():
        if isinstance(model, Als):
            return model
    raise NoVectorsError("The served model has no film vectors (als): train it again.")
