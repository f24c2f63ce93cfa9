"""Export: everything, for its person alone, until it expires; and back again without loss."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services import Taste, taste_settings_set
from feedback import journal, services
from feedback.events import EventContext
from feedback.exports.jobs import export_content, export_request, export_run, exports_sweep
from feedback.exports.models import ExportFile, ExportJob
from feedback.exports.writing import cell
from feedback.imports.models import ImportJob
from feedback.imports.services import import_create
from feedback.models import FilmList, QuizSession, Rating, Reaction
from feedback.work import WorkStatus
from tests.feedback.imports.conftest import ada, bring, films, run, write  # noqa: F401 - fixtures
from tests.feedback.imports.test_jobs import everything

pytestmark = pytest.mark.django_db


@pytest.fixture
def full(ada, films):  # noqa: F811
    """A person with some of everything."""
    event = EventContext
    for name, stars in (("heat", "4.5"), ("ronin", "2"), ("alien", "5")):
        services.rating_set(user=ada, movie=films[name], stars=Decimal(stars), event=event())
    at = datetime(2020, 2, 2, 2, 2, 2, 123456, tzinfo=UTC)
    Rating.objects.filter(movie=films["heat"]).update(created_at=at)
    for name, kind in (("heat", "like"), ("heat", "seen"), ("stalker", "never")):
        services.reaction_set(user=ada, movie=films[name], kind=Reaction.Kind(kind), event=event())
    services.watchlist_set(user=ada, movie=films["amelie"], is_on=True, event=event())
    services.film_passed(user=ada, movie=films["heat_86"], is_on=True, event=event())
    journal.diary_add(user=ada, movie=films["heat"], watched_on=date(2021, 1, 1), note="=1+1")
    journal.diary_add(user=ada, movie=films["heat"], watched_on=date(2022, 1, 1))
    made = journal.list_create(user=ada, name="Night trains", note="dark")
    journal.list_put(film_list=made, movie=films["stalker"], is_in=True)
    journal.list_create(user=ada, name="Empty yet")
    services.quiz_answered(user=ada, answers={"mood": "calm", "genres": ["Crime"]})
    taste_settings_set(ada, Taste(era=0.5, languages=("en",), year_from=1970))
    return ada


def proven(client, user):
    """Logged in, and the password given once more."""
    client.force_login(user)
    client.post("/accounts/reauthenticate/", {"password": "a-long-password"})


def exported(user):
    job = export_request(user)
    export_run(job.pk)
    job.refresh_from_db()
    assert job.status == WorkStatus.DONE
    return job, export_content(job)


def test_an_export_goes_into_a_fresh_account_without_loss_and_twice_changes_nothing(full):
    _job, content = exported(full)
    eve = User.objects.create_user("eve@example.org", "a-long-password")
    job = write(run(import_create(user=eve, filename="x.zip", content=content)))
    assert (job.source, job.status) == ("marquee", WorkStatus.DONE)
    assert everything(eve) == everything(full)
    assert eve.taste_settings.era == full.taste_settings.era == 0.5
    assert eve.taste_settings.languages == ["en"]
    assert FilmList.objects.filter(user=eve).count() == 2
    quizzes = QuizSession.objects.order_by("pk").values_list("answers", "created_at")
    assert quizzes[0] == quizzes[1]
    again = run(import_create(user=eve, filename="x.zip", content=content))
    assert again.preview == {}


def test_the_zip_says_what_it_holds_and_no_cell_is_a_formula(full):
    _job, content = exported(full)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = set(archive.namelist())
        assert {"README.txt", "marquee.json", "json/ratings.json", "csv/ratings.csv"} <= names
        readme = archive.read("README.txt").decode()
        assert full.email in readme
        everything_said = b"".join(archive.read(name) for name in names).decode()
        assert full.password not in everything_said
        table = archive.read("csv/diary.csv").decode("utf-8-sig")
        notes = [row["note"] for row in csv.DictReader(io.StringIO(table))]
        assert "'=1+1" in notes
        diary = json.loads(archive.read("json/diary.json"))
        assert [row["note"] for row in diary if row["note"]] == ["=1+1"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_what_a_spreadsheet_would_run_gets_a_quote(start):
    assert cell(f"{start}cmd|' /C calc'!A0").startswith("'")
    assert cell("-4.5") == "-4.5"
    assert cell("plain") == "plain"


def test_only_its_person_downloads_it_and_not_for_ever(full, settings):
    settings.EXPORT_KEEP_HOURS = 2
    client = Client()
    proven(client, full)
    assert client.post("/settings/export/").status_code == 302
    job = ExportJob.objects.get()
    assert "Waiting for a worker." in client.get("/settings/export/").content.decode()
    export_run(job.pk)
    path = f"/settings/export/{job.pk}/download/"
    assert path in client.get("/settings/export/").content.decode()
    answer = client.get(path)
    assert answer["Content-Type"] == "application/zip"
    assert "no-store" in answer["Cache-Control"]
    assert answer.content[:2] == b"PK"

    eve = Client()
    proven(eve, User.objects.create_user("eve@example.org", "a-long-password"))
    assert eve.get(path).status_code == 404
    assert Client().get(path).status_code == 302
    planted = Client()
    planted.force_login(full)  # a session alone is not enough
    for answer in (planted.get(path), planted.post("/settings/export/")):
        assert "/reauthenticate/" in answer["Location"]

    ExportJob.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(path).status_code == 410
    assert exports_sweep() == 1
    assert not ExportFile.objects.exists()
    assert client.get(path).status_code == 404


def test_an_export_of_another_installation_is_matched_by_everybodys_ids(full, settings):
    _job, content = exported(full)
    settings.SECRET_KEY = "of-another-installation"
    eve = User.objects.create_user("eve@example.org", "a-long-password")
    job = run(import_create(user=eve, filename="x.zip", content=content))
    assert ImportJob.objects.get(pk=job.pk).films.filter(state="found").count() == 6
    assert not job.films.filter(ids__contains=[["site"]]).exists()
