"""Keeping the vectors of films in step with their texts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from pgvector import HalfVector

from catalog.embeddings.encoders import (
    EncoderUnavailableError,
    document_encoder,
    encoder_name,
    query_encoder,
)
from catalog.embeddings.models import EncoderSpace, MovieEmbedding
from catalog.embeddings.nearest import index_ensure
from catalog.embeddings.texts import FilmText, film_texts
from catalog.models import FieldSource, Movie
from catalog.services.search_terms import search_terms_rebuild
from ml.text import TextEncoder

logger = logging.getLogger(__name__)
# Written, and therefore safe from a kill, after so many.
CHUNK = 512
# So many films take numpy a few seconds.
FEW = 100
# A task may last an hour (CELERY_TASK_TIME_LIMIT); a slice of 5,000 films is a minute or two.
SLICES_S = 2400.0
_LOCK = 0x4D51_454D
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT_FIELDS = ("title", "year", "genres", "keywords", "tagline", "synopsis")


@dataclass(frozen=True)
class EmbedReport:
    """What an embedding run did. ``is_active``: search uses these vectors now."""

    encoder: str
    dim: int
    n_embedded: int
    n_unchanged: int
    is_active: bool
    has_switched: bool


def films_embed(
    encoder: TextEncoder,
    *,
    movie_ids: Sequence[int] | None = None,
    limit: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> EmbedReport:
    """Embed the films whose text changed (of these, or of all), then make the space active.

    Each chunk is committed at once: a run that is killed goes on where it stopped. The space
    becomes active when no film lacks a vector; until then search keeps the former one.
    ``on_progress`` gets (characters done, characters in all): they predict the time, films don't.
    """
    space, _ = EncoderSpace.objects.get_or_create(
        encoder=encoder.name, defaults={"dim": encoder.dim}
    )
    if space.dim != encoder.dim:
        msg = f"{encoder.name} gives {encoder.dim} numbers, its stored vectors have {space.dim}"
        raise ValueError(msg)
    index_ensure(space)
    changed, n_unchanged = _changed_texts(space, movie_ids)
    # Texts of a like length share a batch: no time is spent on padding.
    changed.sort(key=lambda film: len(film.text))
    changed = changed[:limit]
    total = sum(len(film.text) for film in changed)
    done = 0
    for start in range(0, len(changed), CHUNK):
        chunk = changed[start : start + CHUNK]
        _store(space, chunk, encoder.encode([film.text for film in chunk]))
        done += sum(len(film.text) for film in chunk)
        if on_progress:
            on_progress(done, total)
    if changed:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE catalog_movieembedding")
    has_switched = _activate_if_complete(space)
    return EmbedReport(
        encoder=space.encoder,
        dim=space.dim,
        n_embedded=len(changed),
        n_unchanged=n_unchanged,
        is_active=space.is_active,
        has_switched=has_switched,
    )


def changed_films_embed() -> EmbedReport | None:
    """Embed what is new or changed, with TEXT_ENCODER; None where nothing is, or another is at it.

    A few films are encoded without torch, which would stay in the worker's memory. Goes on until
    nothing is left, or the task's time is nearly up: the next one continues.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return None
    try:
        return _embed_in_slices(time.monotonic() + SLICES_S)
    except EncoderUnavailableError as error:
        logger.warning("%s", error)
        return None
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _embed_in_slices(deadline: float) -> EmbedReport | None:
    total: EmbedReport | None = None
    encoder: TextEncoder | None = None
    while ids := films_to_embed(settings.TEXT_ENCODER):
        if total is None:  # words are found at once; meanings as they come
            search_terms_rebuild()
        if encoder is None:
            make = query_encoder if len(ids) <= FEW else document_encoder
            encoder = make(settings.TEXT_ENCODER)
        report = films_embed(encoder, movie_ids=ids)
        total = replace(
            report,
            n_embedded=report.n_embedded + (total.n_embedded if total else 0),
            n_unchanged=report.n_unchanged + (total.n_unchanged if total else 0),
            has_switched=report.has_switched or bool(total and total.has_switched),
        )
        if time.monotonic() > deadline or not report.n_embedded + report.n_unchanged:
            break
    return total


def embedding_publish() -> None:
    """Tell the worker to look for what is to embed; a dead broker is no error (beat asks again)."""
    from kombu.exceptions import OperationalError

    from catalog.tasks import embed_changed_films_task

    try:
        embed_changed_films_task.delay()
    except (OperationalError, OSError) as error:
        logger.warning("Embedding waits: the broker does not answer (%s)", error)


