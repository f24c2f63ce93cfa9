"""Films' vectors in a byte a number, beside the shelf of a web process: where to look in Postgres.

All 70,000 films are compared with a vector in one or two milliseconds, those that meet a condition
in less; pgvector then compares the nearest hundred exactly. Its index takes several times as long,
and many times that where a condition throws most of what it finds away. What it takes is reading:
so the vectors are turned to their principal axes, all films are compared along the first of these,
which tell most, and the nearest thousand along the rest.

Where there is no such table (commands, workers, a catalogue above ``MAX_FILMS``, the first seconds
of a process) the index answers. It may be a minute older than the vectors are.
"""

from __future__ import annotations

from collections.abc import Sequence
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
# Reading takes a second or two; while films are embedded it would go on for hours.
REREAD_S = 60.0
# The first axes have this much of the squared lengths (all-MiniLM-L6-v2: 160 of 384), and so many
# times the films that are wanted are compared along the others: of the nearest 200 films to 150
# frozen requests .9993 are found, by 11 of 27 MB.
HEAD_SHARE = 0.88
WIDER = 4
_STEP = 32  # numbers that are multiplied at once
_SAMPLE = 8_000  # films that the axes are those of
_BATCH = 5_000
_TABLE = "catalog_movieembedding"
_HEADER = 4  # bytes before the numbers of a vector: how many, and two for later


@dataclass(frozen=True)
class Rounded:
    """Rows of numbers, rounded: ``codes`` int8[n, d] times ``scale`` float32[n]."""

    codes: NDArray[np.int8]
    scale: FloatArray

    @classmethod
    def of(cls, rows: FloatArray) -> Rounded:
        """float32[n, d] rounded, each row to 127 steps of its largest number."""
        largest = np.maximum(np.abs(rows).max(axis=1, initial=0.0), 1e-12)
        codes = np.rint(rows * (127 / largest)[:, None]).astype(np.int8)
        return cls(codes, (largest / 127).astype(np.float32))

    @classmethod
    def joined(cls, parts: Sequence[Rounded], dim: int) -> Rounded:
        """One below the other."""
        return cls(
            np.concatenate([np.empty((0, dim), np.int8), *(part.codes for part in parts)]),
            np.concatenate([np.empty(0, np.float32), *(part.scale for part in parts)]),
        )

    def times(self, vector: FloatArray, rows: NDArray[np.int64]) -> FloatArray:
        """float32[len(rows)]: the products of these rows with a vector."""
        out = np.empty(len(rows), dtype=np.float32)
        load_kernels(ROUGH).rough_products(self.codes, self.scale, rows, vector, out)
        return out


