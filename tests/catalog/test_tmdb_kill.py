"""Killed with -9 twice in the middle, an enrichment loses nothing and fetches nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

from catalog.models import DataSource, FieldSource, Movie
from catalog.tmdb.fake.faults import Mischief, Rates
from catalog.tmdb.models import EnrichmentRun, EnrichmentState
from tests.catalog.tmdb_world import movielens_films, row, tmdb
from tests.worker import database_url_of_test

ROOT = Path(__file__).resolve().parent.parent.parent
N_FILMS = 400
MAX_WAIT_S = 120


def start(fake) -> subprocess.Popen[bytes]:
    """The command as an operator starts it, on the test's database."""
    env = {
        **os.environ,
        "DATABASE_URL": database_url_of_test(),
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "TMDB_API_KEY": "any",
        "TMDB_BASE_URL": fake.url,
        "TMDB_REQUESTS_PER_S": "150",
        "LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "manage.py", "enrich_tmdb", "--threads", "4", "--verbosity", "0"]
    return subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def kill_when(process, fake, n_requests: int) -> None:
    """SIGKILL as soon as the fake has answered so often."""
    ends = time.monotonic() + MAX_WAIT_S
    while len(fake.requests) < n_requests:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < ends, "the enrichment did not get on"
    process.kill()
    process.wait()


def good_answers(fake) -> dict[str, list[bool]]:
    """Film -> for each good answer, whether the client came back on that connection: it had kept
    the answer by then. A kill may lose the last answer on each connection, and only that."""
    last_on = {request.connection: place for place, request in enumerate(fake.requests)}
    good = defaultdict(list)
    for place, request in enumerate(fake.requests):
        is_good = request.status == 200 and request.fault == "none" and request.is_sent
        if request.path.startswith("/3/movie/") and is_good:
            good[request.path].append(last_on[request.connection] > place)
    return good


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_film_is_fetched_once_over_two_kills():
    films = movielens_films(range(1, N_FILMS + 1))
    edited = [films[number] for number in range(1, N_FILMS + 1, 20)]
    Movie.objects.filter(pk__in=edited).update(synopsis="Ours.")
    for pk in edited:
        FieldSource.objects.create(movie_id=pk, field="synopsis", source=DataSource.EDITOR)
    rates = Rates(busy=0.05, error=0.02, broken=0.01, retry_after_s=0)
    rows = [row(n) for n in range(1, N_FILMS + 1)]
    with tmdb(rows, mischief=Mischief(rates, seed=2)) as fake:
        for share in (1 / 3, 2 / 3):
            kill_when(start(fake), fake, int(share * N_FILMS))
        assert 0 < Movie.objects.exclude(synopsis="").count() < N_FILMS
        last = start(fake)
        assert last.wait(MAX_WAIT_S) == 0, last.stderr.read()
        before = len(fake.requests)
        again = start(fake)
        assert again.wait(MAX_WAIT_S) == 0, again.stderr.read()
        assert len(fake.requests) == before
    good = good_answers(fake)
    assert len(good) == N_FILMS
    # Only answers that died with the process may come twice: at most one per thread and kill.
    taken_twice = {path: taken for path, taken in good.items() if any(taken[:-1])}
    assert taken_twice == {}
    assert sum(len(taken) - 1 for taken in good.values()) <= 2 * 4
    assert set(EnrichmentState.objects.values_list("status", flat=True)) == {"done"}
    assert EnrichmentState.objects.count() == N_FILMS
    assert Movie.objects.filter(synopsis="Ours.").count() == len(edited)
    assert Movie.objects.filter(synopsis__startswith="What happens").count() == N_FILMS - len(
        edited
    )
    statuses = EnrichmentRun.objects.order_by("created_at").values_list("status", flat=True)
    assert list(statuses) == ["stopped", "stopped", "done", "done"]