def films_reembed(movie_ids: Sequence[int]) -> int:
    """Have the worker embed these films anew, changed or not; returns how many vectors that is."""
    vectors = MovieEmbedding.objects.filter(movie_id__in=movie_ids)
    n = vectors.update(text_sha256="", embedded_at=_LONG_AGO)
    embedding_publish()
    return n


@dataclass(frozen=True, slots=True)
class EmbeddingState:
    """How far search by meaning is: ``active`` names the encoder that search uses, "" for none."""

    encoder: str
    active: str
    n_films: int
    n_embedded: int

    @property
    def percent(self) -> int:
        """Whole percent of films with a vector."""
        return 100 * self.n_embedded // self.n_films if self.n_films else 0


def embedding_state() -> EmbeddingState:
    """Three queries."""
    name = encoder_name(settings.TEXT_ENCODER)
    active = EncoderSpace.objects.filter(is_active=True).values_list("encoder", flat=True).first()
    return EmbeddingState(
        encoder=name,
        active=active or "",
        n_films=Movie.objects.count(),
        n_embedded=MovieEmbedding.objects.filter(encoder=name).count(),
    )


def spaces_drop_others() -> list[str]:
    """Delete the vectors of every encoder but the active one; returns the encoders' names."""
    active = EncoderSpace.objects.filter(is_active=True).first()
    if active is None:
        return []
    others = EncoderSpace.objects.exclude(pk=active.pk)
    names = list(others.values_list("encoder", flat=True))
    MovieEmbedding.objects.filter(encoder__in=names).delete()
    others.delete()
    return names


def films_to_embed(setting: str, *, limit: int = 5000) -> list[int]:
    """Ids of films without a vector, or with a text that may have changed since; two queries.

    The hash of the text decides in the end; this only spares reading all texts every time.
    """
    name = encoder_name(setting)
    vectors = MovieEmbedding.objects.filter(encoder=name)
    missing = Movie.objects.filter(~Exists(vectors.filter(movie=OuterRef("pk"))))
    newer = Q(movie__updated_at__gt=F("embedded_at")) | Exists(
        FieldSource.objects.filter(
            movie=OuterRef("movie"),
            field__in=_TEXT_FIELDS,
            updated_at__gt=OuterRef("embedded_at"),
        )
    )
    ids = list(missing.order_by("pk").values_list("pk", flat=True)[:limit])
    changed = vectors.filter(newer).order_by("movie_id").values_list("movie_id", flat=True)
    return ids + list(changed[: max(0, limit - len(ids))])


def _changed_texts(
    space: EncoderSpace, movie_ids: Sequence[int] | None
) -> tuple[list[FilmText], int]:
    known = dict(
        MovieEmbedding.objects.filter(encoder=space.encoder).values_list("movie_id", "text_sha256")
    )
    changed: list[FilmText] = []
    unchanged: list[int] = []
    for film in film_texts(movie_ids):
        if known.get(film.movie_id) == film.sha256:
            unchanged.append(film.movie_id)
        else:
            changed.append(film)
    if movie_ids is not None:  # looked at and found the same: not to be looked at again
        MovieEmbedding.objects.filter(encoder=space.encoder, movie_id__in=unchanged).update(
            embedded_at=timezone.now()
        )
    return changed, len(unchanged)


def _store(space: EncoderSpace, films: Sequence[FilmText], vectors: np.ndarray) -> None:
    rows = [
        MovieEmbedding(
            movie_id=film.movie_id,
            encoder=space.encoder,
            text_sha256=film.sha256,
            vector=HalfVector(vector.astype(np.float16)),
        )
        for film, vector in zip(films, vectors, strict=True)
    ]
    MovieEmbedding.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["movie", "encoder"],
        update_fields=["text_sha256", "vector", "embedded_at"],
    )


def _activate_if_complete(space: EncoderSpace) -> bool:
    """Makes the space the one that search uses, once every film has a vector in it."""
    own = MovieEmbedding.objects.filter(encoder=space.encoder, movie=OuterRef("pk"))
    if Movie.objects.filter(~Exists(own)).exists() or not Movie.objects.exists():
        return False
    with transaction.atomic():
        # One at a time: two runs that end together must not both find no active space.
        list(EncoderSpace.objects.select_for_update().order_by("pk"))
        EncoderSpace.objects.exclude(pk=space.pk).filter(is_active=True).update(is_active=False)
        has_switched = bool(
            EncoderSpace.objects.filter(pk=space.pk, is_active=False).update(is_active=True)
        )
        EncoderSpace.objects.filter(pk=space.pk).update(completed_at=timezone.now())
    space.is_active = True
    return has_switched
