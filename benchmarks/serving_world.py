"""The generated world that serving is measured in: made once, kept in ``var/bench-serving``.

138,493 people and 20 million ratings of 26,744 films in the warehouse, 70,470 films in the
catalogue, 12,000 people with accounts and histories of a like length in Postgres, and a policy of
the served shape whose tables are drawn at random: what a request costs depends on their size, not
on what they say. ``--part training`` replaces it by a fitted one.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "var" / "bench-serving"
USERS, FILMS, COLLABORATIVE, EVENTS = 138_493, 70_470, 26_744, 20_000_000
LIVE = 12_000  # people with accounts
CLIENTS = 400  # of them, who are logged in and ask
SEED = 11
START = datetime(2024, 1, 1, tzinfo=UTC)
TABLE_WIDTH = 400  # weights a film keeps in the item-to-item tables (recommendations.policy)


def enter(work: Path = WORK) -> None:
    """This process (and its children) use the world's own Postgres, Redis and folder."""
    work.mkdir(parents=True, exist_ok=True)
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    os.environ["MARQUEE_ENV_FILE"] = ""
    os.environ["MARQUEE_VAR"] = str(work)
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.serving_settings"
    from config.embedded import ensure_services

    ensure_services()
    import django

    django.setup()


def make(say: Callable[[str], None]) -> dict[str, Any]:
    """Whatever is missing of the world; what is there is kept. Returns how long each step took."""
    from django.core.management import call_command

    record = WORK / "world.json"
    done: dict[str, Any] = json.loads(record.read_text()) if record.exists() else {}
    call_command("migrate", interactive=False, verbosity=0)
    for name, step in STEPS.items():
        if name in done:
            continue
        say(f"making the world: {name}")
        started = time.perf_counter()
        step()
        done[name] = round(time.perf_counter() - started, 1)
        record.write_text(json.dumps(done, indent=1))
    return done


def interactions() -> Any:
    """The 20 million ratings, from the file that the warehouse step keeps."""
    from ml.types import Interactions

    kept = WORK / "interactions.npz"
    if kept.exists():
        with np.load(kept) as found:
            return Interactions(
                **{k: found[k] for k in found.files}, n_users=USERS, n_items=COLLABORATIVE
            )
    from benchmarks.made import made_interactions

    made = made_interactions(USERS, COLLABORATIVE, EVENTS, seed=SEED)
    rng = np.random.default_rng(SEED)
    stars = rng.choice(np.arange(1, 11) / 2, size=EVENTS, p=_STAR_SHARES).astype(np.float32)
    times = (int(START.timestamp()) - rng.integers(0, 20 * 365 * 86_400, EVENTS)).astype(np.int64)
    np.savez(
        kept, user_index=made.user_index, item_index=made.item_index, rating=stars, timestamp=times
    )
    return interactions()


# How often each half star is given in MovieLens 20M's like: rounded, high stars are common.
_STAR_SHARES = np.array([0.01, 0.03, 0.02, 0.07, 0.05, 0.21, 0.11, 0.28, 0.08, 0.14])


def _films() -> None:
    from catalog.models import ExternalId, Genre, Movie

    rng = np.random.default_rng(SEED)
    names = [f"Genre {i}" for i in range(19)]
    genres = Genre.objects.bulk_create(
        [Genre(name=n, slug=n.lower().replace(" ", "-")) for n in names]
    )
    counts = np.bincount(interactions().item_index, minlength=FILMS)
    for start in range(0, FILMS, 5000):
        films = [
            Movie(
                title=f"{_WORDS[i % len(_WORDS)]} {_WORDS[(i // 7) % len(_WORDS)]} {i}",
                year=1920 + i % 105,
                runtime_min=80 + i % 70,
                language="en",
                synopsis="A film of a generated world. " * 6,
                rating_count=int(counts[i]),
                rating_mean=3.5,
            )
            for i in range(start, min(start + 5000, FILMS))
        ]
        for film in films:
            film.normalize_titles()
        made = Movie.objects.bulk_create(films)
        ExternalId.objects.bulk_create(
            [
                ExternalId(movie=film, source="movielens", value=str(start + i + 1))
                for i, film in enumerate(made)
            ]
        )
        Movie.genres.through.objects.bulk_create(
            [
                Movie.genres.through(movie_id=film.pk, genre_id=genres[g].pk)
                for film in made
                for g in rng.choice(len(genres), 2, replace=False)
            ]
        )


_WORDS = ("Quiet", "Harbour", "Winter", "Glass", "Signal", "Orchard", "Midnight", "Copper", "River")


def _warehouse() -> None:
    import pyarrow as pa

    from catalog import warehouse
    from catalog.models import Dataset

    events = interactions()

    def tables() -> Iterator[pa.Table]:
        for start in range(0, len(events), 1 << 21):
            rows = slice(start, start + (1 << 21))
            yield pa.table(
                {
                    "source_user_id": events.user_index[rows].astype(np.int64) + 1,
                    "source_movie_id": events.item_index[rows].astype(np.int64) + 1,
                    "rating": events.rating[rows],
                    "timestamp": events.timestamp[rows],
                }
            )

    with warehouse.incoming() as folder:
        file = warehouse.write_ratings(tables(), folder / "ratings.parquet")
        warehouse.place(file, "generated")
    Dataset.objects.update_or_create(
        slug="generated",
        defaults={
            "name": "Generated",
            "id_source": "movielens",
            "fingerprint": file.fingerprint,
            "n_ratings": file.n_ratings,
            "n_users": file.n_users,
        },
    )


