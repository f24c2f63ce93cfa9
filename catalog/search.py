"""Finding films by what people type: forgiving titles first, then people, keywords and synopses.

Two questions to Postgres, fused here. *Titles*: films sharing the most trigrams with the query (an
array column under GIN: the embedded server has no ``pg_trgm``), scored again with rapidfuzz, which
knows about order and length. *Words*: full text over everything a film says, ranked by where the
words stand. An exact title comes first; fame decides between equals.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from accounts.prepared import array_text, prepared_cursor
from catalog.shelf import TitleRow, title_rows
from catalog.titles import fold, normalize_title, trigrams
from catalog.words import films_by_title_grams

MAX_QUERY = 120
MAX_RESULTS = 240
# Title candidates that rapidfuzz looks at. More changes nothing on 9,741 titles (measured by
# tests/catalog/test_search_quality.py on misspelt titles); it costs 4 microseconds each.
TITLE_CANDIDATES = 200
# A title that comes near a request of so many letters shares dozens of trigrams with it: it is not
# to be looked for among two hundred that share some.
LONG_REQUEST = 48
LONG_CANDIDATES = 40
# While typing, the best known of the titles that begin so.
PREFIX_CANDIDATES = 30
WORD_CANDIDATES = 240
# Below this a title has nothing to do with the query: "heat" and "cheetah" have 73.
MIN_TITLE_SCORE = 74.0
# Where nothing better is found: "matricks" for "matrix" has 71.
LOOSE_TITLE_SCORE = 66.0
_YEAR = re.compile(r"(?:^|\s)\(?((?:18|19|20)\d\d)\)?$")
# Full text finds the word in the right field or not at all: between a good and a fair title match.
_WORD_SCORE = 60.0
_WORD_SPAN = 24.0
_YEAR_BONUS = 12.0
_FAME_WEIGHT = 0.9
_SURROGATES = 0xD800, 0xE000  # code points that no text holds, and the first behind them
# A title that cannot reach this by its length alone is not compared: what counts starts above.
_NEVER_BELOW = LOOSE_TITLE_SCORE - _YEAR_BONUS


@dataclass(frozen=True)
class Query:
    """What was typed, taken apart. ``year`` is a year at the end, ``title`` what stands before."""

    raw: str
    normalized: str
    title: str
    year: int | None

    @property
    def is_empty(self) -> bool:
        """Nothing to look for."""
        return not self.normalized

    @property
    def readings(self) -> tuple[str, ...]:
        """Titles that may have been meant: as typed, without the year, without a garbled "the"."""
        readings = [self.normalized, self.title]
        for typed in (self.normalized, self.title):
            first, _, rest = typed.partition(" ")
            if len(rest) >= 3 and OSA.distance(first, "the") == 1:
                readings.append(rest)
        return tuple(dict.fromkeys(readings))


@dataclass(frozen=True)
class Hit:
    """A film found. ``is_exact``: one of its titles is what was typed (and its year, if given).

    ``title_score``: how near one of its titles comes, 0 to 100, fame and year apart.
    """

    movie_id: int
    score: float
    is_exact: bool
    title_score: float = 0.0


class _Reading(NamedTuple):
    """A title that may have been meant; ``solid`` without spaces."""

    text: str
    solid: str
    is_without_year: bool


def parse_query(raw: str) -> Query:
    """Fold the text and see whether it ends in a year: "heat 1995", "Heat (1995)"."""
    text = " ".join(raw.replace("\0", "").split())[:MAX_QUERY]
    normalized = normalize_title(text) if any(char.isalnum() for char in text) else ""
    match = _YEAR.search(text)
    before = text[: match.start()].strip() if match else ""
    if match is None or not any(char.isalnum() for char in before):
        return Query(raw=text, normalized=normalized, title=normalized, year=None)
    return Query(raw=text, normalized=normalized, title=normalize_title(before), year=int(match[1]))


def search_films(
    raw: str,
    *,
    limit: int = MAX_RESULTS,
    titles_only: bool = False,
    include_hidden: bool = False,
) -> list[Hit]:
    """Films for a query, best first, in two queries to Postgres (one for titles only).

    Hidden films are found for editors alone (``include_hidden``).
    """
    query = parse_query(raw)
    if query.is_empty:
        return []
    found = {row.movie_id: row for row in _by_title(query, include_hidden)}
    words: dict[int, float] = {}
    if not titles_only:
        for row, rank in _by_words(query, include_hidden):
            found[row.movie_id] = row
            words[row.movie_id] = _WORD_SCORE + _WORD_SPAN * rank
    readings = [
        _Reading(text, text.replace(" ", ""), query.year is not None and text == query.title)
        for text in query.readings
    ]
    # What is too short for every reading has no score: of a long request most titles are.
    shortest = min(_shortest(reading.solid) for reading in readings)
    rows = [row for row in found.values() if row.longest >= shortest or row.movie_id in words]
    scored = list(zip(rows, *_title_scores(query, readings, rows), strict=True))
    for least in (MIN_TITLE_SCORE, LOOSE_TITLE_SCORE):
        hits = [
            _hit(query, row, best=best if best >= least else 0.0, plain=plain, word=word)
            for row, best, plain in scored
            if (word := words.get(row.movie_id, 0.0)) or best >= least
        ]
        if hits:
            break
    hits.sort(key=lambda hit: (-hit.score, hit.movie_id))
    return hits[:limit]


def _title_scores(
    query: Query, readings: Sequence[_Reading], rows: Sequence[TitleRow]
) -> tuple[list[float], list[float]]:
    """(the best score of each film with what the year adds or takes, the best without)."""
    titles = [title for row in rows for title in row.variants]
    row_of = [at for at, row in enumerate(rows) for _ in row.variants]
    best, plain = np.zeros(len(rows)), np.zeros(len(rows))
    for reading in readings:
        score = np.zeros(len(rows))
        np.maximum.at(score, np.array(row_of, dtype=np.intp), _likeness(reading, titles))
        plain = np.maximum(plain, score)
        if reading.is_without_year:
            score += [_YEAR_BONUS if row.year == query.year else -_YEAR_BONUS for row in rows]
        # The whole query may be the title, year and all: "Blade Runner 2049".
        best = np.maximum(best, score)
    return best.tolist(), plain.tolist()


def _hit(query: Query, row: TitleRow, *, best: float, plain: float, word: float) -> Hit:
    is_exact = query.normalized in row.titles or (
        query.title in row.titles and row.year == query.year
    )
    fame = _FAME_WEIGHT * math.log2(1 + row.rating_count)
    return Hit(
        movie_id=row.movie_id,
        score=max(best, word) + fame + (1000.0 if is_exact else 0.0),
        is_exact=is_exact,
        title_score=plain,
    )


def _likeness(reading: _Reading, titles: Sequence[str]) -> NDArray[np.float64]:
    """float64[n], 0 to 100: how near each title comes; spaces and word order may be wrong, ends
    missing.

    Titles too short to come near a long request count 0: no ratio of theirs can pass.
    """
    typed, solid = reading.text, reading.solid
    length = np.array([len(title) for title in titles])
    without_spaces = [title.replace(" ", "") for title in titles]
    score = np.maximum(
        _ratios(fuzz.ratio, typed, titles), 0.98 * _ratios(fuzz.ratio, solid, without_spaces)
    )
    if len(typed) >= 3:
        score = np.maximum(score, 0.95 * _ratios(fuzz.token_sort_ratio, typed, titles))
        longer = np.flatnonzero(length > len(typed))
        begun = _beginnings(typed, [titles[at] for at in longer.tolist()])
        score[longer] = np.maximum(score[longer], begun)
    score[length < _shortest(solid)] = 0.0
    return score


def _beginnings(typed: str, titles: Sequence[str]) -> NDArray[np.float64]:
    """float64[n]: of titles, or of one of their words, with the same forgiveness."""
    score = 0.90 * _ratios(fuzz.ratio, typed, [title[: len(typed) + 1] for title in titles])
    if len(typed) >= 5:
        score = np.maximum(score, 0.86 * _ratios(fuzz.partial_ratio, typed, titles))
    begins_a_word = f" {typed}"
    for at, title in enumerate(titles):
        if title.startswith(typed):
            score[at] = 95.0
        elif begins_a_word in title:
            score[at] = 88.0
    return score


def _ratios(scorer: Any, typed: str, titles: Sequence[str]) -> NDArray[np.float64]:
    return process.cdist([typed], titles, scorer=scorer, dtype=np.float64)[0]


def _shortest(solid: str) -> float:
    """How long a title is at least whose ratio with this text can be ``_NEVER_BELOW``.

    A ratio is 200 times the letters in common by all letters of both.
    """
    return _NEVER_BELOW * len(solid) / (200 - _NEVER_BELOW)


_TITLE_SQL = """
    SELECT id, titles_normalized, year, rating_count
    FROM (
        SELECT m.*, (
            SELECT count(*) FROM unnest(m.title_trigrams) AS gram WHERE gram = ANY (%(grams)s)
        ) AS shared
        FROM catalog_movie m
        WHERE m.title_trigrams && %(telling)s::varchar[] AND (%(hidden)s OR NOT m.is_hidden)
    ) found
    ORDER BY shared * (1 + shared::float / (cardinality(title_trigrams) + 8)) DESC,
        rating_count DESC, id
    LIMIT %(limit)s
