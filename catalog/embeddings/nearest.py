"""The nearest films to a vector, by pgvector.

With a filter that leaves few films the index is no help: an HNSW scan throws away what does not
pass (a filter that keeps a tenth turns 20 rows into 4; DESIGN 14). So few allowed films are
compared exactly; above that the scan goes on until enough rows passed. A web process knows more
(``catalog.embeddings.rough``), and asks neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from django.db import connection
from numpy.typing import NDArray

from accounts.prepared import array_text, prepared_cursor
from catalog.embeddings.models import HNSW_EF_CONSTRUCTION, HNSW_M, EncoderSpace, MovieEmbedding
from catalog.embeddings.rough import RoughVectors
from catalog.models import Movie
from catalog.querysets import MovieQuerySet
from ml.types import FloatArray

# Below this many allowed films the exact answer is as fast as the index.
EXACT_BELOW = 15_000
# Recall@20 against the exact answer and time per query: benchmarks/search.py. 400 finds .995 of the
# nearest 20, 200 .986 in half the time, and the films of the frozen plots as well.
EF_SEARCH = 200
# The table is rough: the nearest of so many more films than are wanted are taken, the first of them
# compared exactly.
ROUGH_MARGIN = 50
EXACT_FIRST = 100
# Where SQL throws films away the scan must be wider: with 400, .974 of the nearest 20 thrillers.
EF_SEARCH_FILTERED = 800
# A filtered scan ends with the first batch that holds enough rows; asking for more than are wanted
# makes it look on, where few films pass.
LEAST_ROWS = 200
# How far an iterative scan goes before it gives up; beyond it the answer would be short.
MAX_SCAN_TUPLES = 60_000


@dataclass(frozen=True, slots=True)
class Near:
    """Films by closeness: ``similarity`` is the cosine, 1 for the same direction.

    ``hidden`` are all hidden films, where the same query told them.
    """

    movie_ids: tuple[int, ...]
    similarity: tuple[float, ...]
    hidden: frozenset[int] | None = None

    def as_dict(self) -> dict[int, float]:
        """{movie id: similarity}."""
        return dict(zip(self.movie_ids, self.similarity, strict=True))


def active_space() -> EncoderSpace | None:
    """The encoder whose vectors search uses; one query."""
    return EncoderSpace.objects.filter(is_active=True).first()


def nearest_of_rough(
    vector: FloatArray,
    space: EncoderSpace,
    rough: RoughVectors,
    *,
    among: NDArray[np.int64] | None,
    also: Sequence[int],
    n: int,
) -> Near:
    """The ``n`` nearest films, of ``among`` (ascending ids) if given, and how near those of
    ``also`` (ascending, too) are; hidden ones among them.

    The nearest ``EXACT_FIRST`` are told exactly, the others to some thousandths. One query, which
    tells the hidden films, too.
    """
    ids, cosines = rough.nearest(vector, n=n + ROUGH_MARGIN, among=among)
    known = np.array(also, dtype=np.int64)
    near = dict(zip(*(part.tolist() for part in rough.cosines(vector, known)), strict=True))
    near |= zip(ids.tolist(), cosines.tolist(), strict=True)
    sql = f"""
        {_among_sql(space)} UNION ALL SELECT id, NULL FROM catalog_movie WHERE is_hidden
    """  # noqa: S608 - see _among_sql
    first = array_text(ids[:EXACT_FIRST].tolist())
    with prepared_cursor() as cursor:
        cursor.execute(sql, [_as_text(vector), space.encoder, first])
        rows = cursor.fetchall()
    near |= {movie_id: 1.0 - distance for movie_id, distance in rows if distance is not None}
    movie_ids = np.fromiter(near.keys(), dtype=np.int64, count=len(near))
    similarity = np.fromiter(near.values(), dtype=np.float64, count=len(near))
    order = np.lexsort((movie_ids, -similarity))
    is_near = np.isin(movie_ids[order], ids)
    is_near &= np.cumsum(is_near) <= n
    kept = order[is_near | np.isin(movie_ids[order], known)]
    return Near(
        movie_ids=tuple(movie_ids[kept].tolist()),
        similarity=tuple(similarity[kept].tolist()),
        hidden=frozenset(movie_id for movie_id, distance in rows if distance is None),
    )


def nearest_films(vector: FloatArray, space: EncoderSpace, *, n: int) -> Near:
    """The ``n`` nearest visible films by the index.

    What is hidden among the ``n`` nearest is missing, unless that is more than half of them.
    """
    # Listed once; a look at each film that was found would cost as much as a fifth of the scan.
    visible = "NOT IN (SELECT id FROM catalog_movie WHERE is_hidden)"
    sql, params = _scan_sql(vector, space, visible, [], n_scanned=n, n=n)
    near = _scanned(sql, params, n=n)
    if 2 * len(near.movie_ids) < n:
        near = nearest_meeting(vector, space, films=Movie.objects.visible(), n=n)
    return near


def among_sorted(movie_ids: NDArray[np.int64], those: NDArray[np.int64]) -> NDArray[np.bool_]:
    """bool[n]: which of n films are among others; these ascend, and sorting is what isin() does."""
    if not len(those):
        return np.zeros(len(movie_ids), dtype=bool)
    at = np.searchsorted(those, movie_ids)
    at[at == len(those)] = 0
    return those[at] == movie_ids


def nearest_meeting(
    vector: FloatArray, space: EncoderSpace, *, films: MovieQuerySet, n: int
) -> Near:
    """The ``n`` nearest of ``films`` by the index, the scan going on until ``n`` passed."""
    sql, params = nearest_sql(vector, space, films=films, n=n)
    return _scanned(sql, params, n=n, is_filtered=True)


def nearest_sql(
    vector: FloatArray, space: EncoderSpace, *, films: MovieQuerySet, n: int
) -> tuple[str, list]:
    """The query of ``nearest_meeting`` and its parameters; tests read its plan."""
    allowed, params = films.order_by().values("pk").query.sql_with_params()
    n_scanned = max(n, LEAST_ROWS)
    return _scan_sql(vector, space, f"IN ({allowed})", list(params), n_scanned=n_scanned, n=n)


def _scan_sql(
    vector: FloatArray,
    space: EncoderSpace,
    condition: str,
    params: list,
    *,
    n_scanned: int,
    n: int,
) -> tuple[str, list]:
    """The index's order, of films whose id meets the ``condition`` (our own words).

    A relaxed scan returns rows slightly out of order, hence the second sort.
    """
    # dim is a number from our own table; everything else is a parameter.
    sql = f"""
        WITH near AS MATERIALIZED (
            SELECT e.movie_id, e.vector::halfvec({int(space.dim)}) <=> %s::halfvec AS distance
            FROM catalog_movieembedding e
            WHERE e.encoder = %s AND e.movie_id {condition}
            ORDER BY e.vector::halfvec({int(space.dim)}) <=> %s::halfvec
            LIMIT %s
        )
        SELECT movie_id, distance FROM near ORDER BY distance, movie_id LIMIT %s
    """  # noqa: S608
    half = _as_text(vector)
    return sql, [half, space.encoder, *params, half, n_scanned, n]


def _scanned(sql: str, params: list, *, n: int, is_filtered: bool = False) -> Near:
    with connection.cursor() as cursor:
        # Sent together they are one transaction, and one way there and back instead of four.
        cursor.execute(f"{scan_settings(n=n, is_filtered=is_filtered)}; {sql}", params)
        while cursor.nextset():
            pass
        return _near(cursor.fetchall())


def nearest_among(
    vector: FloatArray,
    space: EncoderSpace,
    *,
    movie_ids: Sequence[int] | NDArray[np.int64],
    n: int,
) -> Near:
    """The ``n`` nearest of these films, exactly: every one is compared."""
    sql = f"{_among_sql(space)} ORDER BY distance, movie_id LIMIT %s"
    ids = movie_ids.tolist() if isinstance(movie_ids, np.ndarray) else movie_ids
    with prepared_cursor() as cursor:
        cursor.execute(sql, [_as_text(vector), space.encoder, array_text(ids), n])
        return _near(cursor.fetchall())


def _among_sql(space: EncoderSpace) -> str:
    """Films and their distances; of a vector, an encoder's name and ids as text."""
    # dim is a number from our own table. The sum is no expression that the index knows: nothing
    # tempts the planner to it.
    return f"""
        SELECT e.movie_id, (e.vector::halfvec({int(space.dim)}) <=> %s::halfvec) + 0 AS distance
        FROM catalog_movieembedding e
        WHERE e.encoder = %s AND e.movie_id = ANY (%s::bigint[])
    """  # noqa: S608


