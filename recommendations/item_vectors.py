"""Films near a film, or near a person, by the served model's item vectors, under any SQL filter."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import connection, transaction
from pgvector import Vector

from catalog.querysets import MovieQuerySet
from ml.types import FloatArray, Histories
from recommendations.models import ItemVector
from recommendations.snapshot import Snapshot

EF_SEARCH = 120
MAX_SCAN_TUPLES = 60_000
# A person's score is cosine times length: among so many times the wanted films by cosine stand
# those that are best by both.
WIDER = 4


def similar_by_vectors(
    movie_id: int, snapshot: Snapshot, *, films: MovieQuerySet, n: int
) -> list[tuple[int, float]]:
    """(film, cosine) of the ``n`` of ``films`` nearest to a film; none where it has no vector."""
    vector = (
        ItemVector.objects.filter(model_version_id=snapshot.version_id, movie_id=movie_id)
        .values_list("vector", flat=True)
        .first()
    )
    if vector is None:
        return []
    unit = np.asarray(vector, dtype=np.float32)
    others = films.exclude(pk=movie_id)
    return [
        (pk, 1.0 - distance)
        for pk, distance, _length in _nearest(unit, snapshot.version_id, films=others, n=n)
    ]


def retrieve(
    history: Histories, snapshot: Snapshot, *, films: MovieQuerySet, n: int
) -> list[tuple[int, float]]:
    """(film, score) of the best ``n`` of ``films`` for one person, by the model's own score.

    ``history`` is one row in the snapshot's positions; the person is folded in from it. Nothing
    comes back for an empty history, or where the model has no vectors.
    """
    model = next((m for m in snapshot.hybrid.models.values() if hasattr(m, "item_factors")), None)
    if model is None:
        return []
    person = model.user_vectors(history)[0]  # type: ignore[attr-defined]
    length = float(np.linalg.norm(person))
    if not length:
        return []
    rows = _nearest(person / length, snapshot.version_id, films=films, n=n * WIDER)
    scored = [(pk, length * own * (1.0 - distance)) for pk, distance, own in rows]
    return sorted(scored, key=lambda row: (-row[1], row[0]))[:n]


def nearest_sql(
    vector: FloatArray, version_id: int, *, films: MovieQuerySet, n: int
) -> tuple[str, list[Any]]:
    """The query and its parameters; tests read its plan."""
    allowed, params = films.order_by().values("pk").query.sql_with_params()
    dim, version = len(vector), int(version_id)
    # Numbers of our own stand in the text: the partial index is found by them.
    sql = f"""
        WITH near AS MATERIALIZED (
            SELECT v.movie_id, v.length, v.vector::vector({dim}) <=> %s::vector AS distance
            FROM recommendations_itemvector v
            WHERE v.model_version_id = {version} AND v.movie_id IN ({allowed})
            ORDER BY v.vector::vector({dim}) <=> %s::vector
            LIMIT %s
        )
        SELECT movie_id, distance, length FROM near ORDER BY distance, movie_id
    """  # noqa: S608
    text = Vector(np.asarray(vector, dtype=np.float32)).to_text()
    return sql, [text, *params, text, n]


def _nearest(
    vector: FloatArray, version_id: int, *, films: MovieQuerySet, n: int
) -> list[tuple[int, float, float]]:
    """The index scanned on until ``n`` films passed the filter."""
    with transaction.atomic(), connection.cursor() as cursor:
        prepare(cursor, n=n)
        sql, params = nearest_sql(vector, version_id, films=films, n=n)
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def prepare(cursor: object, *, n: int) -> None:
    """As ``catalog.embeddings.nearest``: scan on, and by the index, whatever the filter."""
    cursor.execute(  # type: ignore[attr-defined]
        "SET LOCAL hnsw.iterative_scan = relaxed_order;"
        f"SET LOCAL hnsw.ef_search = {min(1000, max(EF_SEARCH, n))};"
        f"SET LOCAL hnsw.max_scan_tuples = {MAX_SCAN_TUPLES};"
        "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
        "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"
    )
