"""Enrichment as a whole: real HTTP to the fake, real Postgres, threads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from catalog.models import Credit, DataSource, ExternalId, FieldSource, Movie
from catalog.tmdb.breaker import Breaker
from catalog.tmdb.enrichment import MAX_TURNS, Options, enrich, films_refetch
from catalog.tmdb.fake.faults import Fault, Mischief, Rates
from catalog.tmdb.limiter import SharedPace
from catalog.tmdb.models import EnrichmentRun, EnrichmentState, Franchise, TmdbFacts
from catalog.tmdb.retention import expired_drop
from catalog.tmdb.runs import AlreadyRunningError, run_create, run_start
from tests.catalog.tmdb_world import client_of, movielens_films, row, tmdb

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Status = EnrichmentState.Status


def run_with(fake, *, now=NOW, options=None, **client_options):
    """One run; returns its report."""
    run = run_create(trigger="test", now=now)
    return enrich(
        client_of(fake, **client_options),
        run,
        options or Options(threads=3),
        progress=lambda what, done, total: None,
        now=lambda: now,
    )


def film_requests(fake):
    return [request for request in fake.requests if request.path.startswith("/3/movie/")]


def test_a_film_gets_everything_that_tmdb_tells():
    films = movielens_films([7])
    rows = [row(7, collection="The Sevens", watch_providers={"US": {"rent": ["Shop"]}})]
    with tmdb(rows) as fake:
        report = run_with(fake)
    assert report.counts == {"enriched": 1}
    film = Movie.objects.get(pk=films[7])
    assert film.synopsis == "What happens in film 7."
    assert (film.tagline, film.runtime_min, film.language) == ("See it.", 101, "fr")
    assert (film.countries, film.certification) == (["FR", "BE"], "PG-13")
    assert (film.poster_path, film.backdrop_path) == ("/poster7.jpg", "/backdrop7.jpg")
    assert sorted(keyword.name for keyword in film.keywords.all()) == ["paris", "time travel"]
    credits = Credit.objects.filter(movie=film).order_by("position")
    assert [(credit.person.name, credit.role) for credit in credits] == [
        ("Eva Frey", "director"),
        ("Anna Bell", "cast"),
        ("Carl Dorn", "cast"),
    ]
    facts = TmdbFacts.objects.get(movie=film)
    assert (facts.vote_count, facts.popularity) == (120, 3.25)
    assert facts.franchise == Franchise.objects.get(name="The Sevens")
    assert facts.watch_providers == {"US": {"rent": ["Shop"]}}
    state = EnrichmentState.objects.get(movie=film)
    assert (state.status, state.method, state.confidence) == (Status.DONE, "link", 1.0)
    assert state.payload is None
    run = EnrichmentRun.objects.get()
    assert (run.status, run.total, run.counts) == ("done", 1, {"enriched": 1})


def test_titles_years_and_genres_stay_movielens():
    films = movielens_films([7])
    with tmdb([row(7, title="Another Name", release_date="1991-01-01")]) as fake:
        run_with(fake)
    film = Movie.objects.get(pk=films[7])
    assert (film.title, film.year, film.genre_names) == ("Film 7", 1990, ["Comedy"])
    # But it is found by TMDB's name too.
    assert film.alternative_titles == ["Another Name"]
    assert film.titles_normalized == ["film 7", "another name"]


def test_a_second_run_fetches_nothing():
    movielens_films(range(1, 6))
    with tmdb([row(n) for n in range(1, 6)]) as fake:
        run_with(fake)
        before = len(fake.requests)
        report = run_with(fake)
    assert before == 5
    assert len(fake.requests) == before
    assert report.total == 0


def test_what_an_editor_wrote_stays():
    films = movielens_films([7])
    Movie.objects.filter(pk=films[7]).update(synopsis="Ours.", tagline="")
    for field in ("synopsis", "tagline", "keywords", "credits"):
        FieldSource.objects.create(movie_id=films[7], field=field, source=DataSource.EDITOR)
    with tmdb([row(7)]) as fake:
        run_with(fake)
    film = Movie.objects.get(pk=films[7])
    assert (film.synopsis, film.tagline) == ("Ours.", "")
    assert film.keywords.count() == 0
    assert film.credits.count() == 0
    assert film.runtime_min == 101


@pytest.mark.parametrize("fault", [Fault.TRUNCATED, Fault.WRONG_TYPES, Fault.NOT_JSON])
def test_a_broken_answer_gets_another_turn_in_the_same_run(fault):
    # One for all films: which film gets which of several is a matter of threads, and one that gets
    # MAX_TURNS of them has failed.
    movielens_films([1, 2, 3])
    with tmdb([row(n) for n in (1, 2, 3)], script=[fault]) as fake:
        report = run_with(fake)
    assert report.counts == {"enriched": 3}
    assert len(fake.requests) == 4


def test_a_film_that_stays_broken_is_left_with_its_reason_and_waits():
    films = movielens_films([1])
    with tmdb([row(1)], script=[Fault.WRONG_TYPES] * MAX_TURNS) as fake:
        report = run_with(fake)
        assert report.counts == {"failed": 1}
        state = EnrichmentState.objects.get(pk=films[1])
        assert state.reason == "id is str '1'"
        assert state.next_try_at == NOW + timedelta(hours=1)
        assert Movie.objects.get(pk=films[1]).synopsis == ""
        assert run_with(fake).total == 0
        later = NOW + timedelta(hours=2)
        assert run_with(fake, now=later).counts == {"enriched": 1}


def test_a_missing_film_is_asked_for_again_only_after_a_month():
    films = movielens_films([1])
    with tmdb([row(2)]) as fake:
        assert run_with(fake).counts == {"not_found": 1}
        n_first = len(fake.requests)
        assert run_with(fake, now=NOW + timedelta(days=29)).total == 0
        assert len(fake.requests) == n_first
        assert run_with(fake, now=NOW + timedelta(days=31)).counts == {"not_found": 1}
    assert EnrichmentState.objects.get(pk=films[1]).tries == 2


def test_a_dead_link_is_replaced_by_way_of_the_imdb_id():
    films = movielens_films([5])
    with tmdb([row(50, imdb_id="tt0000005")]) as fake:
        run_with(fake)
    state = EnrichmentState.objects.get(pk=films[5])
    assert (state.status, state.method, state.tmdb_id) == (Status.DONE, "imdb", 50)
    links = ExternalId.objects.filter(movie_id=films[5], source="tmdb")
    assert [link.value for link in links] == ["50"]
    # The data set's next import does not bring the dead link back.
    movielens_films([5])
    assert [link.value for link in links.all()] == ["50"]


def test_a_film_without_links_is_found_by_title_and_year_with_its_confidence():
    films = movielens_films([9], is_linked=False)
    with tmdb([row(9)]) as fake:
        run_with(fake)
    state = EnrichmentState.objects.get(pk=films[9])
    assert (state.method, state.confidence, state.tmdb_id) == ("search", 0.95, 9)
    assert ExternalId.objects.get(source="tmdb").value == "9"


def test_an_ambiguous_film_is_left_with_the_reason():
    films = movielens_films([9], is_linked=False)
    rows = [row(9), row(10, title="Film 9", original_title="Film 9")]
    with tmdb(rows) as fake:
        assert run_with(fake).counts == {"unsure": 1}
    state = EnrichmentState.objects.get(pk=films[9])
    assert state.reason == "2 films of this title and year: TMDB 9, 10"
    assert not ExternalId.objects.filter(source="tmdb").exists()
    assert Movie.objects.get(pk=films[9]).synopsis == ""


def test_a_link_that_leads_to_another_film_is_not_believed():
    films = movielens_films([5])
    with tmdb([row(5, title="Something Else", original_title="", imdb_id="tt0999999")]) as fake:
        assert run_with(fake).counts == {"unsure": 1}
    assert "Something Else" in EnrichmentState.objects.get(pk=films[5]).reason
    assert Movie.objects.get(pk=films[5]).synopsis == ""


def test_a_refresh_asks_with_the_etag_and_changes_nothing():
    films = movielens_films([1, 2])
    with tmdb([row(1), row(2)]) as fake:
        run_with(fake)
        later = NOW + timedelta(days=160)
        assert run_with(fake, now=later).total == 0
        options = Options(refresh_older_than=timedelta(days=150), threads=2)
        report = run_with(fake, now=later, options=options)
    assert report.counts == {"unchanged": 2}
    assert [request.status for request in fake.requests] == [200, 200, 304, 304]
    assert EnrichmentState.objects.get(pk=films[1]).fetched_at == later


def test_films_chosen_by_an_editor_are_fetched_anew():
    films = movielens_films([1, 2])
    with tmdb([row(1), row(2)]) as fake:
        run_with(fake)
        Movie.objects.filter(pk=films[1]).update(synopsis="")
        assert films_refetch([films[1]]) == 1
        assert run_with(fake).counts == {"enriched": 1}
    assert Movie.objects.get(pk=films[1]).synopsis == "What happens in film 1."


def test_a_refused_key_ends_the_run_and_blames_no_film():
    movielens_films(range(1, 9))
    with tmdb([row(1)], key="right") as fake:
        report = run_with(fake, key="wrong")
    assert "TMDB_API_KEY" in report.error
    assert report.left == 8
    assert not EnrichmentState.objects.exists()
    assert EnrichmentRun.objects.get().status == "failed"


def test_an_outage_ends_the_run_and_the_next_one_goes_on():
    movielens_films(range(1, 9))
    mischief = Mischief(Rates(error=1.0))
    with tmdb([row(n) for n in range(1, 9)], mischief=mischief) as fake:
        breaker = Breaker(threshold=3, cooldown_s=0.01, max_openings=2)
        report = run_with(fake, breaker=breaker, max_attempts=2)
        assert "in a row" in report.error
        assert report.left + sum(report.counts.values()) == 8
        mischief.rates = Rates()
        later = NOW + timedelta(days=1)
        run_with(fake, now=later)
    assert EnrichmentState.objects.filter(status=Status.DONE).count() == 8


def test_everything_at_once_and_every_film_is_fetched_once():
    movielens_films(range(1, 61))
    rates = Rates(busy=0.1, error=0.05, broken=0.05, reset=0.05, retry_after_s=0)
    with tmdb([row(n) for n in range(1, 61)], mischief=Mischief(rates, seed=4)) as fake:
        report = run_with(fake, options=Options(threads=6))
    assert report.counts == {"enriched": 60}
    good = [
        request.path
        for request in film_requests(fake)
        if request.status == 200 and request.fault == "none"
    ]
    assert len(good) == len(set(good)) == 60


def test_kept_answers_are_written_by_the_next_run_without_asking():
    """As after a kill between an answer's arrival and its writing."""
    films = movielens_films([1])
    with tmdb([row(1)]) as fake:
        from catalog.tmdb.fetching import Fetcher
        from catalog.tmdb.selection import due_films

        fetcher = Fetcher(client_of(fake), region="US", now=lambda: NOW)
        fetcher.fetch(due_films([films[1]])[0])
        assert EnrichmentState.objects.get().status == Status.FETCHED
        run_with(fake)
    assert len(fake.requests) == 1
    assert Movie.objects.get(pk=films[1]).synopsis == "What happens in film 1."


