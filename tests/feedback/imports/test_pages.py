"""The pages of imports, without script: bring, look, repair, write, take back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts import uploads
from accounts.models import User
from feedback.imports.models import ImportJob
from feedback.models import Rating
from tests.feedback.imports import files
from tests.feedback.imports.conftest import run, write

pytestmark = pytest.mark.django_db
IMPORTS = "/settings/import/"


@pytest.fixture
def mine(client, ada):
    client.force_login(ada)
    return client


@pytest.fixture
def eve():
    client = Client()
    client.force_login(User.objects.create_user("eve@example.org", "a-long-password"))
    return client


def upload(client, content, name="x.zip"):
    content = content if isinstance(content, bytes) else content.encode()
    return client.post(IMPORTS, {"file": SimpleUploadedFile(name, content)})


def shown(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_from_file_to_films_and_back(mine, ada, films):
    answer = upload(mine, files.letterboxd_zip(), "letterboxd.zip")
    job = ImportJob.objects.get()
    page = f"{IMPORTS}{job.pk}/"
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert "Waiting for a worker." in shown(mine, page)
    run(job)
    body = shown(mine, page)
    assert "5 of 5 films found." in body
    assert "3 ratings" in body
    assert "Write 14 rows" in body
    assert not Rating.objects.exists()

    assert mine.post(f"{page}apply/").status_code == 302
    run(job)
    body = shown(mine, page)
    assert "Written" in body
    assert "2 films on lists" in body
    assert Rating.objects.count() == 3

    mine.post(f"{page}undo/")
    run(job)
    assert "All of it was taken back." in shown(mine, page)
    assert not Rating.objects.exists()
    mine.post(f"{page}forget/")
    assert not ImportJob.objects.exists()
    assert shown(mine, IMPORTS).count("letterboxd.zip") == 0


def test_a_film_in_doubt_is_chosen_in_the_queue_or_looked_for(mine, bring, films):
    head = "Date,Name,Year,Letterboxd URI,Rating\n"
    text = head + "2021-05-03,Heat,,u,4\n,Qwx,2006,u,3\n,Ronin,1998,u,2\n"
    job = bring(text, "ratings.csv")
    page = f"{IMPORTS}{job.pk}/"
    assert "1 of 3 films found; 1 to check; 1 not in this catalogue." in shown(mine, page)
    queue = shown(mine, f"{page}check/")
    assert "Several films have this title" in queue
    assert "4 stars · May 3, 2021" in queue
    heat, other = job.films.exclude(state="found").order_by("pk")
    answer = mine.post(f"{page}films/{heat.pk}/", {"movie": films["heat_86"].pk, "from": "check"})
    assert answer["Location"] == f"{page}check/?state=check"
    found = shown(mine, f"{page}films/{other.pk}/?q=stalker")
    assert "<strong>Stalker</strong>" in found
    assert "Nothing here is called" in shown(mine, f"{page}films/{other.pk}/?q=zzzzqq")
    mine.post(f"{page}films/{other.pk}/", {"movie": films["stalker"].pk})
    write(job)
    assert dict(Rating.objects.values_list("movie", "stars")) == {
        films["heat_86"].pk: Decimal(4),
        films["stalker"].pk: Decimal(3),
        films["ronin"].pk: Decimal(2),
    }
    # What was written is not chosen anew behind its back.
    mine.post(f"{page}films/{heat.pk}/", {"movie": films["alien"].pk})
    heat.refresh_from_db()
    assert heat.movie == films["heat_86"]
    assert "was written already" in shown(mine, f"{page}check/")


def test_nonsense_in_the_queue_changes_nothing(mine, bring, films):
    job = bring("Date,Name,Year,Letterboxd URI,Rating\n,Heat,,u,4\n", "ratings.csv")
    film = job.films.get()
    path = f"{IMPORTS}{job.pk}/films/{film.pk}/"
    films["stalker"].is_hidden = True
    films["stalker"].save(update_fields=["is_hidden"])
    for nonsense in ({}, {"movie": "x"}, {"movie": "9" * 40}, {"movie": films["stalker"].pk}):
        assert mine.post(path, nonsense).status_code == 302
        film.refresh_from_db()
        assert (film.state, film.movie) == ("check", None)
    mine.post(path, {"skip": "1"})
    film.refresh_from_db()
    assert film.state == "skipped"
    assert "skipped by you" in shown(mine, f"{IMPORTS}{job.pk}/")


def test_the_state_alone_is_answered_to_htmx_and_asks_again_only_while_it_is_under_way(mine, bring):
    job = bring(files.RATINGS, "ratings.csv")
    mine.post(f"{IMPORTS}{job.pk}/apply/")
    htmx = {"HX-Request": "true"}
    fragment = mine.get(f"{IMPORTS}{job.pk}/", headers=htmx).content.decode()
    assert "<html" not in fragment
    assert 'hx-trigger="every 1s"' in fragment
    assert 'role="progressbar"' in fragment
    run(job)
    assert "every 1s" not in mine.get(f"{IMPORTS}{job.pk}/", headers=htmx).content.decode()


def test_files_that_cannot_be_taken_are_answered_with_what_to_do(mine, films, monkeypatch):
    answer = mine.post(IMPORTS, {})
    assert answer.status_code == 422
    assert "Choose a file first." in answer.content.decode()
    assert "The file is empty." in upload(mine, b"").content.decode()
    monkeypatch.setattr(uploads, "MAX_FILE_BYTES", 1000)
    answer = upload(mine, b"x" * 1001)
    assert answer.status_code == 422
    assert "larger than 20 MB" in answer.content.decode()
    assert not ImportJob.objects.exists()


def test_a_broken_file_says_what_to_do_on_its_page(mine, bring):
    job = bring(files.letterboxd_zip()[:-200])
    body = shown(mine, f"{IMPORTS}{job.pk}/")
    assert "was not downloaded to its end. Download it again." in body
    assert "Bring another file" in body


def test_another_persons_import_is_not_there(mine, eve, client, bring):
    job = bring(files.RATINGS, "ratings.csv")
    film = job.films.first()
    base = f"{IMPORTS}{job.pk}/"
    for path in (base, f"{base}check/", f"{base}films/{film.pk}/"):
        assert eve.get(path).status_code == 404
    for act in ("apply", "undo", "cancel", "forget"):
        assert eve.post(f"{base}{act}/").status_code == 404
        assert eve.get(f"{base}{act}/").status_code == 405
    assert ImportJob.objects.get().status == "ready"
    assert Client().get(base).status_code == 302


def test_a_page_of_the_queue_costs_the_same_however_many_films(
    mine, bring, films, django_assert_max_num_queries
):
    rows = "".join(f",Heat {n} and,{1990},u,4\n" for n in range(18))
    job = bring("Date,Name,Year,Letterboxd URI,Rating\n" + rows, "ratings.csv")
    with django_assert_max_num_queries(18):
        assert mine.get(f"{IMPORTS}{job.pk}/check/?state=check").status_code == 200
    with django_assert_max_num_queries(18):
        assert mine.get(f"{IMPORTS}{job.pk}/check/?state=unknown").status_code == 200
