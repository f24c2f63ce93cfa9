"""Which films to ask TMDB about, and what we know of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from catalog.models import ExternalId, Movie
from catalog.tmdb.models import EnrichmentState

Status = EnrichmentState.Status
_MISSING = (Status.DUE, Status.IMPORTED)
_LATER = (Status.NOT_FOUND, Status.UNSURE, Status.FAILED)


@dataclass(frozen=True)
class DueFilm:
    """A film to ask about, with the ids and titles to find it by."""

    movie_id: int
    title: str
    original_title: str
    titles_normalized: tuple[str, ...]
    year: int | None
    tmdb_id: int | None
    imdb_id: str | None
    etag: str = ""
    sha256: str = ""
    tries: int = 0

    def __str__(self) -> str:
        return f"{self.title} ({self.year or '?'})"


def due_ids(*, now: datetime, refresh_before: datetime | None, limit: int | None) -> list[int]:
    """Films never enriched, those whose wait is over, and those fetched before ``refresh_before``.

    The most rated come first.
    """
    wanted = (
        Q(enrichment__isnull=True)
        | Q(enrichment__status__in=_MISSING)
        | Q(enrichment__status__in=_LATER, enrichment__next_try_at__isnull=True)
        | Q(enrichment__status__in=_LATER, enrichment__next_try_at__lte=now)
    )
    if refresh_before is not None:
        wanted |= Q(enrichment__status=Status.DONE, enrichment__fetched_at__lt=refresh_before)
    films = Movie.objects.filter(wanted).order_by("-rating_count", "pk")
    return list(films.values_list("pk", flat=True)[:limit])


def due_films(movie_ids: Sequence[int]) -> list[DueFilm]:
    """What is known of these films, in their order; films deleted meanwhile are left out."""
    links: dict[tuple[int, str], str] = {}
    rows = ExternalId.objects.filter(
        movie_id__in=movie_ids, source__in=(ExternalId.Source.TMDB, ExternalId.Source.IMDB)
    ).order_by("-pk")
    for movie_id, source, value in rows.values_list("movie_id", "source", "value"):
        links[movie_id, source] = value
    states = EnrichmentState.objects.in_bulk(movie_ids)
    movies = Movie.objects.only("title", "original_title", "titles_normalized", "year")
    found = movies.in_bulk(movie_ids)
    due = []
    for pk in movie_ids:
        if pk not in found:
            continue
        movie, state = found[pk], states.get(pk)
        tmdb_id = links.get((pk, ExternalId.Source.TMDB), "")
        is_same_link = state is not None and str(state.tmdb_id) == tmdb_id
        due.append(
            DueFilm(
                movie_id=pk,
                title=movie.title,
                original_title=movie.original_title,
                titles_normalized=tuple(movie.titles_normalized),
                year=movie.year,
                tmdb_id=int(tmdb_id) if tmdb_id.isdigit() else None,
                imdb_id=links.get((pk, ExternalId.Source.IMDB)),
                etag=state.etag if state and is_same_link else "",
                sha256=state.sha256 if state and is_same_link else "",
                tries=state.tries if state else 0,
            )
        )
    return due