def film_vector(movie_id: int, space: EncoderSpace) -> FloatArray | None:
    """float32[dim] of one film; None where it has none yet."""
    row = (
        MovieEmbedding.objects.filter(movie_id=movie_id, encoder=space.encoder)
        .values_list("vector", flat=True)
        .first()
    )
    return None if row is None else np.asarray(row, dtype=np.float32)


def index_ensure(space: EncoderSpace) -> bool:
    """Build the space's index, concurrently, unless there is one; returns whether it was built.

    The two encoders that we know have theirs by migration; this is for any other. Inside a
    transaction, where Postgres refuses to build concurrently, readers wait.
    """
    known = {index.condition.children[0][1] for index in MovieEmbedding._meta.indexes}
    if space.encoder in known:
        return False
    name = f"catalog_hnsw_space_{space.pk}"
    how = "" if connection.in_atomic_block else "CONCURRENTLY"
    with connection.cursor() as cursor:
        if connection.in_atomic_block:  # nor over rows whose foreign keys wait to be checked
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [name])
        row = cursor.fetchone()
        if row is not None and row[0]:
            return False
        if row is not None:  # a build that was interrupted leaves an index that answers nothing
            cursor.execute(f"DROP INDEX {how} {name}")
        cursor.execute(
            f"CREATE INDEX {how} {name} ON catalog_movieembedding USING hnsw "
            f"((vector::halfvec({int(space.dim)})) halfvec_cosine_ops) "
            f"WITH (m = {HNSW_M}, ef_construction = {HNSW_EF_CONSTRUCTION}) "
            "WHERE encoder = %s",
            [space.encoder],
        )
    return True