def test_only_one_run_at_a_time(django_db_blocker):
    """The lock belongs to the connection: another one stands for another process."""
    from django.db import connections

    run_start(run_create(trigger="test", now=NOW), now=NOW)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [0x746D6462])
            assert cursor.fetchone() == (False,)
    finally:
        other.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
    assert EnrichmentRun.objects.get().status == "running"
    # The killed one's row is put right by the next.
    with tmdb([]) as fake:
        run_with(fake)
    statuses = list(EnrichmentRun.objects.order_by("pk").values_list("status", flat=True))
    assert sorted(statuses) == ["done", "stopped"]


def test_a_held_lock_refuses_a_second_run():
    from django.db import connections

    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [0x746D6462])
        run = run_create(trigger="test", now=NOW)
        with pytest.raises(AlreadyRunningError):
            run_start(run, now=NOW)
        run.refresh_from_db()
        assert run.status == "queued"
    finally:
        other.close()


def test_the_pace_is_shared_over_connections():
    one = SharedPace("test", per_s=10, burst=1)
    other = SharedPace("test", per_s=10, burst=1)
    waits = [pace.turn() for pace in (one, other, one, other)]
    assert waits[0] == 0.0
    # A tenth of a second apart, whatever the machine spends between the calls.
    assert waits[3] <= 0.3
    other.hold(5)
    assert 4.5 < one.turn() <= 5.0


