"""The inverted index of words and of the trigrams of titles, read by catalog.words.

Words come from the full-text vectors and are weighed by BM25; trigrams from the normalised titles,
weighed by cosine with idf: "  th" is in every tenth title and tells nothing.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import polars as pl
from django.db import connection, transaction
from django.db.models import Max

from catalog.embeddings.models import SearchTerm
from catalog.models import Movie
from catalog.shelf import GRAM_MARK, NEWEST_TERM

# Chosen on the validation half of benchmarks/queries/known_items.jsonl, MRR@10 of words alone: the
# usual constants (1.2 and .75; Robertson and Zaragoza 2009) with full weight for titles give .428,
# b .4 gives .550, titles and names at .3 besides give .618, k1 .8 and b .25 besides .643.
K1 = 0.8
B = 0.25
# What one mention counts in titles, among people, in keywords and genres, and in prose. Titles have
# a search of their own; here a short one would drown what films are about.
FIELD_WEIGHTS = {"A": 0.3, "B": 0.3, "C": 1.5, "D": 1.0}
# Words of more films than this say nothing about one of them.
MAX_SHARE = 0.25
_LOCK = 0x4D51_5453

_POSTINGS = """
    COPY (
        SELECT m.id, u.lexeme, array_to_string(u.weights, '')
        FROM catalog_movie m, unnest(m.search_vector) u
        WHERE length(u.lexeme) <= 120 AND u.weights IS NOT NULL
    ) TO STDOUT (FORMAT csv)
"""


def search_terms_rebuild() -> int:
    """Index the words of all films anew, in one transaction; returns the number of words.

    70,000 films take some 15 s; readers see the former index until the end.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        words = _impacts(_read_postings(cursor))
        rows = [*words, *_title_grams(), _newest()]
        SearchTerm.objects.all()._raw_delete("default")
        with cursor.copy(
            "COPY catalog_searchterm (term, n_films, movie_ids, impacts) FROM STDIN"
        ) as copy:
            for term, ids, impacts in rows:
                copy.write_row(
                    (
                        term,
                        len(ids),
                        np.asarray(ids, dtype="<i4").tobytes(),
                        np.asarray(impacts, dtype="<f2").tobytes(),
                    )
                )
    return len(words)


def _read_postings(cursor: Any) -> pl.DataFrame:
    buffer = io.BytesIO()
    with cursor.copy(_POSTINGS) as copy:
        for block in copy:
            buffer.write(block)
    buffer.seek(0)
    schema = {"id": pl.Int32, "term": pl.String, "weights": pl.String}
    if buffer.getbuffer().nbytes == 0:
        return pl.DataFrame(schema=schema)
    return pl.read_csv(buffer, has_header=False, schema=schema)


def _title_grams() -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(marked trigram, film ids, impacts): the parts of a cosine between titles."""
    films = Movie.objects.values_list("pk", "title_trigrams").iterator()
    table = pl.DataFrame(
        ((pk, grams) for pk, grams in films),
        schema={"id": pl.Int32, "gram": pl.List(pl.String)},
        orient="row",
    )
    rows = table.explode("gram").drop_nulls()
    if rows.is_empty():
        return []
    n_films = table.height
    df = pl.len().over("gram").cast(pl.Float32)
    rows = rows.with_columns(idf=(1 + n_films / df).log())
    rows = rows.with_columns(norm=(pl.col("idf") ** 2).sum().over("id").sqrt())
    rows = rows.with_columns(impact=pl.col("idf") ** 2 / pl.col("norm"))
    grouped = rows.sort("gram", "id").group_by("gram", maintain_order=True)
    lists = grouped.agg(pl.col("id"), pl.col("impact"))
    return [
        (GRAM_MARK + gram, ids.to_numpy(), impacts.to_numpy())
        for gram, ids, impacts in zip(lists["gram"], lists["id"], lists["impact"], strict=True)
    ]


def _newest() -> tuple[str, np.ndarray, np.ndarray]:
    """The newest film that the index knows: later ones are looked for in the table."""
    newest = Movie.objects.aggregate(newest=Max("pk"))["newest"] or 0
    return NEWEST_TERM, np.array([newest]), np.zeros(1)


def _impacts(postings: pl.DataFrame) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(term, film ids ascending, BM25 impacts with the term's idf inside), one for each term."""
    n_films = max(1, postings["id"].n_unique())
    tf = pl.sum_horizontal(
        pl.col("weights").str.count_matches(letter, literal=True) * weight
        for letter, weight in FIELD_WEIGHTS.items()
    )
    rows = postings.with_columns(tf=tf.cast(pl.Float32))
    rows = rows.with_columns(
        length=pl.col("tf").sum().over("id"), df=pl.len().over("term").cast(pl.Float32)
    )
    # Small catalogues say everything often: a word of up to ten films is always kept.
    rows = rows.filter((pl.col("df") <= MAX_SHARE * n_films) | (pl.col("df") <= 10))
    mean = rows.group_by("id").agg(pl.col("length").first())["length"].mean() or 1.0
    norm = K1 * (1 - B + B * pl.col("length") / mean)
    idf = ((n_films - pl.col("df") + 0.5) / (pl.col("df") + 0.5) + 1).log()
    rows = rows.with_columns(impact=idf * pl.col("tf") * (K1 + 1) / (pl.col("tf") + norm))
    grouped = rows.sort("term", "id").group_by("term", maintain_order=True)
    table = grouped.agg(pl.col("id"), pl.col("impact"))
    return [
        (term, ids.to_numpy(), impacts.to_numpy())
        for term, ids, impacts in zip(table["term"], table["id"], table["impact"], strict=True)
    ]