def _as_text(vector: FloatArray) -> str:
    """As SQL reads it: connections need no adapter for that."""
    # pgvector's own to_text() asks numpy for each number by itself, which takes a hundred times as
    # long.
    half = np.ascontiguousarray(vector, dtype=np.float16)
    return orjson.dumps(half, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def scan_settings(*, n: int, is_filtered: bool = True) -> str:
    """Settings of a transaction: by the index alone; with a filter until enough rows passed.

    A scan that may be asked to go on keeps what it passed by, and costs a fifth more for it.
    The planner prices an HNSW scan with a filter by guesses; joins by hash would read all films
    first, and a sort all vectors.
    """
    ef_search = EF_SEARCH_FILTERED if is_filtered else EF_SEARCH
    return (
        f"SET LOCAL hnsw.iterative_scan = {'relaxed_order' if is_filtered else 'off'};"
        f"SET LOCAL hnsw.ef_search = {max(ef_search, n)};"
        f"SET LOCAL hnsw.max_scan_tuples = {MAX_SCAN_TUPLES};"
        "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
        "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"
    )


def _near(rows: Sequence[tuple[int, float]]) -> Near:
    return Near(
        movie_ids=tuple(movie_id for movie_id, _ in rows),
        similarity=tuple(1.0 - distance for _, distance in rows),
    )