"""

_WORD_SQL = """
    WITH typed AS (
        SELECT websearch_to_tsquery('simple', %(text)s)
            || websearch_to_tsquery('english', %(text)s) AS words
    )
    SELECT m.id, m.titles_normalized, m.year, m.rating_count,
        ts_rank('{0.1, 0.4, 0.7, 1.0}', m.search_vector, typed.words, 1) AS rank
    FROM catalog_movie m, typed
    WHERE m.search_vector @@ typed.words AND (%(hidden)s OR NOT m.is_hidden)
    ORDER BY rank DESC, m.rating_count DESC, m.id
    LIMIT %(limit)s
"""


# Once the titles are indexed (catalog.words): those films, what begins or is as typed, and what the
# index does not know yet. Each part has an index of its own. Of films whose rows are known already
# only those are read that were hidden meanwhile. {shown} is one of two conditions of ours. Titles
# that begin so by comparison, not LIKE: kept plans know how to use an index for that; and with two
# bounds: of one alone a kept plan thinks that a third of all films are beyond it.
_INDEXED_SQL = """
    WITH ids AS (
        SELECT unnest(%(unread)s::bigint[]) AS id
        UNION SELECT id FROM catalog_movie
            WHERE titles_normalized @> ARRAY[%(typed)s]::varchar[]
        UNION SELECT id FROM catalog_movie WHERE id > %(newest)s AND id < {endless}
            AND title_trigrams && %(grams)s::varchar[]
        UNION (
            SELECT id FROM catalog_movie
            WHERE title_normalized::text ~>=~ %(typed)s AND title_normalized::text ~<~ %(after)s
                AND {shown}
            ORDER BY rating_count DESC, id LIMIT %(prefixed)s
        )
    )
    SELECT m.id, m.titles_normalized, m.year, m.rating_count
    FROM catalog_movie m JOIN ids USING (id) WHERE {shown}
    UNION ALL
    SELECT id, NULL, NULL, NULL FROM catalog_movie
    WHERE NOT {shown} AND id = ANY (%(read)s::bigint[])
