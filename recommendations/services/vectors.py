"""Item vectors of the served collaborative model in pgvector: written beside the old, then swapped.

A version's rows and its own index are complete before it is promoted; a query names the version,
so it never sees two. Versions that are no longer served lose theirs after the swap.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray
from pgvector import Vector

from ml.models.base import Recommender
from ml.models.hybrid import Hybrid
from recommendations.models import ItemVector, ModelVersion
from recommendations.snapshot import Serving

HNSW_M = 16
HNSW_EF_CONSTRUCTION = 64
BATCH = 2000


def collaborative_vectors(model: Recommender) -> NDArray[np.float32] | None:
    """float32[n_items, d] of the model, or of the part of a blend, with item factors; None without.

    Films that the model never saw have zero rows.
    """
    for part in model.models.values() if isinstance(model, Hybrid) else [model]:
        factors = getattr(part, "item_factors", None)
        if factors is not None:
            seen = getattr(part, "seen", np.ones(len(factors), dtype=np.bool_))
            return np.where(seen[:, None], factors, np.float32(0))
    return None


def vectors_write(version: ModelVersion, serving: Serving) -> int:
    """Writes the version's vectors and builds their index; how many films have one.

    All or nothing, and again from the start where it was interrupted. Others are not touched.
    """
    factors = collaborative_vectors(serving.model)
    if factors is None:
        return 0
    length = np.linalg.norm(factors, axis=1)
    there = np.flatnonzero(length > 0)
    unit = factors[there] / length[there, None]
    movie_ids = serving.items.id(there)
    with transaction.atomic(), connection.cursor() as cursor:
        ItemVector.objects.filter(model_version=version).delete()
        # Films that were deleted since the training have no row to stand beside.
        cursor.execute("SELECT id FROM catalog_movie WHERE id = ANY (%s)", [movie_ids.tolist()])
        known = {pk for (pk,) in cursor.fetchall()}
        copy = (
            "COPY recommendations_itemvector (model_version_id, movie_id, vector, length) "
            "FROM STDIN"
        )
        with cursor.copy(copy) as rows:
            for place, movie_id in enumerate(movie_ids.tolist()):
                if movie_id in known:
                    text = Vector(unit[place]).to_text()
                    rows.write_row((version.pk, movie_id, text, float(length[there[place]])))
    _index_build(version, dim=factors.shape[1])
    return len(known)


def vectors_drop_others(version: ModelVersion) -> int:
    """Removes rows and indexes of all other versions of its kind; how many rows."""
    others = ItemVector.objects.filter(model_version__kind=version.kind).exclude(
        model_version=version
    )
    return vectors_drop(others.order_by().values_list("model_version_id", flat=True).distinct())


def vectors_drop(version_ids: Iterable[int]) -> int:
    """Removes rows and indexes of these versions; how many rows."""
    old = list(version_ids)
    how = "" if connection.in_atomic_block else "CONCURRENTLY"
    with connection.cursor() as cursor:
        for pk in old:
            cursor.execute(f"DROP INDEX {how} IF EXISTS {index_name(pk)}")
    n_rows, _ = ItemVector.objects.filter(model_version_id__in=old).delete()
    return n_rows


def index_name(version_id: int) -> str:
    """The partial index of one version."""
    return f"recommendations_hnsw_version_{int(version_id)}"


def _index_build(version: ModelVersion, *, dim: int) -> None:
    """Concurrently, unless inside somebody's transaction, where Postgres refuses to."""
    name = index_name(version.pk)
    how = "" if connection.in_atomic_block else "CONCURRENTLY"
    with connection.cursor() as cursor:
        if connection.in_atomic_block:  # nor over rows whose foreign keys wait to be checked
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        # A build that was interrupted leaves an index that answers nothing.
        cursor.execute(f"DROP INDEX {how} IF EXISTS {name}")
        cursor.execute(
            f"CREATE INDEX {how} {name} ON recommendations_itemvector USING hnsw "
            f"((vector::vector({int(dim)})) vector_cosine_ops) "
            f"WITH (m = {HNSW_M}, ef_construction = {HNSW_EF_CONSTRUCTION}) "
            f"WHERE model_version_id = {int(version.pk)}"
        )
