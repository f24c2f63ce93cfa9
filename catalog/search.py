"""Finding films by what people type: forgiving titles first, then people, keywords and synopses.

Two questions to Postgres, fused here. *Titles*: films sharing the most trigrams with the query (an
array column under GIN: the embedded server has no ``pg_trgm``), scored again with rapidfuzz, which
knows about order and length. *Words*: full text over everything a film says, ranked by where the
words stand. An exact title comes first; fame decides between equals.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from catalog.shelf import TitleRow, title_rows
from catalog.titles import fold, normalize_title, trigrams
from catalog.words import films_by_title_grams

MAX_QUERY = 120
MAX_RESULTS = 240
# Title candidates that rapidfuzz looks at. More changes nothing on 9,741 titles (measured by
# tests/catalog/test_search_quality.py on misspelt titles); it costs 4 microseconds each.
TITLE_CANDIDATES = 200
# While typing, the best known of the titles that begin so.
PREFIX_CANDIDATES = 30
WORD_CANDIDATES = 240
# Below this a title has nothing to do with the query: "heat" and "cheetah" have 73.
MIN_TITLE_SCORE = 74.0
# Where nothing better is found: "matricks" for "matrix" has 71.
LOOSE_TITLE_SCORE = 66.0
_YEAR = re.compile(r"(?:^|\s)\(?((?:18|19|20)\d\d)\)?$")
_PART = re.compile(r" (?:part|episode|chapter|volume|vol) (?=\d)")
# Full text finds the word in the right field or not at all: between a good and a fair title match.
_WORD_SCORE = 60.0
_WORD_SPAN = 24.0
_YEAR_BONUS = 12.0
_FAME_WEIGHT = 0.9
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


@dataclass(frozen=True)
class _Candidate:
    movie_id: int
    titles: tuple[str, ...]
    year: int | None
    rating_count: int
    word_rank: float


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
    found = {candidate.movie_id: candidate for candidate in _by_title(query, include_hidden)}
    if not titles_only:
        for candidate in _by_words(query, include_hidden):
            found[candidate.movie_id] = candidate
    readings = query.readings
    scored = [
        (candidate, *_title_scores(query, readings, candidate)) for candidate in found.values()
    ]
    for least in (MIN_TITLE_SCORE, LOOSE_TITLE_SCORE):
        hits = [
            hit
            for candidate, best, plain in scored
            if (hit := _hit(query, candidate, best=best, plain=plain, least=least))
        ]
        if hits:
            break
    hits.sort(key=lambda hit: (-hit.score, hit.movie_id))
    return hits[:limit]


def _title_scores(
    query: Query, readings: Sequence[str], candidate: _Candidate
) -> tuple[float, float]:
    """(best score with what the year adds or takes, best without)."""
    best = plain = 0.0
    for typed in readings:
        score = _title_score(typed, candidate.titles)
        plain = max(plain, score)
        if typed == query.title and query.year is not None:
            score += _YEAR_BONUS if candidate.year == query.year else -_YEAR_BONUS
        # The whole query may be the title, year and all: "Blade Runner 2049".
        best = max(best, score)
    return best, plain


def _hit(
    query: Query, candidate: _Candidate, *, best: float, plain: float, least: float
) -> Hit | None:
    fame = _FAME_WEIGHT * math.log2(1 + candidate.rating_count)
    word = 0.0
    if candidate.word_rank > 0:
        word = _WORD_SCORE + _WORD_SPAN * candidate.word_rank
    if best < least and not word:
        return None
    is_exact = query.normalized in candidate.titles or (
        query.title in candidate.titles and candidate.year == query.year
    )
    score = max(best if best >= least else 0.0, word)
    return Hit(
        movie_id=candidate.movie_id,
        score=score + fame + (1000.0 if is_exact else 0.0),
        is_exact=is_exact,
        title_score=plain,
    )


def _title_score(typed: str, titles: tuple[str, ...]) -> float:
    """0 to 100: the best of a film's titles; spaces and word order may be wrong, ends missing.

    Titles too short to come near a long request count 0: no ratio of theirs can pass.
    """
    best = 0.0
    solid = typed.replace(" ", "")
    for title in _with_variants(titles):
        if 200 * len(title) < _NEVER_BELOW * (len(title) + len(solid)):
            continue
        score = fuzz.ratio(typed, title)
        score = max(score, 0.98 * fuzz.ratio(solid, title.replace(" ", "")))
        if len(typed) >= 3:
            score = max(score, 0.95 * fuzz.token_sort_ratio(typed, title))
            if len(title) > len(typed):
                score = max(score, _prefix_score(typed, title))
        best = max(best, score)
    return best


def _with_variants(titles: tuple[str, ...]) -> list[str]:
    """Also "godfather 2" for "godfather part 2"."""
    shorter = [_PART.sub(" ", title) for title in titles]
    return list(dict.fromkeys([*titles, *shorter]))


def _prefix_score(typed: str, title: str) -> float:
    """The beginning of a title, or of one of its words, with the same forgiveness."""
    if title.startswith(typed):
        return 95.0
    if f" {typed}" in title:
        return 88.0
    score = 0.90 * fuzz.ratio(typed, title[: len(typed) + 1])
    if len(typed) >= 5:
        score = max(score, 0.86 * fuzz.partial_ratio(typed, title))
    return score


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
# only those are read that were hidden meanwhile.
_INDEXED_SQL = """
    WITH ids AS (
        SELECT unnest(%(unread)s::bigint[]) AS id
        UNION SELECT id FROM catalog_movie WHERE titles_normalized @> ARRAY[%(typed)s]::varchar[]
        UNION SELECT id FROM catalog_movie WHERE id > %(newest)s
            AND title_trigrams && %(grams)s::varchar[]
        UNION (
            SELECT id FROM catalog_movie
            WHERE title_normalized LIKE %(prefix)s AND (%(hidden)s OR NOT is_hidden)
            ORDER BY rating_count DESC, id LIMIT %(prefixed)s
        )
    )
    SELECT m.id, m.titles_normalized, m.year, m.rating_count
    FROM catalog_movie m JOIN ids USING (id) WHERE %(hidden)s OR NOT m.is_hidden
    UNION ALL
    SELECT id, NULL, NULL, NULL FROM catalog_movie
    WHERE is_hidden AND NOT %(hidden)s AND id = ANY (%(read)s::bigint[])
