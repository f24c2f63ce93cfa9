"""The feature store: what rankers know of people and films, one code path offline and online.

``build`` writes three Parquet tables of one moment: ``user_features``, ``item_features`` and
``genre_item_priors``, beside the running sums that they come from. What people did since is added
live, by the same function over the same sums (:class:`ml.features.FeatureStore`).
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from feedback.models import Interaction
from feedback.selectors import UserFeedback, feedback_of_users
from ml.features import ITEM_FEATURES, USER_FEATURES, FeatureStore
from ml.idmap import IdMap
from ml.types import FloatArray, Histories, Interactions, ItemFeatures, LongArray
from recommendations.preferences import histories_of, starred
from recommendations.training_data import LIVE_USER_OFFSET, training_data

KEPT_BUILDS = 2
MANIFEST = "manifest.json"
TABLES = ("user_features", "item_features", "genre_item_priors")
PRIOR_EVENTS = 1.0  # a film without events still has a chance within its genre
BATCH_USERS = 4096


class NoFeaturesError(Exception):
    """Nothing was built yet; the message says how to."""


@dataclass(frozen=True)
class Build:
    """A build on disk: its folder, the moment it is of, and the last event that it saw."""

    folder: Path
    as_of: int
    last_interaction_id: int
    fingerprint: str

    def table(self, name: str) -> pl.DataFrame:
        """One of :data:`TABLES`."""
        return pl.read_parquet(self.folder / f"{name}.parquet")

    def store(self) -> FeatureStore:
        """The running sums, memory-mapped."""
        names = json.loads((self.folder / MANIFEST).read_text())["arrays"]
        return FeatureStore.from_arrays(
            {name: np.load(self.folder / f"{name}.npy", mmap_mode="r") for name in names}
        )

    def items(self) -> IdMap:
        """The films of the sums, by position."""
        return IdMap(np.load(self.folder / "movie_ids.npy"))


def build(*, as_of: datetime | None = None) -> Build:
    """Builds all tables from the events before ``as_of`` (now, if not given); keeps two builds.

    Readers see the old folder or the new one, never half of one. Raises NoTrainingDataError.
    """
    # Now: whole seconds are rounded up, or what was done in this very second would be in no table.
    before = int(as_of.timestamp()) if as_of else int(timezone.now().timestamp()) + 1
    data = training_data(before=before)
    events = data.dataset.interactions
    store = FeatureStore.build(events, data.features)
    tables = {
        "user_features": _user_features(events, data.dataset.users, store, before),
        "item_features": _item_features(data.items, store, before),
        "genre_item_priors": _genre_item_priors(data.items, data.features, store, before),
    }
    manifest = {
        "as_of": before,
        "last_interaction_id": data.last_interaction_id,
        "fingerprint": data.fingerprint,
        "user_features": list(USER_FEATURES),
        "item_features": list(ITEM_FEATURES),
        "arrays": sorted(store.to_arrays()),
    }
    made = _write(tables, store, data.items, manifest)
    for old in _folders()[KEPT_BUILDS:]:
        shutil.rmtree(old, ignore_errors=True)
    return made


def latest() -> Build:
    """The newest build. Raises NoFeaturesError."""
    for folder in _folders():
        manifest = json.loads((folder / MANIFEST).read_text())
        return Build(
            folder, manifest["as_of"], manifest["last_interaction_id"], manifest["fingerprint"]
        )
    raise NoFeaturesError("No features were built yet: manage.py build_features.")


def people_features(people: Sequence[UserFeedback], built: Build, *, now: LongArray) -> FloatArray:
    """float32[n, len(USER_FEATURES)] of live histories at ``now`` int64[n] (seconds).

    What :func:`build` writes for the same history and moment, bit for bit.
    """
    histories = starred(histories_of(people, built.items()))
    return built.store().user_table(histories, now)


def user_features_of(users: Iterable[User], *, built: Build | None = None) -> dict[int, FloatArray]:
    """Features by user id: from the table, or made now for people with feedback since the build.

    Absent for people without any event. Three queries, whatever the number of people.
    """
    built = built or latest()
    people = {user.pk: user for user in users}
    newer = set(
        Interaction.objects.filter(user_id__in=people, pk__gt=built.last_interaction_id)
        .exclude(kind=Interaction.Kind.OPEN)
        .values_list("user_id", flat=True)
    )
    found: dict[int, FloatArray] = {}
    wanted = [LIVE_USER_OFFSET + pk for pk in people if pk not in newer]
    table = built.table("user_features").filter(pl.col("user_key").is_in(wanted))
    values = table.select(USER_FEATURES).to_numpy().astype(np.float32)
    for key, row in zip(table["user_key"].to_list(), values, strict=True):
        found[key - LIVE_USER_OFFSET] = row
    if newer:
        feedback = feedback_of_users([people[pk] for pk in sorted(newer)])
        now = int(timezone.now().timestamp())
        moments = np.array([max([now, *_times(person)]) for person in feedback.values()])
        rows = people_features(list(feedback.values()), built, now=moments)
        found |= {
            pk: row
            for (pk, person), row in zip(feedback.items(), rows, strict=True)
            if person.history
        }
    return found


def _times(person: UserFeedback) -> list[int]:
    return [int(event.at.timestamp()) for event in person.history]


def _user_features(
    events: Interactions, users: IdMap, store: FeatureStore, before: int
) -> pl.DataFrame:
    """One row per person with an event, in batches: a history is read once."""
    histories = Histories.from_interactions(events)
    some = np.flatnonzero(np.diff(histories.indptr))
    parts = [
        store.user_table(histories.select(rows), np.full(len(rows), before))
        for rows in (some[at : at + BATCH_USERS] for at in range(0, len(some), BATCH_USERS))
    ]
    values = np.concatenate(parts) if parts else np.empty((0, len(USER_FEATURES)), np.float32)
    keys = pl.DataFrame({"user_key": users.ids[some].astype(np.int64)})
    return pl.concat([keys, pl.DataFrame(values, schema=list(USER_FEATURES))], how="horizontal")


def _item_features(items: IdMap, store: FeatureStore, before: int) -> pl.DataFrame:
    at = np.arange(len(items))
    values = store.item_table(at, np.full(len(at), before))
    keys = pl.DataFrame({"movie_id": items.ids.astype(np.int64)})
    return pl.concat([keys, pl.DataFrame(values, schema=list(ITEM_FEATURES))], how="horizontal")


def _genre_item_priors(
    items: IdMap, features: ItemFeatures, store: FeatureStore, before: int
) -> pl.DataFrame:
    """The chance of each film among those of its genre, by recent confidence; sums to 1 a genre."""
    decayed = ITEM_FEATURES.index("item_conf_decay_sum")
    at = np.arange(len(items))
    recent = np.expm1(store.item_table(at, np.full(len(at), before))[:, decayed].astype(float))
    frames = []
    genres = features.genres if features.genres is not None else np.zeros((len(items), 0))
    for column, name in enumerate(features.genre_names):
        films = np.flatnonzero(genres[:, column])
        if not len(films):
            continue
        weight = recent[films] + PRIOR_EVENTS
        order = np.argsort(-weight, kind="stable")
        frames.append(
            pl.DataFrame(
                {
                    "genre": [name] * len(films),
                    "movie_id": items.ids[films][order].astype(np.int64),
                    "prior": (weight / weight.sum())[order],
                    "rank": np.arange(1, len(films) + 1),
                }
            )
        )
    schema = {"genre": pl.String, "movie_id": pl.Int64, "prior": pl.Float64, "rank": pl.Int64}
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)


def _root() -> Path:
    return Path(settings.FEATURES_DIR)


def _folders() -> list[Path]:
    """Finished builds, the newest first."""
    if not _root().is_dir():
        return []
    return sorted((f for f in _root().glob("features-*") if (f / MANIFEST).is_file()), reverse=True)


def _write(
    tables: dict[str, pl.DataFrame],
    store: FeatureStore,
    items: IdMap,
    manifest: dict[str, Any],
) -> Build:
    """All files into a folder of its own, flushed, then renamed to where readers look."""
    _root().mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    target = _root() / f"features-{stamp}"
    temporary = Path(tempfile.mkdtemp(prefix=".features-", dir=_root()))
    try:
        for name, table in tables.items():
            table.write_parquet(temporary / f"{name}.parquet", compression="zstd")
        for name, array in store.to_arrays().items():
            np.save(temporary / f"{name}.npy", array, allow_pickle=False)
        np.save(temporary / "movie_ids.npy", items.ids, allow_pickle=False)
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2))
        for file in temporary.iterdir():
            with file.open("rb+") as handle:
                os.fsync(handle.fileno())
        temporary.chmod(0o755)  # mkdtemp makes it private; the web may run as another user
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return Build(
        target, manifest["as_of"], manifest["last_interaction_id"], manifest["fingerprint"]
    )