"""
_ENDLESS = 2**63 - 1
_SHOWN_SQL = _INDEXED_SQL.format(shown="NOT is_hidden", endless=_ENDLESS)
_ALL_SQL = _INDEXED_SQL.format(shown="TRUE", endless=_ENDLESS)


def _by_title(query: Query, include_hidden: bool) -> list[TitleRow]:
    grams = sorted({gram for typed in query.readings for gram in trigrams(typed)})
    is_long = len(query.normalized) >= LONG_REQUEST
    indexed = films_by_title_grams(grams, n=LONG_CANDIDATES if is_long else TITLE_CANDIDATES)
    if indexed is None:
        return _by_title_unindexed(query, grams, include_hidden)
    ids, newest = indexed
    kept = title_rows()
    found = {movie_id: row for movie_id in ids if (row := kept.get(movie_id)) is not None}
    with prepared_cursor() as cursor:
        cursor.execute(
            _ALL_SQL if include_hidden else _SHOWN_SQL,
            {
                "unread": array_text(movie_id for movie_id in ids if movie_id not in found),
                "read": array_text(found),
                "typed": query.normalized,
                "after": _after(query.normalized),
                "grams": grams,
                "newest": newest,
                "prefixed": PREFIX_CANDIDATES,
            },
        )
        rows = cursor.fetchall()
    for movie_id, titles, year, count in rows:
        if titles is None:
            found.pop(movie_id)
        else:
            found[movie_id] = kept[movie_id] = TitleRow.of(movie_id, titles, year, count)
    return list(found.values())


def _after(prefix: str) -> str:
    """The first text behind all that begin so, in the order of code points."""
    for end in range(len(prefix), 0, -1):
        code = ord(prefix[end - 1]) + 1
        if code == _SURROGATES[0]:
            code = _SURROGATES[1]
        if code <= sys.maxunicode:
            return prefix[: end - 1] + chr(code)
    return prefix


def _by_title_unindexed(query: Query, grams: list[str], include_hidden: bool) -> list[TitleRow]:
    # A word's first letter alone ("  m") stands in a tenth of all titles: it counts, but only
    # where a query has little else does it fetch.
    telling = [gram for gram in grams if not gram.startswith("  ")]
    with connection.cursor() as cursor:
        cursor.execute(
            _TITLE_SQL,
            {
                "grams": grams,
                "telling": telling if len(telling) >= 4 else grams,
                "hidden": include_hidden,
                "limit": TITLE_CANDIDATES,
            },
        )
        return [TitleRow.of(*row) for row in cursor.fetchall()]


def _by_words(query: Query, include_hidden: bool) -> list[tuple[TitleRow, float]]:
    """Films and how well their words fit, the best 1."""
    text = fold(query.raw)
    if query.year is not None:
        text = _YEAR.sub("", text)
    with connection.cursor() as cursor:
        cursor.execute(
            _WORD_SQL, {"text": text, "hidden": include_hidden, "limit": WORD_CANDIDATES}
        )
        rows = cursor.fetchall()
    top = max((rank for *_, rank in rows), default=0.0) or 1.0
    return [(TitleRow.of(*row), max(rank / top, 1e-3)) for *row, rank in rows]
