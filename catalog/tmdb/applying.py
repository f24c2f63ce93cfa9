"""Kept answers into films, in small batches; each batch is one transaction."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import transaction

from catalog.models import DataSource, ExternalId, Movie
from catalog.services.datasets import import_lock_wait
from catalog.services.films import upsert_films
from catalog.services.search_index import search_vectors_refresh
from catalog.tmdb.answers import Film, read_film
from catalog.tmdb.mapping import record_of
from catalog.tmdb.models import EnrichmentState, Franchise, TmdbFacts

Status = EnrichmentState.Status
BATCH = 100
_FACTS = (
    *("franchise", "released_on", "vote_average", "vote_count", "popularity", "watch_providers"),
)


@dataclass(frozen=True)
class Applied:
    """``states`` answers were written; ``films`` films differ from before."""

    states: int = 0
    films: int = 0


def fetched_apply(limit: int = BATCH) -> Applied:
    """Write up to ``limit`` kept answers into their films."""
    with transaction.atomic():
        # An import that runs now would change the same films.
        import_lock_wait()
        states = {
            state.movie_id: state
            for state in EnrichmentState.objects.select_for_update(skip_locked=True)
            .filter(status=Status.FETCHED)
            .order_by("pk")[:limit]
        }
        if not states:
            return Applied()
        linked, astray = _linked(states)
        # Its link changed since it was fetched: what came is another film's.
        EnrichmentState.objects.filter(pk__in=astray).update(status=Status.DUE, payload=None)
        movies = Movie.objects.defer("search_vector", "title_trigrams").in_bulk(linked)
        films = {pk: _film(linked[pk]) for pk in movies}
        with_imdb = set(
            ExternalId.objects.filter(
                movie_id__in=movies, source=ExternalId.Source.IMDB
            ).values_list("movie_id", flat=True)
        )
        records = []
        for pk, film in films.items():
            # Others know the film's IMDb id better than TMDB's volunteers do.
            told = replace(film, imdb_id=None) if pk in with_imdb else film
            records.append(record_of(told, movie=movies[pk]))
        report = upsert_films(records, source=DataSource.TMDB)
        _facts_set(films)
        search_vectors_refresh(report.changed_ids)
        EnrichmentState.objects.filter(pk__in=linked).update(status=Status.DONE, payload=None)
        return Applied(states=len(states), films=len(report.changed_ids))


def _linked(
    states: Mapping[int, EnrichmentState],
) -> tuple[dict[int, EnrichmentState], list[int]]:
    """Those whose film still has the TMDB id that was asked for, and the others."""
    values = [str(state.tmdb_id) for state in states.values()]
    rows = ExternalId.objects.filter(source=ExternalId.Source.TMDB, value__in=values)
    owner = dict(rows.values_list("value", "movie_id"))
    linked = {pk: state for pk, state in states.items() if owner.get(str(state.tmdb_id)) == pk}
    return linked, [pk for pk in states if pk not in linked]


def _film(state: EnrichmentState) -> Film:
    data = json.loads(zlib.decompress(state.payload or b""))
    # Checked when it came; checked again because the region may have been changed since.
    return read_film(data, tmdb_id=state.tmdb_id or 0, region=settings.TMDB_REGION)


def _facts_set(films: Mapping[int, Film]) -> None:
    named = dict(film.franchise for film in films.values() if film.franchise)
    Franchise.objects.bulk_create(
        [Franchise(tmdb_id=number, name=name) for number, name in sorted(named.items())],
        update_conflicts=True,
        unique_fields=["tmdb_id"],
        update_fields=["name"],
    )
    ids = dict(Franchise.objects.filter(tmdb_id__in=named).values_list("tmdb_id", "pk"))
    TmdbFacts.objects.bulk_create(
        [
            TmdbFacts(
                movie_id=pk,
                franchise_id=ids[film.franchise[0]] if film.franchise else None,
                released_on=film.released_on,
                vote_average=film.vote_average,
                vote_count=film.vote_count,
                popularity=film.popularity,
                watch_providers=film.watch_providers,
            )
            for pk, film in films.items()
        ],
        update_conflicts=True,
        unique_fields=["movie"],
        update_fields=_FACTS,
    )
