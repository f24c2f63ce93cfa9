"""Films by the words, or the trigrams of titles, that they share with a text.

Both are sums over lists of the stored inverted index (catalog.services.search_terms).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from accounts.prepared import prepared_cursor
from catalog.shelf import GRAM_MARK, NEWEST_TERM, Postings, postings_of
from catalog.titles import fold
from ml.compiled import POSTINGS, kernels
from ml.retrieval import top_k
from ml.types import FloatArray

# Titles and names are indexed as they are, prose by its stems; a query's word may be either. Words
# that English full text drops ("the", "who") are dropped.
_LEXEMES_SQL = """
    SELECT part, tsvector_to_array(to_tsvector('english', part)) || ARRAY(
        SELECT word FROM unnest(tsvector_to_array(to_tsvector('simple', part))) word
        WHERE to_tsvector('english', word) <> ''::tsvector
    )
    FROM unnest(%(parts)s::text[]) AS part
"""
# What Postgres made of parts of requests: people use the same words.
_MAX_PARTS = 20_000
_lexemes: dict[str, list[str]] = {}
# Postgres reads on over a space where a tag may have begun, and takes "~x" and "./x" for files only
# at the beginning of a text.
_READ_ON = re.compile(r"[<~]|\./")
_NONE = np.zeros(0, dtype=np.int64)
# What each of the 65,536 bit patterns of a float16 stands for.
_HALVES = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)


def films_by_words(
    text: str, *, n: int, among: Sequence[int] | NDArray[np.int64] | None = None
) -> tuple[np.ndarray, FloatArray]:
    """(int64[k] film ids, float32[k] BM25 scores), the best ``n`` (of ``among``).

    Two queries at most, none where the words are known and their lists on the shelf.
    """
    postings = list(postings_of(lexemes_of(text)).values())
    if not postings:
        return _NONE, _NONE.astype(np.float32)
    scores = _summed(postings)
    if among is not None:
        allowed = np.asarray(among, dtype=np.int64)
        allowed = allowed[allowed < len(scores)]
        masked = np.zeros_like(scores)
        masked[allowed] = scores[allowed]
        scores = masked
    movie_ids, best = _best(scores, n)
    return movie_ids.astype(np.int64), best


def lexemes_of(text: str) -> list[str]:
    """The words of a text as they are indexed, sorted; one query where some are new here."""
    folded = fold(text)
    parts = [folded] if _READ_ON.search(folded) else list(dict.fromkeys(folded.split()))
    found = {part: known for part in parts if (known := _lexemes.get(part)) is not None}
    if missing := [part for part in parts if part not in found]:
        with prepared_cursor() as cursor:
            cursor.execute(_LEXEMES_SQL, {"parts": missing})
            read = dict(cursor.fetchall())
        found |= read
        if len(_lexemes) > _MAX_PARTS:
            _lexemes.clear()
        _lexemes.update(read)
    return sorted({lexeme for lexemes in found.values() for lexeme in lexemes})


def films_by_title_grams(grams: Collection[str], *, n: int) -> tuple[list[int], int] | None:
    """(the ``n`` films with the nearest titles, the newest film that the index knows).

    None where there is no index yet; one query at most.
    """
    found = postings_of([NEWEST_TERM, *(GRAM_MARK + gram for gram in grams)])
    newest = found.pop(NEWEST_TERM, None)
    if newest is None:
        return None
    if not found:
        return [], int(newest.movie_ids[0])
    movie_ids, _ = _best(_summed(list(found.values())), n)
    return movie_ids.tolist(), int(newest.movie_ids[0])


def _summed(postings: Sequence[Postings]) -> FloatArray:
    scores = np.zeros(max(int(ids[-1]) for ids, _ in postings) + 1, dtype=np.float32)
    compiled = kernels(POSTINGS)
    for ids, impacts in postings:
        if compiled is None:
            # In half the time of scores[ids] += impacts, which also adds halves one by one.
            np.add.at(scores, ids, impacts.astype(np.float32))
        else:
            compiled.add_impacts(scores, ids, impacts.view(np.uint16), _HALVES)
    return scores


def _best(scores: FloatArray, n: int) -> tuple[NDArray[np.int32], FloatArray]:
    """(the ``n`` films with the highest scores above 0, their scores), best first, ties by id."""
    best = top_k(scores[None, :], n)
    n_found = int(np.count_nonzero(best.score[0] > 0))
    return best.item_index[0, :n_found], best.score[0, :n_found]
