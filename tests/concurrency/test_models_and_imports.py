"""Promotion against rollback, trainings against each other, two imports of one catalogue."""

from __future__ import annotations

import pytest

from accounts.models import User
from catalog.ingestion.errors import IngestionError
from catalog.ingestion.movielens import import_movielens
from catalog.models import Movie
from catalog.services.search_terms import search_terms_rebuild
from feedback.imports import jobs
from feedback.imports.jobs import import_run
from feedback.imports.models import ImportJob
from feedback.imports.services import import_apply, import_create
from feedback.models import Interaction, Rating
from recommendations.models import ModelVersion, TrainingRun
from recommendations.services.lease import TrainingBusyError
from recommendations.services.registry import PromotionError, model_promote, model_rollback
from recommendations.services.training import train
from recommendations.snapshot import forget_snapshot
from tests.concurrency.conftest import at_once, errors
from tests.worlds import make_world

pytestmark = pytest.mark.django_db(transaction=True)
Status = ModelVersion.Status


@pytest.fixture
def three():
    """Three versions that were all served; the last one is active."""
    forget_snapshot()
    make_world()
    for _ in range(3):
        assert train(is_forced=True).status == TrainingRun.Status.DONE
    yield list(ModelVersion.objects.filter(kind="hybrid").order_by("pk"))
    forget_snapshot()


def test_promotions_and_rollbacks_end_with_one_active_version(three):
    for _ in range(3):
        promote = [lambda v=v: model_promote(ModelVersion.objects.get(pk=v.pk)) for v in three]
        outcomes = at_once(*promote, model_rollback, model_rollback, model_rollback, *promote)
        # "There is no earlier version": every other one was active a moment ago. Nothing else.
        assert {type(error) for error in errors(outcomes)} <= {PromotionError}
        assert ModelVersion.objects.filter(kind="hybrid", status=Status.ACTIVE).count() == 1
    assert ModelVersion.objects.filter(kind="hybrid").count() == 3


def test_of_four_trainings_at_once_one_runs():
    make_world()
    outcomes = at_once(*[lambda: train(is_forced=True)] * 4)
    assert [type(error) for error in errors(outcomes)] == [TrainingBusyError] * 3
    assert TrainingRun.objects.count() == 1
    assert ModelVersion.objects.filter(status=Status.ACTIVE).count() == 1


def quietly(*_: object) -> None:
    """Nobody watches."""


@pytest.fixture
def folder(tmp_path):
    """A MovieLens folder of 200 films."""
    place = tmp_path / "ml-tiny"
    place.mkdir()
    ids = range(1, 201)
    films = "".join(f"{n},Film {n} ({1950 + n % 60}),Drama|Comedy\n" for n in ids)
    (place / "movies.csv").write_text("movieId,title,genres\n" + films)
    links = "".join(f"{n},{1000 + n},{5000 + n}\n" for n in ids)
    (place / "links.csv").write_text("movieId,imdbId,tmdbId\n" + links)
    rows = "".join(
        f"{u},{n},{1 + (u + n) % 9 / 2},{10**9 + n}\n" for u in range(1, 21) for n in ids
    )
    (place / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + rows)
    return place


def test_of_two_imports_at_once_one_is_told_to_wait_and_nothing_is_doubled(folder):
    outcomes = at_once(
        lambda: import_movielens(str(folder), progress=quietly),
        lambda: import_movielens(str(folder), progress=quietly),
    )
    refused = errors(outcomes)
    assert {type(error) for error in refused} <= {IngestionError}
    assert len(refused) <= 1
    assert Movie.objects.count() == 200
    assert import_movielens(str(folder), progress=quietly).rows_changed == 0


N_ROWS = 300


@pytest.fixture
def two_files(monkeypatch):
    """One person's ratings handed in twice, under way in steps of 20 rows; the films are here."""
    monkeypatch.setattr(jobs, "READ_BATCH", 20)
    monkeypatch.setattr(jobs, "MATCH_BATCH", 20)
    monkeypatch.setattr(jobs, "APPLY_BATCH", 20)
    make_films(N_ROWS)
    ada = User.objects.create_user("ada@example.org")
    rows = "".join(f"2021-05-03,Film {n},{1950 + n % 60},https://x/{n},4\n" for n in range(N_ROWS))
    content = f"Date,Name,Year,Letterboxd URI,Rating\n{rows}".encode()
    return [import_create(user=ada, filename="ratings.csv", content=content) for _ in range(2)]


def make_films(n: int) -> None:
    """So many, told apart by title and year."""
    films = [Movie(title=f"Film {i}", year=1950 + i % 60) for i in range(n)]
    for film in films:
        film.normalize_titles()
    Movie.objects.bulk_create(films)
    search_terms_rebuild()


def test_two_imports_of_one_person_at_once_count_every_film_once(two_files):
    everybody = [lambda job=job: import_run(job.pk) for job in two_files for _worker in range(2)]
    assert errors(at_once(*everybody)) == []
    assert [job.rows.count() for job in two_files] == [N_ROWS] * 2
    assert not Rating.objects.exists()
    assert all(import_apply(ImportJob.objects.get(pk=job.pk)) for job in two_files)
    assert errors(at_once(*everybody)) == []
    for job in two_files:
        job.refresh_from_db()
        assert (job.status, job.rows.filter(is_applied=True).count()) == ("done", N_ROWS)
    assert Rating.objects.count() == N_ROWS
    assert Interaction.objects.filter(kind="rate").count() == N_ROWS
    assert sum(job.changes.count() for job in two_files) == N_ROWS