def _people() -> None:
    """Accounts with the histories of people of the warehouse, at most 200 films each."""
    from django.db import connection

    from accounts.models import User

    events = interactions()
    first = np.searchsorted(events.user_index, np.arange(USERS + 1))
    chosen = np.random.default_rng(SEED).choice(USERS, LIVE, replace=False)
    people = User.objects.bulk_create(
        [
            User(email=f"person{i}@example.org", password="!", feedback_generation=1)  # noqa: S106
            for i in range(LIVE)
        ],
        batch_size=2000,
    )
    film_ids = film_ids_by_position()
    copy = "COPY feedback_rating (user_id, movie_id, stars, created_at, updated_at) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(copy) as rows:
        for person, source in zip(people, chosen, strict=True):
            span = np.arange(first[source], first[source + 1])[:200]
            for n, at in enumerate(span):
                when = START - timedelta(minutes=len(span) - n)
                stars = float(events.rating[at])
                rows.write_row((person.pk, int(film_ids[events.item_index[at]]), stars, when, when))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def film_ids_by_position() -> np.ndarray:
    """int64[FILMS]: our ids in the order in which the films were made."""
    from catalog.models import Movie

    return np.fromiter(Movie.objects.order_by("pk").values_list("pk", flat=True), np.int64)


def _sessions() -> None:
    """Cookies of people who are logged in."""
    from django.test import Client

    from accounts.models import User

    cookies = []
    for user in User.objects.order_by("pk")[:CLIENTS]:
        client = Client()
        client.force_login(user)
        cookies.append({"user_id": user.pk, "session": client.cookies["sessionid"].value})
    (WORK / "sessions.json").write_text(json.dumps(cookies))


def _policy() -> None:
    """A policy of the served shape, and its row: active, as if it had been promoted."""
    from django.conf import settings
    from django.utils import timezone

    from ml.artifacts import save_artifact
    from ml.models.hybrid import Hybrid
    from recommendations.models import ModelVersion

    models = {label: _made_model(name, params) for label, (name, params) in policy_parts().items()}
    hybrid = Hybrid.of(models, {label: 1.0 / len(models) for label in models})
    for version in ("generated-a", "generated-b"):
        ids = film_ids_by_position()[:COLLABORATIVE].tolist()
        folder = Path(settings.MODELS_DIR) / version
        shutil.rmtree(folder, ignore_errors=True)
        manifest = save_artifact(hybrid, folder, metadata={"movie_ids": ids, "version": version})
        ModelVersion.objects.update_or_create(
            version=version,
            defaults={
                "path": version,
                "manifest_sha256": manifest.sha256,
                "data_fingerprint": "",
                "status": "active" if version.endswith("a") else "retired",
                "activated_at": timezone.now(),
            },
        )
        _redraw(hybrid)


def policy_parts() -> dict[str, tuple[str, dict[str, Any]]]:
    """Label -> (model, settings) of the sources that the policy is blended of."""
    from recommendations.policy import blend_parts

    return blend_parts()


def _made_model(name: str, params: dict[str, Any]) -> Any:
    """One source with arrays of the size that fitting would give them."""
    from ml.models.als import Als
    from ml.models.item_to_item import ItemToItem
    from ml.models.popularity import Popularity
    from ml.models.registry import create

    rng = np.random.default_rng(SEED)
    model = create(name, params)
    model.n_items = COLLABORATIVE
    if isinstance(model, ItemToItem):
        width = int(params.get("n_kept") or params.get("n_neighbors") or TABLE_WIDTH)
        rows = COLLABORATIVE * len(getattr(model, "memories", [0]))
        # Who asks one table in two ways fits it once; no other source has the same.
        fitted = {key: params[key] for key in sorted(params.keys() - model.history_params())}
        model.table = _made_table(width, rows=rows, seed=crc32(f"{name} {fitted}".encode()))
        model.seen = np.ones(COLLABORATIVE, dtype=np.bool_)
    elif isinstance(model, Als):
        d = model.n_factors
        model.item_factors = 0.1 * rng.standard_normal((COLLABORATIVE, d), dtype=np.float32)
        model.gram = model.item_factors.T @ model.item_factors
        model.seen = np.ones(COLLABORATIVE, dtype=np.bool_)
    elif isinstance(model, Popularity):
        counts = np.bincount(interactions().item_index, minlength=COLLABORATIVE)
        model.item_score = np.log1p(counts).astype(np.float32)
    else:
        raise TypeError(f"the world does not know how large a {name} is")
    return model


def _made_table(width: int, *, rows: int, seed: int) -> Any:
    """csr float32[rows, COLLABORATIVE] with about ``width`` entries a row; popular films more."""
    from scipy import sparse

    rng = np.random.default_rng([SEED, seed])
    share = rng.lognormal(sigma=1.0, size=COLLABORATIVE)
    columns = rng.choice(COLLABORATIVE, size=(rows, width), p=share / share.sum()).astype(np.int32)
    columns.sort(axis=1)
    values = rng.gamma(0.5, 0.02, size=(rows, width)).astype(np.float32)
    indptr = np.arange(rows + 1, dtype=np.int64) * width
    table = sparse.csr_matrix(
        (values.ravel(), columns.ravel(), indptr), shape=(rows, COLLABORATIVE)
    )
    table.sum_duplicates()
    return table


def _redraw(hybrid: Any) -> None:
    """Other values of the same shape: a version whose lists differ."""
    from ml.models.item_to_item import ItemToItem

    for model in hybrid.models.values():
        if isinstance(model, ItemToItem):
            np.random.default_rng(SEED + 1).shuffle(np.asarray(model.table.data))


STEPS: dict[str, Callable[[], None]] = {
    "films": _films,
    "warehouse": _warehouse,
    "people": _people,
    "cookies": _sessions,
    "policy": _policy,
}
