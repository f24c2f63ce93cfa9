"""Films by the words that they share with a text: BM25 over the stored inverted index."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from django.db import connection

from catalog.titles import fold
from ml.types import FloatArray

# Titles and names are indexed as they are, prose by its stems; a query's word may be either. Words
# that English full text drops ("the", "who") are dropped.
_SQL = """
    SELECT movie_ids, impacts FROM catalog_searchterm
    WHERE term = ANY (
        tsvector_to_array(to_tsvector('english', %(text)s)) || ARRAY(
            SELECT word FROM unnest(tsvector_to_array(to_tsvector('simple', %(text)s))) word
            WHERE to_tsvector('english', word) <> ''::tsvector
        )
    )
"""
_NONE = np.zeros(0, dtype=np.int64)


def films_by_words(
    text: str, *, n: int, among: Collection[int] | None = None
) -> tuple[np.ndarray, FloatArray]:
    """(int64[k] film ids, float32[k] BM25 scores), the best ``n`` (of ``among``); one query."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, {"text": fold(text)})
        postings = [
            (np.frombuffer(ids, dtype="<i4"), np.frombuffer(impacts, dtype="<f2"))
            for ids, impacts in cursor.fetchall()
        ]
    if not postings:
        return _NONE, _NONE.astype(np.float32)
    scores = np.zeros(max(int(ids[-1]) for ids, _ in postings) + 1, dtype=np.float32)
    for ids, impacts in postings:
        scores[ids] += impacts  # a film stands once in a term's list
    if among is not None:
        allowed = np.fromiter(among, dtype=np.int64, count=len(among))
        allowed = allowed[allowed < len(scores)]
        masked = np.zeros_like(scores)
        masked[allowed] = scores[allowed]
        scores = masked
    found = np.flatnonzero(scores)
    if len(found) > n:
        found = found[np.argpartition(-scores[found], n)[:n]]
    order = found[np.lexsort((found, -scores[found]))]
    return order.astype(np.int64), scores[order]