@dataclass(frozen=True)
class RoughVectors:
    """The unit vectors of ``n`` films along the ``axes`` float32[dim, dim], which are the columns:
    along the first ones ``head``, along the others ``tail``.

    ``movie_ids`` int64[n] ascend.
    """

    encoder: str
    movie_ids: NDArray[np.int64]
    axes: FloatArray
    head: Rounded
    tail: Rounded

    def nearest(
        self, vector: FloatArray, *, n: int, among: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], FloatArray]:
        """(int64[k] ids, float32[k] cosines) of the ``n`` films nearest to ``vector``, best first,
        of ``among`` (ascending ids) if given."""
        rows = np.arange(len(self.movie_ids)) if among is None else self._rows(among)
        first, rest = self._turned(vector)
        near = self.head.times(first, rows)
        if len(rows) > WIDER * n:
            best = np.sort(np.argpartition(near, -WIDER * n)[-WIDER * n :])
            rows, near = rows[best], near[best]
        near += self.tail.times(rest, rows)
        found = top_k(near[None], min(n, len(rows)))
        return self.movie_ids[rows[found.item_index[0]]], found.score[0]

    def cosines(
        self, vector: FloatArray, movie_ids: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], FloatArray]:
        """(int64[k] ids, float32[k] cosines) of those of ``movie_ids``, ascending, that it has."""
        rows = self._rows(movie_ids)
        first, rest = self._turned(vector)
        near = self.head.times(first, rows) + self.tail.times(rest, rows)
        return self.movie_ids[rows], near

    def _rows(self, movie_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where those of these films stand that are in the table; they ascend."""
        if not len(self.movie_ids):
            return np.empty(0, dtype=np.int64)
        rows = np.minimum(np.searchsorted(self.movie_ids, movie_ids), len(self.movie_ids) - 1)
        return rows[self.movie_ids[rows] == movie_ids]

    def _turned(self, vector: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The vector, of length 1, along the first axes and along the others."""
        length = max(float(np.linalg.norm(vector)), 1e-12)
        turned = np.asarray(vector, dtype=np.float32) @ self.axes / np.float32(length)
        n_first = self.head.codes.shape[1]
        return turned[:n_first], turned[n_first:]


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
        _rough = _read(space, before=rough_vectors(space))
        _read_last, _read_at = (space.encoder, mark), monotonic()


def forget_vectors() -> None:
    """As in a process that keeps none."""
    global _rough, _read_last  # noqa: PLW0603 - see above
    _rough = _read_last = None


def _read(space: EncoderSpace, *, before: RoughVectors | None) -> RoughVectors | None:
    """None for a catalogue that is too large; the axes stay as they were ``before``."""
    n_films = MovieEmbedding.objects.filter(encoder=space.encoder).count()
    if n_films > MAX_FILMS:
        return None
    if before is None:
        _, sample = _batch(space, n=2 * _SAMPLE, every=max(1, n_films // _SAMPLE))
        axes, n_first = _axes(sample, space.dim)
    else:
        axes, n_first = before.axes, before.head.codes.shape[1]
    ids: list[int] = []
    heads: list[Rounded] = []
    tails: list[Rounded] = []
    while True:
        own, vectors = _batch(space, n=_BATCH, after=ids[-1] if ids else 0)
        if not own:
            break
        ids += own
        turned = vectors @ axes
        heads.append(Rounded.of(turned[:, :n_first]))
        tails.append(Rounded.of(turned[:, n_first:]))
    return RoughVectors(
        encoder=space.encoder,
        movie_ids=np.array(ids, dtype=np.int64),
        axes=axes,
        head=Rounded.joined(heads, n_first),
        tail=Rounded.joined(tails, space.dim - n_first),
    )


def _axes(vectors: FloatArray, dim: int) -> tuple[FloatArray, int]:
    """The principal axes as columns, those that tell most first, and how many have ``HEAD_SHARE``.

    Not centred: what is wanted is the product of two vectors, not their difference.
    """
    if not len(vectors):
        return np.eye(dim, dtype=np.float32), dim
    size, axes = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))
    share = np.cumsum(size[::-1]) / size.sum()
    n_first = int(np.searchsorted(share, HEAD_SHARE)) + 1
    n_first = min(dim, -(-n_first // _STEP) * _STEP)
    return np.ascontiguousarray(axes[:, ::-1], dtype=np.float32), n_first


def _batch(
    space: EncoderSpace, *, n: int, after: int = 0, every: int = 1
) -> tuple[list[int], FloatArray]:
    """Ids and unit vectors of the next films (of one in ``every``), these as pgvector sends them:
    text would be ten times as long to read."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor: Any = psycopg.Cursor(connection.connection)
        cursor.execute(
            """
            SELECT movie_id, halfvec_send(vector) FROM catalog_movieembedding
            WHERE encoder = %s AND movie_id > %s AND movie_id %% %s = 0
                AND vector_dims(vector) = %s
            ORDER BY movie_id LIMIT %s
            """,
            [space.encoder, after, every, space.dim, n],
            binary=True,
            prepare=False,
        )
        rows = cursor.fetchall()
    sent = np.frombuffer(b"".join(vector for _, vector in rows), dtype=np.uint8)
    halves = np.ascontiguousarray(sent.reshape(len(rows), -1)[:, _HEADER:] if rows else sent)
    vectors = halves.view(">f2").astype(np.float32).reshape(len(rows), space.dim)
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return [movie_id for movie_id, _ in rows], vectors / lengths
