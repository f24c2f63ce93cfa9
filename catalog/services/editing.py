"""What editors change by hand; imports leave it alone afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import transaction

from catalog.models import DataSource, ExternalId, Movie
from catalog.services.films import PLAIN_FIELDS, RELATIONS, field_sources_record
from catalog.services.search_index import search_vectors_refresh

# What a film's provenance is kept for; the last are the links to others' books.
TRACKED_FIELDS = frozenset({*PLAIN_FIELDS, *RELATIONS, *ExternalId.Source.values})


def movie_edited(movie_id: int, fields: Iterable[str]) -> None:
    """Note an editor's changes, after they are saved, and index the film anew."""
    tracked = sorted(TRACKED_FIELDS & set(fields))
    with transaction.atomic():
        field_sources_record([(movie_id, name) for name in tracked], source=DataSource.EDITOR)
        search_vectors_refresh([movie_id])


def movies_hide(movie_ids: Collection[int], *, is_hidden: bool) -> int:
    """Hide films everywhere, or show them again; returns how many changed."""
    films = Movie.objects.filter(pk__in=movie_ids).exclude(is_hidden=is_hidden)
    return films.update(is_hidden=is_hidden)
