"""Enrichment by the worker, on the staff page and from the admin."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from model_bakery import baker

from accounts.models import User
from catalog.models import Movie
from catalog.services.embeddings import changed_films_embed
from catalog.tmdb import jobs
from catalog.tmdb.models import EnrichmentRun, EnrichmentState
from catalog.tmdb.runs import MAX_DELIVERIES, run_create, run_request
from tests.catalog.tmdb_world import movielens_films, row, tmdb

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(monkeypatch):
    """What would have gone to the broker."""
    sent: list[str] = []
    monkeypatch.setattr("catalog.tasks.enrich_tmdb_task.delay", sent.append)
    return sent


@pytest.fixture
def staff(client):
    person = baker.make(User, email="staff@example.org", is_staff=True, is_superuser=True)
    client.force_login(person)
    return client


@pytest.fixture
def fake(settings):
    with tmdb([row(n) for n in range(1, 4)]) as running:
        settings.TMDB_API_KEY = "any"
        settings.TMDB_BASE_URL = running.url
        settings.TMDB_REQUESTS_PER_S = 500
        yield running


def test_the_worker_enriches_once_whatever_is_delivered_twice(fake):
    films = movielens_films([1, 2, 3])
    run = run_create(trigger="test", now=timezone.now())
    report = jobs.run_by_worker(str(run.pk))
    assert report is not None
    assert report.counts == {"enriched": 3}
    assert jobs.run_by_worker(str(run.pk)) is None
    assert len(fake.requests) == 3
    assert Movie.objects.get(pk=films[1]).synopsis
    run.refresh_from_db()
    assert (run.status, run.done, run.percent, run.deliveries) == ("done", 3, 100, 1)


def test_a_run_that_kills_its_workers_is_given_up(fake):
    run = run_create(trigger="test", now=timezone.now())
    EnrichmentRun.objects.filter(pk=run.pk).update(deliveries=MAX_DELIVERIES)
    assert jobs.run_by_worker(str(run.pk)) is None
    run.refresh_from_db()
    assert run.status == "failed"
    assert fake.requests == []


def test_without_a_key_the_job_says_so(settings):
    settings.TMDB_API_KEY = ""
    run = run_create(trigger="test", now=timezone.now())
    jobs.run_by_worker(str(run.pk))
    run.refresh_from_db()
    assert run.status == "failed"
    assert "TMDB_API_KEY" in run.message


def test_two_requests_are_one_run(published):
    now = timezone.now()
    assert run_request(trigger="a", now=now).pk == run_request(trigger="b", now=now).pk
    assert EnrichmentRun.objects.count() == 1


def test_waiting_and_dead_runs_are_published_again(published):
    now = timezone.now()
    waiting = run_create(trigger="test", now=now - timedelta(minutes=5))
    fresh = run_create(trigger="test", now=now)
    dead = run_create(trigger="test", now=now)
    EnrichmentRun.objects.filter(pk=dead.pk).update(
        status="running", lease_until=now - timedelta(seconds=1)
    )
    assert jobs.runs_resume() == 2
    assert set(published) == {str(waiting.pk), str(dead.pk)}
    assert str(fresh.pk) not in published


def test_a_dead_broker_does_not_lose_the_run(monkeypatch):
    from kombu.exceptions import OperationalError

    def refuse(run_id):
        raise OperationalError

    monkeypatch.setattr("catalog.tasks.enrich_tmdb_task.delay", refuse)
    run = run_request(trigger="staff", now=timezone.now())
    assert EnrichmentRun.objects.get(pk=run.pk).status == "queued"


def test_the_hourly_task_refreshes_with_a_key_and_drops_without(fake, settings, published):
    films = movielens_films([1, 2])
    jobs.run_by_worker(str(run_create(trigger="test", now=timezone.now()).pk))
    old = timezone.now() - timedelta(days=160)
    EnrichmentState.objects.filter(pk=films[1]).update(fetched_at=old)
    assert jobs.keep_fresh() == 0
    run = EnrichmentRun.objects.get(trigger="refresh")
    assert published == [str(run.pk)]
    jobs.run_by_worker(str(run.pk))
    assert EnrichmentState.objects.get(pk=films[1]).fetched_at > old
    settings.TMDB_API_KEY = ""
    too_old = timezone.now() - timedelta(days=181)
    EnrichmentState.objects.filter(pk=films[2]).update(fetched_at=too_old)
    assert jobs.keep_fresh() == 1
    assert Movie.objects.get(pk=films[2]).synopsis == ""
    assert Movie.objects.get(pk=films[1]).synopsis != ""


def test_the_page_is_for_staff(client):
    url = reverse("catalog:enrichment")
    assert client.get(url).status_code == 302
    client.force_login(baker.make(User, email="someone@example.org"))
    assert client.get(url).status_code == 302
    assert client.post(url).status_code == 302
    assert not EnrichmentRun.objects.exists()
    assert mail.outbox == []


def test_the_page_starts_and_follows_a_run(staff, settings, published):
    settings.TMDB_API_KEY = "any"
    url = reverse("catalog:enrichment")
    assert "Nothing is running" in staff.get(url).content.decode()
    staff.post(url)
    run = EnrichmentRun.objects.get()
    assert published == [str(run.pk)]
    assert "Waiting for a worker" in staff.get(url).content.decode()
    EnrichmentRun.objects.filter(pk=run.pk).update(
        status="running",
        total=200,
        counts={"enriched": 49, "failed": 1},
        lease_until=timezone.now() + timedelta(minutes=1),
    )
    fragment = staff.get(url, headers={"HX-Request": "true"}).content.decode()
    assert fragment.lstrip().startswith('<section id="enrichment-run"')
    assert 'hx-trigger="every 2s"' in fragment
    assert "50 of 200 films, 25 %" in fragment
    assert "<html" not in fragment


def test_the_page_has_pictures_fetched_and_shows_how_far_the_vectors_are(
    staff, settings, monkeypatch, make_movie
):
    asked = []
    monkeypatch.setattr("catalog.tasks.cache_images_task.delay", lambda: asked.append(1))
    settings.TEXT_ENCODER = "hashing-64"
    make_movie("Heat", 1995, poster_path="/heat.jpg")
    url = reverse("catalog:enrichment")
    settings.TMDB_API_KEY = ""
    assert "Fetch pictures" not in staff.get(url).content.decode()
    staff.post(url, {"what": "pictures"})
    assert asked == []
    settings.TMDB_API_KEY = "any"
    page = staff.get(url).content.decode()
    assert "1 picture can be fetched now" in page
    assert "0 of 1 films have their vector" in page
    staff.post(url, {"what": "pictures"})
    assert asked == [1]
    assert not EnrichmentRun.objects.exists()
    changed_films_embed()
    assert "1 of 1 films have their vector" in staff.get(url).content.decode()


def test_without_a_key_the_page_says_what_to_do(staff, settings):
    settings.TMDB_API_KEY = ""
    url = reverse("catalog:enrichment")
    page = staff.get(url).content.decode()
    assert "TMDB_API_KEY_FILE" in page
    assert "Enrich what is missing" not in page
    staff.post(url)
    assert not EnrichmentRun.objects.exists()


def test_the_admin_has_films_fetched_anew(staff, published):
    films = movielens_films([1, 2])
    EnrichmentState.objects.create(movie_id=films[1], status="done", tmdb_id=1)
    response = staff.post(
        reverse("admin:catalog_movie_changelist"),
        {"action": "reenrich", "_selected_action": [films[1]]},
    )
    assert response.status_code == 302
    assert EnrichmentState.objects.get(pk=films[1]).status == "due"
    assert len(published) == 1
    assert staff.get(reverse("admin:catalog_enrichmentstate_changelist")).status_code == 200
    assert staff.get(reverse("admin:catalog_enrichmentrun_changelist")).status_code == 200


def test_the_about_page_carries_the_notice(client):
    page = client.get("/about/").content.decode()
    assert "This product uses the TMDB API but is not endorsed or certified by TMDB." in page