def test_without_a_key_the_command_says_what_to_do(settings):
    settings.TMDB_API_KEY = ""
    with pytest.raises(CommandError, match="TMDB_API_KEY_FILE"):
        call_command("enrich_tmdb")
    assert not EnrichmentRun.objects.exists()


def test_data_older_than_180_days_is_dropped_and_the_rest_stays():
    films = movielens_films([1, 2, 3])
    Movie.objects.filter(pk=films[2]).update(tagline="Ours.")
    FieldSource.objects.create(movie_id=films[2], field="tagline", source=DataSource.EDITOR)
    with tmdb([row(1), row(2), row(3)]) as fake:
        run_with(fake)
        EnrichmentState.objects.filter(pk=films[3]).update(fetched_at=NOW + timedelta(days=100))
        assert expired_drop(now=NOW + timedelta(days=179)) == 0
        assert expired_drop(now=NOW + timedelta(days=181)) == 2
        old = Movie.objects.get(pk=films[2])
        assert (old.title, old.year, old.genre_names) == ("Film 2", 1990, ["Comedy"])
        assert (old.synopsis, old.poster_path, old.runtime_min, old.countries) == ("", "", None, [])
        assert old.tagline == "Ours."
        assert old.keywords.count() == old.credits.count() == 0
        assert not TmdbFacts.objects.filter(pk__in=(films[1], films[2])).exists()
        assert Movie.objects.get(pk=films[3]).synopsis == "What happens in film 3."
        # They are missing again, and come back with the next run.
        assert run_with(fake, now=NOW + timedelta(days=182)).counts == {"enriched": 2}
    assert Movie.objects.get(pk=films[1]).synopsis == "What happens in film 1."
