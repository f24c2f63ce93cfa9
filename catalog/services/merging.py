"""Two entries of one film become one.

Everything that points to the duplicate is moved: other books' ids (and with them the ratings of the
warehouse, which are joined by id), credits, and what people did, in whichever app it is kept. The
duplicate stays as a hidden row whose address leads to the film.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, UniqueConstraint

from catalog.embeddings.models import MovieEmbedding
from catalog.models import DataSource, FieldSource, Movie
from catalog.services.films import PLAIN_FIELDS, field_sources_record
from catalog.services.search_index import search_vectors_refresh
from catalog.services.stats import rating_stats_refresh
from catalog.tmdb.models import CachedImage, EnrichmentState, TmdbFacts

# Derived from the row that they belong to: the film has, or gets, its own.
_OWN = (FieldSource, MovieEmbedding, EnrichmentState, TmdbFacts, CachedImage)
# The title decides what the film is called; the duplicate's is kept as another name.
_FILLED = tuple(name for name in PLAIN_FIELDS if name not in {"title", "alternative_titles"})


class MergeRefusedError(ValueError):
    """These films cannot be merged; the message says why."""


@dataclass(frozen=True)
class MergeReport:
    """``n_moved`` rows point to the film now; ``n_dropped`` said what one of its own said."""

    n_moved: int
    n_dropped: int


def movies_merge(movie_id: int, duplicate_ids: list[int]) -> MergeReport:
    """Make the duplicates one with the film, all or nothing.

    Where both have what there can be one of (a person's rating), the film's own stays. Raises
    MergeRefusedError.
    """
    wanted = sorted({movie_id, *duplicate_ids})
    with transaction.atomic():
        films = {film.pk: film for film in Movie.objects.select_for_update().filter(pk__in=wanted)}
        if movie_id in duplicate_ids or len(wanted) < 2 or len(films) < len(wanted):
            raise MergeRefusedError("Choose two films or more, all of which still exist.")
        if any(film.merged_into_id for film in films.values()):
            raise MergeRefusedError("One of these films was merged already.")
        moved = dropped = 0
        for pk in duplicate_ids:
            one = _move_all(films[movie_id], films[pk])
            moved, dropped = moved + one[0], dropped + one[1]
            _fill(films[movie_id], films[pk])
        gone = Movie.objects.filter(pk__in=duplicate_ids)
        gone.update(is_hidden=True, merged_into=movie_id)
        Movie.objects.filter(merged_into__in=duplicate_ids).update(merged_into=movie_id)
        search_vectors_refresh(wanted)
        rating_stats_refresh()
    return MergeReport(moved, dropped)


def _move_all(film: Movie, duplicate: Movie) -> tuple[int, int]:
    moved = dropped = 0
    for relation in Movie._meta.related_objects:
        model, name = relation.related_model, relation.field.name
        if model in _OWN or model is Movie or relation.many_to_many:
            continue
        rows = model._base_manager.filter(**{name: duplicate})
        dropped += _drop_doubles(model, name, rows, film)
        moved += rows.update(**{name: film})
    film.genres.add(*duplicate.genres.all())
    film.keywords.add(*duplicate.keywords.all())
    return moved, dropped


def _drop_doubles(model: type[models.Model], name: str, rows: models.QuerySet, film: Movie) -> int:
    """Delete the duplicate's rows that would break a rule of "one for each film"."""
    dropped = 0
    for constraint in model._meta.constraints:
        if not isinstance(constraint, UniqueConstraint) or name not in constraint.fields:
            continue
        condition = constraint.condition or Q()
        same = {other: OuterRef(other) for other in constraint.fields if other != name}
        own = model._base_manager.filter(condition, **{name: film}, **same)
        doubles = rows.filter(condition).filter(Exists(own))
        dropped += doubles.delete()[0]
    return dropped


def _fill(film: Movie, duplicate: Movie) -> None:
    """What the film lacks it takes from the duplicate, whose title becomes another of its names."""
    changed = [name for name in _FILLED if not getattr(film, name) and getattr(duplicate, name)]
    for name in changed:
        setattr(film, name, getattr(duplicate, name))
    names = [duplicate.title, *duplicate.alternative_titles]
    new = [n for n in dict.fromkeys(names) if n not in {film.title, *film.alternative_titles}]
    if new:
        film.alternative_titles = [*film.alternative_titles, *new]
        changed.append("alternative_titles")
    if changed:
        film.save(update_fields=[*changed, "updated_at"])
        # An editor said that they are one: no import takes it back.
        field_sources_record([(film.pk, name) for name in changed], source=DataSource.EDITOR)
