"""Films' vectors in a byte a number, beside the shelf of a web process: where to look in Postgres.

All 70,000 films are compared with a vector in two milliseconds, those that meet a condition in
less; pgvector then compares the nearest few hundred exactly. Its index takes three times as long,
and many times that where a condition throws most of what it finds away. A byte a number is off by
.002 of a cosine, so some more films than are wanted are compared exactly.

Where there is no such table (commands, workers, a catalogue above ``MAX_FILMS``, the first seconds
of a process) the index answers. It may be a minute older than the vectors are.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import NDArray

from catalog.embeddings.models import EncoderSpace, MovieEmbedding
from catalog.marks import rows_written
from ml.compiled import ROUGH, kernels, load_kernels
from ml.retrieval import top_k
from ml.types import FloatArray

# 384 bytes a film: of more the index has the better of it.
MAX_FILMS = 300_000
# Reading takes a second and a half; while films are embedded it would go on for hours.
REREAD_S = 60.0
_BATCH = 5_000
_TABLE = "catalog_movieembedding"
_HEADER = 4  # bytes before the numbers of a vector: how many, and two for later


@dataclass(frozen=True)
class RoughVectors:
    """The vectors of ``n`` films: ``codes`` int8[n, dim] times ``scale`` float32[n] each.

    ``movie_ids`` int64[n] ascend.
    """

    encoder: str
    movie_ids: NDArray[np.int64]
    codes: NDArray[np.int8]
    scale: FloatArray

    def nearest(
        self, vector: FloatArray, *, n: int, among: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """Ids of the ``n`` films nearest to ``vector``, of ``among`` (ascending ids) if given."""
        rows = np.arange(len(self.movie_ids))
        if among is not None and len(self.movie_ids):
            rows = np.minimum(np.searchsorted(self.movie_ids, among), len(self.movie_ids) - 1)
            rows = rows[self.movie_ids[rows] == among]
        if len(rows) <= n:
            return self.movie_ids[rows]
        near = np.empty(len(rows), dtype=np.float32)
        query = np.ascontiguousarray(vector, dtype=np.float32)
        load_kernels(ROUGH).rough_cosines(self.codes, self.scale, rows, query, near)
        return self.movie_ids[rows[top_k(near[None], n).item_index[0]]]


_rough: RoughVectors | None = None
# The encoder and the mark of the last reading, and when that was.
_read_last: tuple[str, int | None] | None = None
_read_at = 0.0


def rough_vectors(space: EncoderSpace) -> RoughVectors | None:
    """This process' table of the space; None where it has none."""
    rough = _rough
    return rough if rough is not None and rough.encoder == space.encoder else None


def follow_vectors(space: EncoderSpace | None) -> None:
    """Reads the table where vectors were written since, once in ``REREAD_S``; swaps it in.

    Only a process that has loaded the kernels keeps one.
    """
    global _rough, _read_last, _read_at  # noqa: PLW0603 - one reference assignment is the whole swap
    if space is None or kernels(ROUGH) is None:
        forget_vectors()
        return
    last = _read_last if _read_last is not None and _read_last[0] == space.encoder else None
    if last is not None and monotonic() - _read_at < REREAD_S:
        return
    # The mark is read first: what is written meanwhile makes the next one differ.
    mark = rows_written([_TABLE])
    if last is None or mark is None or last[1] != mark:
        _rough, _read_last, _read_at = _read(space), (space.encoder, mark), monotonic()


def forget_vectors() -> None:
    """As in a process that keeps none."""
    global _rough, _read_last  # noqa: PLW0603 - see above
    _rough = _read_last = None


def _read(space: EncoderSpace) -> RoughVectors | None:
    """None for a catalogue that is too large."""
    if MovieEmbedding.objects.filter(encoder=space.encoder).count() > MAX_FILMS:
        return None
    ids: list[int] = []
    codes: list[NDArray[np.int8]] = [np.empty((0, space.dim), np.int8)]
    scales: list[FloatArray] = [np.empty(0, np.float32)]
    while batch := _batch(space, after=ids[-1] if ids else 0):
        ids += [movie_id for movie_id, _ in batch]
        own, scale = _rounded(_numbers([vector for _, vector in batch]))
        codes.append(own)
        scales.append(scale)
    return RoughVectors(
        encoder=space.encoder,
        movie_ids=np.array(ids, dtype=np.int64),
        codes=np.concatenate(codes),
        scale=np.concatenate(scales),
    )


def _batch(space: EncoderSpace, *, after: int) -> list[tuple[int, bytes]]:
    """The next films' ids and vectors, these as pgvector sends them: text would be ten times as
    long to read."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor: Any = psycopg.Cursor(connection.connection)
        cursor.execute(
            """
            SELECT movie_id, halfvec_send(vector) FROM catalog_movieembedding
            WHERE encoder = %s AND movie_id > %s AND vector_dims(vector) = %s
            ORDER BY movie_id LIMIT %s
            """,
            [space.encoder, after, space.dim, _BATCH],
            binary=True,
            prepare=False,
        )
        return cursor.fetchall()


def _numbers(sent: list[bytes]) -> FloatArray:
    raw = np.frombuffer(b"".join(sent), dtype=np.uint8).reshape(len(sent), -1)[:, _HEADER:]
    return np.ascontiguousarray(raw).view(">f2").astype(np.float32)


def _rounded(vectors: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """The codes, and what one of them stands for; the vectors at unit length, as the cosine has
    them."""
    largest = np.maximum(np.abs(vectors).max(axis=1), 1e-12)
    codes = np.rint(vectors * (127 / largest)[:, None]).astype(np.int8)
    lengths = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)
    return codes, (largest / 127 / lengths).astype(np.float32)
