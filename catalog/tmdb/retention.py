"""Nothing of TMDB's is kept for over six months without asking again: its terms of use.

What names a film stays (title, year, ids): that is what ratings and lists are about. Everything
else that came from TMDB goes, values of editors and of other sources stay.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Model

from catalog.images import images_forget
from catalog.models import Credit, DataSource, FieldSource, Movie
from catalog.services.datasets import import_lock_wait
from catalog.services.search_index import search_vectors_refresh
from catalog.tmdb.models import EnrichmentState, TmdbFacts

MAX_AGE = timedelta(days=180)
# Refreshing begins a month before the end, so that an outage does not cost the texts.
REFRESH_AFTER = timedelta(days=150)
_BATCH = 500
_EMPTY: dict[str, Any] = {
    "runtime_min": None,
    "language": "",
    "countries": [],
    "certification": "",
    "tagline": "",
    "synopsis": "",
    "poster_path": "",
    "backdrop_path": "",
}
_RELATIONS: dict[str, type[Model]] = {
    "genres": Movie.genres.through,
    "keywords": Movie.keywords.through,
    "credits": Credit,
}


def expired_drop(*, now: datetime, max_age: timedelta = MAX_AGE) -> int:
    """Forget what TMDB said longer than ``max_age`` ago; returns the number of films."""
    dropped = 0
    while batch := _drop_batch(now - max_age):
        dropped += batch
    return dropped


@transaction.atomic
def _drop_batch(before: datetime) -> int:
    import_lock_wait()
    expired = list(
        EnrichmentState.objects.select_for_update(skip_locked=True)
        .filter(fetched_at__lt=before)
        .order_by("pk")
        .values_list("pk", flat=True)[:_BATCH]
    )
    if not expired:
        return 0
    ours = FieldSource.objects.filter(movie_id__in=expired, source=DataSource.TMDB)
    for name, empty in _EMPTY.items():
        films = ours.filter(field=name).values("movie_id")
        Movie.objects.filter(pk__in=films).update(**{name: empty})
    for name, through in _RELATIONS.items():
        films = ours.filter(field=name).values("movie_id")
        through._default_manager.filter(movie_id__in=films).delete()
    ours.filter(field__in=(*_EMPTY, *_RELATIONS)).delete()
    TmdbFacts.objects.filter(movie_id__in=expired).delete()
    images_forget(expired)
    states = EnrichmentState.objects.filter(pk__in=expired)
    # What waits for another try goes on waiting; the rest is missing again.
    states.filter(
        status__in=(
            EnrichmentState.Status.DONE,
            EnrichmentState.Status.FETCHED,
            EnrichmentState.Status.IMPORTED,
        )
    ).update(status=EnrichmentState.Status.DUE)
    states.update(fetched_at=None, etag="", sha256="", payload=None)
    search_vectors_refresh(expired)
    return len(expired)
