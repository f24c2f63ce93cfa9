"""Which bodies of ratings count."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from catalog import warehouse
from catalog.models import Dataset, ExternalId
from catalog.warehouse import RatingsFile

# Any constant: pg_advisory_lock's key for whatever changes the catalogue as a whole.
_IMPORT_LOCK = 0x6D617271
SIMULATED_SLUG = "starter-audience"


@dataclass(frozen=True)
class DatasetFacts:
    """What a dataset is called and how it names films."""

    slug: str
    name: str
    id_source: ExternalId.Source
    is_simulated: bool = False
    licence_note: str = ""


def import_lock_take() -> bool:
    """Whether this connection may import; held until it closes or gives it back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_IMPORT_LOCK])
        return bool(cursor.fetchone()[0])


def import_lock_give_back() -> None:
    """Let others import."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_IMPORT_LOCK])


def dataset_set(facts: DatasetFacts, file: RatingsFile) -> bool:
    """Make ``file`` the dataset's ratings, inside the caller's transaction; whether that is new."""
    warehouse.place(file, facts.slug)
    values = {
        "name": facts.name,
        "id_source": facts.id_source,
        "is_simulated": facts.is_simulated,
        "licence_note": facts.licence_note,
        "n_ratings": file.n_ratings,
        "n_users": file.n_users,
        "fingerprint": file.fingerprint,
    }
    if Dataset.objects.filter(slug=facts.slug, **values).exists():
        return False
    Dataset.objects.update_or_create(slug=facts.slug, defaults=values)
    return True


def simulated_datasets_drop() -> list[str]:
    """Real ratings replace simulated ones; returns the names of those dropped."""
    simulated = list(Dataset.objects.filter(is_simulated=True))
    for dataset in simulated:
        dataset.delete()
    return [dataset.name for dataset in simulated]


def import_lock_wait() -> None:
    """Wait until no import runs, and keep others waiting until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_IMPORT_LOCK])