"""


def _by_title(query: Query, include_hidden: bool) -> list[_Candidate]:
    grams = sorted({gram for typed in query.readings for gram in trigrams(typed)})
    indexed = films_by_title_grams(grams, n=TITLE_CANDIDATES)
    if indexed is None:
        return _by_title_unindexed(query, grams, include_hidden)
    ids, newest = indexed
    kept = title_rows()
    found = {movie_id: row for movie_id in ids if (row := kept.get(movie_id)) is not None}
    # What LIKE takes for more than itself stands for itself here.
    prefix = re.sub(r"([%_\\])", r"\\\1", query.normalized) + "%"
    with connection.cursor() as cursor:
        cursor.execute(
            _INDEXED_SQL,
            {
                "unread": [movie_id for movie_id in ids if movie_id not in found],
                "read": list(found),
                "typed": query.normalized,
                "grams": grams,
                "newest": newest,
                "prefix": prefix,
                "prefixed": PREFIX_CANDIDATES,
                "hidden": include_hidden,
            },
        )
        rows = cursor.fetchall()
    for movie_id, titles, year, count in rows:
        if titles is None:
            found.pop(movie_id)
        else:
            found[movie_id] = kept[movie_id] = TitleRow(movie_id, tuple(titles), year, count)
    return [_Candidate(*row, 0.0) for row in found.values()]


def _by_title_unindexed(query: Query, grams: list[str], include_hidden: bool) -> list[_Candidate]:
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
        return [
            _Candidate(movie_id, tuple(titles), year, count, 0.0)
            for movie_id, titles, year, count in cursor.fetchall()
        ]


def _by_words(query: Query, include_hidden: bool) -> list[_Candidate]:
    text = fold(query.raw)
    if query.year is not None:
        text = _YEAR.sub("", text)
    with connection.cursor() as cursor:
        cursor.execute(
            _WORD_SQL, {"text": text, "hidden": include_hidden, "limit": WORD_CANDIDATES}
        )
        rows = cursor.fetchall()
    top = max((rank for *_, rank in rows), default=0.0) or 1.0
    return [
        _Candidate(movie_id, tuple(titles), year, count, max(rank / top, 1e-3))
        for movie_id, titles, year, count, rank in rows
    ]
