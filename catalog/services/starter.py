"""The bundled starter catalogue, and its simulated audience."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from django.db import transaction

from catalog import warehouse
from catalog.models import Credit, Dataset, DataSource, ExternalId
from catalog.services.datasets import SIMULATED_SLUG, DatasetFacts, dataset_set
from catalog.services.films import upsert_films
from catalog.services.records import CreditRecord, FilmRecord, UpsertReport
from catalog.services.search_index import search_vectors_refresh
from catalog.services.stats import rating_stats_refresh
from catalog.starter import StarterFilm, load_starter_films
from catalog.starter.audience import simulate_audience
from catalog.warehouse import RatingsFile

AUDIENCE = DatasetFacts(
    slug=SIMULATED_SLUG,
    name="Simulated audience",
    id_source=ExternalId.Source.IMDB,
    is_simulated=True,
    licence_note="Drawn from a random generator with latent tastes: nobody gave these ratings.",
)


@dataclass(frozen=True)
class StarterReport:
    """What loading did; ``audience`` is None where real ratings stand already."""

    films: UpsertReport
    audience: RatingsFile | None
    audience_changed: bool
    stats_changed: int

    @property
    def rows_changed(self) -> int:
        """Rows of films, datasets and statistics that are different now."""
        return self.films.changed + self.stats_changed + int(self.audience_changed)


def starter_load(progress: Callable[[str, int, int | None], None]) -> StarterReport:
    """Bring the starter catalogue in; the caller holds the import lock. Changes nothing twice.

    The simulated audience comes along only while there are no real ratings.
    """
    films = load_starter_films()
    has_real = Dataset.objects.filter(is_simulated=False).exists()
    with warehouse.incoming() as scratch:
        audience = None
        if not has_real:
            progress("Simulating an audience", 0, None)
            audience = warehouse.write_ratings([audience_table(films)], scratch / "ratings.parquet")
        with transaction.atomic():
            report = upsert_films(
                [starter_record(film) for film in films],
                source=DataSource.STARTER,
                on_progress=lambda done: progress("Writing films", done, len(films)),
            )
            audience_changed = audience is not None and dataset_set(AUDIENCE, audience)
            stats_changed = rating_stats_refresh()
            progress("Indexing for search", 0, None)
            search_vectors_refresh(report.changed_ids)
    warehouse.sweep()
    return StarterReport(
        films=report,
        audience=audience,
        audience_changed=audience_changed,
        stats_changed=stats_changed,
    )


def starter_record(film: StarterFilm) -> FilmRecord:
    """A starter film as the catalogue takes films."""
    ids = [(ExternalId.Source.IMDB, film.imdb_id)]
    if film.tmdb_id is not None:
        ids.append((ExternalId.Source.TMDB, str(film.tmdb_id)))
    if film.movielens_id is not None:
        ids.append((ExternalId.Source.MOVIELENS, str(film.movielens_id)))
    return FilmRecord(
        external_ids=tuple(ids),
        title=film.title,
        year=film.year,
        original_title=film.original_title if film.original_title != film.title else None,
        runtime_min=film.runtime,
        language=film.language,
        countries=film.countries,
        certification=film.certification,
        synopsis=film.synopsis,
        genres=film.genres,
        keywords=film.keywords,
        credits=tuple(CreditRecord(name, Credit.Role.DIRECTOR) for name in film.directors),
    )


def audience_table(films: Sequence[StarterFilm]) -> pa.Table:
    """The simulated ratings in the warehouse's columns; films by their IMDb number."""
    ratings = simulate_audience(films)
    imdb = np.array([int(film.imdb_id.removeprefix("tt")) for film in films], dtype=np.int64)
    columns = [
        pa.array(ratings.user_index + 1, type=pa.int64()),
        pa.array(imdb[ratings.item_index], type=pa.int64()),
        pa.array(ratings.rating.astype(np.float32)),
        pa.array(ratings.timestamp, type=pa.int64()),
    ]
    return pa.Table.from_arrays(columns, schema=warehouse.RATING_SCHEMA)
