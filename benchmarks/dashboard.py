"""How fast the staff pages are when the log is large.

    python -m benchmarks.dashboard --out benchmarks/results/dashboard.json

On a database of its own: 100,000 accounts, and the roll-ups of a year in which they left 20 million
interactions and were shown two lists of 24 films for every ten of them, from a catalogue of 87,585
films; eight kinds of audience with all accounts in them; 24 measured versions of the policy. Pages
are asked for in this process, the longest time (365 days) and the default one; the 95th percentile
of each must stay under 500 ms. Ends with 1 where one does not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.own_database import manage, own_database

N_EVENTS, N_PEOPLE, N_FILMS, N_DAYS = 20_000_000, 100_000, 87_585, 365
LISTS_PER_EVENT, LIST_FILMS = 0.2, 24
LIMIT_MS = 500.0
N_KINDS, N_VERSIONS = 8, 24
NEWEST = f"hybrid-{N_VERSIONS - 1}"
PATHS = (
    *("/staff/", "/staff/?days=365", "/staff/feedback/", "/staff/feedback/?days=365"),
    *("/staff/lists/", "/staff/lists/?days=365", "/staff/pipeline/", "/staff/pipeline/?days=365"),
    *("/staff/clusters/", "/staff/clusters/?days=365"),
    *("/staff/models/", f"/staff/models/{NEWEST}/"),
)


@dataclass(frozen=True, slots=True)
class PageLine:
    """One page: times in milliseconds over ``n`` requests, and its size."""

    path: str
    n: int
    median_ms: float
    p95_ms: float
    n_bytes: int


def make_people() -> None:
    """Accounts without anything else."""
    from accounts.models import User

    now = datetime.now(UTC)
    for start in range(0, N_PEOPLE, 10_000):
        User.objects.bulk_create(
            User(
                email=f"person{i}@example.org",
                password="!",  # noqa: S106 - nobody can log in with it
                date_joined=now - timedelta(days=i % N_DAYS),
            )
            for i in range(start, min(start + 10_000, N_PEOPLE))
        )


def make_roll_ups(*, seed: int = 7) -> None:
    """A year of days and a week of hours, as the roll-ups of such a log would be."""
    from dashboard.models import FeedbackDay, RollUpMark, ShownDay, StageHour
    from dashboard.rollup.latency import EDGES_MS, TOTAL
    from dashboard.rollup.shown import CLUSTER_PREFIX, FILM_SLICES, PEOPLE_SLICES
    from dashboard.staff.pipeline_page import STAGES

    rng = np.random.default_rng(seed)
    now = datetime.now(UTC)
    events = N_EVENTS // N_DAYS
    lists = int(events * LISTS_PER_EVENT)
    popularity = rng.lognormal(sigma=2.0, size=N_FILMS)
    popularity /= popularity.sum()
    kinds = [CLUSTER_PREFIX + genre for genre in genres()]
    for ago in range(2 * N_DAYS):
        day = (now - timedelta(days=ago)).date()
        counts = rng.multinomial(lists * LIST_FILMS, popularity)
        ids = np.flatnonzero(counts)
        parts = {
            name: {"lists": lists // 4, "impressions": lists * 6, "opinions": 900, "positive": 600}
            for name in (*PEOPLE_SLICES, *FILM_SLICES, *kinds)
        }
        FeedbackDay.objects.create(
            day=day,
            n_events=events,
            n_people=9000,
            n_opinions=events // 2,
            n_positive=events // 3,
            n_joined=270,
            counts={
                "kind": {"rate": events // 2, "react": events // 4, "open": events // 4},
                "surface": {"home": events // 2, "for_you": events // 2},
            },
        )
        ShownDay.objects.create(
            day=day,
            n_lists=lists,
            n_people=8000,
            n_impressions=lists * LIST_FILMS,
            n_films=len(ids),
            n_catalogue=N_FILMS,
            n_cold=lists // 20,
            n_fallback=lists // 30,
            n_stored=lists // 3,
            gini=0.8,
            novelty=5.0,
            diversity=0.7,
            counts={
                name: {f"{name} {i}": lists // (i + 1) for i in range(8)}
                for name in ("reason", "source", "surface", "model_version", "policy", "skipped")
            },
            slices=parts,
            exposure=np.concatenate([ids, counts[ids]]).astype(np.int64).tobytes(),
        )
    hour = now.replace(minute=0, second=0, microsecond=0)
    edges = len(EDGES_MS) + 1
    StageHour.objects.bulk_create(
        StageHour(
            hour=hour - timedelta(hours=ago),
            stage=stage,
            n=lists // 24,
            total_ms=1000.0,
            buckets=rng.multinomial(lists // 24, np.full(edges, 1 / edges)).tolist(),
        )
        for ago in range(7 * 24)
        for stage in {*STAGES, TOTAL}
    )
    RollUpMark.objects.create(name="log", rolled_at=now)


def genres() -> list[str]:
    """What the kinds of audience are called."""
    from catalog.genres import PRECEDENCE

    return list(PRECEDENCE[:N_KINDS])


def make_kinds(*, seed: int = 7) -> None:
    """As many clusters as there can be, every account in one of them."""
    from accounts.models import User
    from dashboard.models import Clustering, ClusterMember, TasteCluster

    rng = np.random.default_rng(seed)
    traits = [{"kind": "genre", "value": name} for name in genres()]
    clustering = Clustering.objects.create(
        fingerprint="made",
        traits=traits,
        mean=np.full(N_KINDS, 0.2).tolist(),
        n_people=N_PEOPLE,
        width=0.25,
        figures={
            "gap_s": 3600,
            "n_sittings": 10 * N_PEOPLE,
            "edges": [1, 2, 5, 10, 20, 50],
            "sizes": rng.multinomial(10 * N_PEOPLE, np.full(7, 1 / 7)).tolist(),
            "fame_edges": [100, 2],
        },
    )
    rows = TasteCluster.objects.bulk_create(
        TasteCluster(
            clustering=clustering,
            number=number,
            key=name,
            marks=[traits[number]],
            centre=np.eye(N_KINDS)[number].tolist(),
            shares=np.where(np.arange(N_KINDS) == number, 0.6, 0.1).tolist(),
            n_people=N_PEOPLE // N_KINDS,
            figures={"liked": 60.0, "per_sitting": 8.0, "sittings": 10.0, "liked_share": 0.5},
        )
        for number, name in enumerate(genres())
    )
    people = User.objects.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=10_000)
    ClusterMember.objects.bulk_create(
        (ClusterMember(user_id=pk, cluster=rows[i % N_KINDS]) for i, pk in enumerate(people)),
        batch_size=10_000,
    )


def make_models() -> None:
    """Versions with figures on every protocol, the newest one served; what drifted since."""
    from dashboard.staff.quality import METRICS, SLICE_LABELS
    from ml.cluster_slices import PREFIX
    from recommendations.models import DriftCheck, ModelVersion, TrainingRun
    from recommendations.policy import blend_parts
    from recommendations.services.measuring import PROTOCOLS

    interval = {"mean": 0.25, "lo": 0.24, "hi": 0.26}
    figures = dict.fromkeys(METRICS, interval)
    count = {"mean": 600.0, "lo": 600.0, "hi": 600.0}
    slices = {
        name: {"n": count, **figures}
        for name in (*SLICE_LABELS, *(PREFIX + genre for genre in genres()))
    }

    def measured_on(name: str) -> dict[str, Any]:
        return {
            "protocol": name,
            "seed": 7,
            "n_users": 600,
            "split_sha256": "0" * 64,
            "models": {"hybrid": figures, "popularity": figures},
            "slices": slices,
        }

    for number in range(N_VERSIONS):
        version = ModelVersion.objects.create(
            kind="hybrid",
            version=f"hybrid-{number}",
            path=f"hybrid-{number}",
            status="active" if number == N_VERSIONS - 1 else "retired",
            metrics={
                **measured_on("returning"),
                "weights": dict.fromkeys(blend_parts(), 0.1),
                "protocols": {name: measured_on(name) for name in PROTOCOLS},
                "gate": {
                    "checks": [{"name": "people", "is_passed": True, "said": "It is."}] * 8,
                    "gains": {"champion": interval, "popularity": interval},
                    "slices": {"new users": {"n": 600, "gain": interval}},
                },
            },
        )
        TrainingRun.objects.create(kind="hybrid", status="done", model_version=version)
    DriftCheck.objects.bulk_create(
        DriftCheck(
            model_version=version,
            said="As it was.",
            figures={"stars_psi": 0.1, "popularity_psi": 0.1, "unknown_films": 0.0},
        )
        for _check in range(100)
    )


def measured(paths: Sequence[str], *, n: int) -> list[PageLine]:
    """Each page ``n`` times after one that is not counted."""
    from django.test import Client

    from accounts.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("boss@example.org"))
    lines = []
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        times = []
        for _ in range(n):
            started = time.perf_counter()
            client.get(path)
            times.append(1000 * (time.perf_counter() - started))
        lines.append(
            PageLine(
                path=path,
                n=n,
                median_ms=round(float(np.median(times)), 1),
                p95_ms=round(float(np.quantile(times, 0.95)), 1),
                n_bytes=len(answer.content),
            )
        )
    return lines


def main() -> int:
    """Prints the table, writes the JSON; 1 where a page is too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with own_database("dashboard"):
        manage("collectstatic", "--noinput", "--verbosity", "0")
        make_people()
        make_kinds()
        make_roll_ups()
        make_models()
        lines = measured(PATHS, n=options.requests)
    print(f"{'page':<28} {'median ms':>10} {'p95 ms':>8} {'KB':>6}")
    for line in lines:
        note = "" if line.p95_ms < LIMIT_MS else "  over the limit"
        print(
            f"{line.path:<28} {line.median_ms:>10.0f} {line.p95_ms:>8.0f} "
            f"{line.n_bytes / 1024:>6.0f}{note}"
        )
    if options.out:
        report = {
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "load_after": round(os.getloadavg()[0], 2),
            "n_interactions": N_EVENTS,
            "n_accounts": N_PEOPLE,
            "n_films": N_FILMS,
            "limit_ms": LIMIT_MS,
            "pages": [asdict(line) for line in lines],
        }
        options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0 if all(line.p95_ms < LIMIT_MS for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
