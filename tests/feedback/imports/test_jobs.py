"""An import from its file to the person's films and back: nothing lost, nothing doubled."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import User
from feedback import services
from feedback.events import EventContext
from feedback.imports import jobs
from feedback.imports.models import ImportChange, ImportFile, ImportFilm, ImportJob, ImportRow
from feedback.imports.services import (
    film_choose,
    import_apply,
    import_cancel,
    import_create,
    import_undo,
    imports_resume,
    imports_sweep,
)
from feedback.models import (
    DiaryEntry,
    FilmList,
    Interaction,
    ListItem,
    QuizSession,
    Rating,
    Reaction,
    WatchlistEntry,
)
from feedback.past import feedback_at
from feedback.selectors import feedback_of
from feedback.services import FeedbackError
from feedback.work import LEASE, MAX_DELIVERIES, WorkStatus, claim
from tests.feedback.imports import files
from tests.feedback.imports.conftest import run, take_back, write

pytestmark = pytest.mark.django_db


def everything(user):
    """All that a person has, without row ids."""
    return {
        "ratings": sorted(
            Rating.objects.filter(user=user).values_list(
                "movie_id", "stars", "created_at", "updated_at"
            )
        ),
        "reactions": sorted(
            Reaction.objects.filter(user=user).values_list("movie_id", "kind", "created_at")
        ),
        "watchlist": sorted(
            WatchlistEntry.objects.filter(user=user).values_list("movie_id", "created_at")
        ),
        "diary": sorted(
            DiaryEntry.objects.filter(user=user).values_list(
                "movie_id", "watched_on", "is_rewatch", "note"
            )
        ),
        "lists": sorted(FilmList.objects.filter(user=user).values_list("name", "note")),
        "items": sorted(
            ListItem.objects.filter(film_list__user=user).values_list(
                "film_list__name", "position", "movie_id", "note"
            )
        ),
        "quizzes": QuizSession.objects.filter(user=user).count(),
    }


def test_a_letterboxd_archive_is_looked_at_first_and_then_written(ada, bring, films):
    job = bring(files.letterboxd_zip())
    assert (job.status, job.source) == (WorkStatus.READY, "letterboxd")
    assert not Rating.objects.exists()
    assert not Interaction.objects.exists()
    assert job.preview == {
        **{"rating": 3, "seen": 2, "like": 1, "watchlist": 1, "diary": 4, "list": 1},
        "list_item": 2,
    }
    states = dict(job.films.values_list("title", "state"))
    assert states == dict.fromkeys(["Heat", "Ronin", "Alien", "Amélie", "Stalker"], "found")
    assert not ImportFile.objects.exists()  # read, so not kept

    job = write(job)
    assert job.status == WorkStatus.DONE
    assert job.changed == job.preview
    stars = dict(Rating.objects.values_list("movie__title", "stars"))
    assert stars == {"Heat": Decimal("4.5"), "Alien": Decimal(5), "Amélie": Decimal(3)}
    heat = Rating.objects.get(movie=films["heat"])
    assert heat.updated_at == datetime(2021, 5, 3, 12, tzinfo=UTC)
    # Without a date it is as old as the oldest, not the newest of all.
    assert Rating.objects.get(movie=films["alien"]).updated_at == datetime(
        2021, 5, 3, 12, tzinfo=UTC
    )
    diary = DiaryEntry.objects.filter(movie=films["heat"]).order_by("watched_on")
    assert [(entry.watched_on, entry.is_rewatch, entry.note) for entry in diary] == [
        (date(2021, 5, 3), False, ""),
        (date(2022, 1, 1), True, "Slow, and\nperfect.\n#cinema, late"),
    ]
    night = FilmList.objects.get()
    assert (night.name, night.note) == ("Night trains", "Rails, dark")
    assert list(night.items.values_list("movie__title", "note")) == [
        ("Stalker", "the trolley"),
        ("Heat", ""),
    ]
    assert Reaction.objects.get(movie=films["heat"]).kind == "like"
    assert Reaction.objects.get(movie=films["ronin"]).kind == "seen"
    ada.refresh_from_db()
    assert ada.feedback_generation == 14
    assert Interaction.objects.filter(surface="import").count() == 7


def test_a_second_run_of_the_same_file_changes_nothing(ada, bring):
    write(bring(files.letterboxd_zip()))
    before = everything(ada)
    generation = User.objects.get(pk=ada.pk).feedback_generation
    again = bring(files.letterboxd_zip())
    assert again.preview == {}
    again = write(again)
    assert (again.status, again.changed) == (WorkStatus.DONE, {})
    assert everything(ada) == before
    assert User.objects.get(pk=ada.pk).feedback_generation == generation
    assert not again.changes.exists()


def test_an_import_is_taken_back_as_a_whole(ada, bring, films):
    services.rating_set(user=ada, movie=films["ronin"], stars=Decimal(2), event=EventContext())
    Rating.objects.create(
        user=ada,
        movie=films["heat"],
        stars=Decimal(1),
        updated_at=datetime(2020, 1, 1, tzinfo=UTC),
        created_at=datetime(2020, 1, 1, tzinfo=UTC),
    )
    before = everything(ada)
    job = write(bring(files.letterboxd_zip()))
    assert Rating.objects.get(movie=films["heat"]).stars == Decimal("4.5")
    job = take_back(job)
    assert (job.status, job.changed) == (WorkStatus.UNDONE, {})
    assert everything(ada) == before
    assert not ImportChange.objects.exists()
    # And written again, it is all there again.
    after = write(job)
    assert after.changed["rating_changed"] == 1
    assert Rating.objects.get(movie=films["heat"]).stars == Decimal("4.5")


def test_what_the_person_changed_since_stays_when_an_import_is_taken_back(ada, bring, films):
    job = write(bring(files.letterboxd_zip()))
    services.rating_set(user=ada, movie=films["heat"], stars=Decimal(3), event=EventContext())
    FilmList.objects.get().items.update(position=7)
    ListItem.objects.create(film_list=FilmList.objects.get(), movie=films["ronin"], position=9)
    take_back(job)
    assert list(Rating.objects.values_list("movie__title", "stars")) == [("Heat", Decimal(3))]
    assert list(ListItem.objects.values_list("movie__title", flat=True)) == ["Ronin"]


def test_newer_stars_given_here_stay(ada, bring, films):
    services.rating_set(user=ada, movie=films["heat"], stars=Decimal(2), event=EventContext())
    services.rating_set(user=ada, movie=films["alien"], stars=Decimal(1), event=EventContext())
    job = write(bring(files.RATINGS, "ratings.csv"))
    assert Rating.objects.get(movie=films["heat"]).stars == Decimal(2)
    assert Rating.objects.get(movie=films["alien"]).stars == Decimal(1)  # the file has no date
    assert job.changed == {"rating_older": 2, "seen": 1}


def test_the_log_tells_what_an_import_did_so_that_lists_can_be_replayed(ada, bring):
    job = write(bring(files.letterboxd_zip()))
    ada.refresh_from_db()
    now = timezone.now()
    then = feedback_at(ada, moment=now, generation=ada.feedback_generation)
    assert then.hidden_ids == feedback_of(ada, now=now).hidden_ids
    assert {e.movie_id: e.stars for e in then.history} == {
        e.movie_id: e.stars for e in feedback_of(ada, now=now).history
    }
    take_back(job)
    assert feedback_at(ada, moment=timezone.now(), generation=0).history == ()


def test_the_other_services_end_in_the_same_films(ada, bring, films):
    write(bring(files.IMDB_RATINGS, "ratings.csv"))
    write(bring(files.IMDB_WATCHLIST, "watchlist.csv"))
    job = write(bring(files.trakt_zip()))
    write(bring(files.MOVIELENS, "ratings.csv"))
    assert dict(Rating.objects.values_list("movie__title", "stars")) == {
        "Heat": Decimal("4.5"),
        "Ronin": Decimal("3.5"),  # MovieLens' 3.0 is of 2021; IMDb's has no date and came first
    }
    assert WatchlistEntry.objects.get().movie == films["stalker"]
    assert [
        (entry.watched_on, entry.is_rewatch) for entry in DiaryEntry.objects.order_by("watched_on")
    ] == [(date(2021, 5, 3), False), (date(2022, 1, 1), False)]
    assert FilmList.objects.get().name == "Night trains!"
    assert job.changed["diary"] == 2


def test_a_film_that_is_not_sure_waits_until_it_is_chosen(ada, bring, films):
    text = "Date,Name,Year,Letterboxd URI,Rating\n2021-05-03,Heat,,u,4\n2021-05-03,Zzyzx,2006,u,3\n"
    job = bring(text, "ratings.csv")
    heat, other = job.films.order_by("pk")
    assert (heat.state, heat.reason) == ("check", "several")
    assert set(heat.candidate_ids) == {films["heat"].pk, films["heat_86"].pk}
    assert (other.state, other.reason) == ("unknown", "nothing")
    assert not import_apply(job)  # nothing that could be written
    assert not Rating.objects.exists()
    film_choose(heat, films["heat_86"])
    job = write(job)
    assert Rating.objects.get().movie == films["heat_86"]
    assert job.rows.filter(is_applied=False).count() == 1


def test_a_broken_file_leaves_its_sentence_and_nothing_else(bring):
    job = bring(files.letterboxd_zip()[:-200])
    assert job.status == WorkStatus.FAILED
    assert "Download it again" in job.message
    assert not ImportFile.objects.exists()
    assert not ImportRow.objects.exists()
    # Half-way, too: the first rows were read when the rest turned out to be broken.
    good = "2021-05-03,Heat,1995,u\n" * 2500
    job = bring("Date,Name,Year,Letterboxd URI\n" + good + "x" * 2_000_000, "watched.csv")
    assert job.status == WorkStatus.FAILED
    assert not ImportRow.objects.exists()
    assert not ImportFilm.objects.exists()


def test_a_file_without_any_row_says_so(bring):
    job = bring("Date,Name,Year,Letterboxd URI,Rating\n", "ratings.csv")
    assert (job.status, job.message) == (
        WorkStatus.FAILED,
        "There is no row in this file that says anything about a film.",
    )


# --- work that is interrupted ------------------------------------------------------------------


def test_a_second_delivery_does_nothing(ada, films):
    job = import_create(user=ada, filename="r.csv", content=files.RATINGS.encode())
    held = claim(ImportJob, job.pk, now=timezone.now())
    assert held is not None
    assert jobs.import_run(job.pk) is None
    job.refresh_from_db()
    assert (job.status, job.deliveries) == (WorkStatus.RUNNING, 1)


class Killed(BaseException):
    """As a kill does: nothing is tidied up that a signal would not tidy up."""


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_work_goes_on_behind_the_last_batch_that_was_committed(
    ada, bring, films, monkeypatch, batch
):
    write(bring(files.letterboxd_zip()))
    wanted = everything(ada)
    take_back(ImportJob.objects.get())
    monkeypatch.setattr(jobs, "READ_BATCH", 4)
    monkeypatch.setattr(jobs, "MATCH_BATCH", 2)
    monkeypatch.setattr(jobs, "APPLY_BATCH", 4)
    monkeypatch.setattr(jobs, "UNDO_BATCH", 5)
    job = import_create(user=ada, filename="x.zip", content=files.letterboxd_zip())
    empty = everything(ada)
    for phase, ask, kept in (
        ("read", None, empty),
        ("apply", import_apply, wanted),
        ("undo", import_undo, empty),
    ):
        if ask is not None:
            assert ask(job)
        _killed_at(job, batch, monkeypatch)
        job.refresh_from_db()
        assert job.is_open, phase
        assert imports_resume(now=timezone.now() + LEASE * 2) == 1
        run(job)
        assert not job.is_open, phase
        assert everything(ada) == kept, phase


def _killed_at(job, batch, monkeypatch):
    """Runs it until the heartbeat of that batch, which then is not committed."""
    left = [batch]
    real = jobs.beat

    def dying(*args, **kwargs):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "beat", dying)
        with pytest.raises(Killed):
            jobs.import_run(job.pk)


def test_a_worker_that_lost_its_lease_writes_nothing(ada, bring, monkeypatch):
    job = bring(files.letterboxd_zip())
    assert import_apply(job)
    real = jobs.beat

    def stolen(work, **changes):
        ImportJob.objects.filter(pk=work.pk).update(lease_key=uuid.uuid4())
        real(work, **changes)

    monkeypatch.setattr(jobs, "beat", stolen)
    jobs.import_run(job.pk)
    assert not Rating.objects.exists()
    assert not ImportRow.objects.filter(is_applied=True).exists()


def test_work_that_kills_its_workers_is_given_up(ada, films):
    job = import_create(user=ada, filename="r.csv", content=files.RATINGS.encode())
    ImportJob.objects.filter(pk=job.pk).update(deliveries=MAX_DELIVERIES)
    job = run(job)
    assert job.status == WorkStatus.FAILED
    assert "Given up" in job.message


def test_an_import_that_waits_is_cancelled_at_once_and_one_under_way_at_its_next_batch(
    ada, films, bring, monkeypatch
):
    waits = import_create(user=ada, filename="r.csv", content=files.RATINGS.encode())
    assert import_cancel(waits)
    assert not ImportJob.objects.exists()

    monkeypatch.setattr(jobs, "APPLY_BATCH", 4)
    job = bring(files.letterboxd_zip())
    assert import_apply(job)
    real = jobs.entries_write

    def pressed(*args):
        ImportJob.objects.filter(pk=job.pk).update(is_cancel_requested=True)
        return real(*args)

    monkeypatch.setattr(jobs, "entries_write", pressed)
    job = run(job)
    assert job.status == WorkStatus.READY
    assert job.message.startswith("Stopped.")
    assert job.rows.filter(is_applied=True).count() == 4
    monkeypatch.setattr(jobs, "entries_write", real)
    assert take_back(job).status == WorkStatus.UNDONE
    assert not Rating.objects.exists()


def test_too_many_imports_at_once_are_refused(ada, films):
    for _n in range(3):
        import_create(user=ada, filename="r.csv", content=files.RATINGS.encode())
    with pytest.raises(FeedbackError, match="under way"):
        import_create(user=ada, filename="r.csv", content=files.RATINGS.encode())
    assert ImportJob.objects.count() == 3


def test_old_imports_go_and_what_they_wrote_stays(ada, bring, settings):
    settings.IMPORT_KEEP_DAYS = 10
    write(bring(files.letterboxd_zip()))
    kept = everything(ada)
    assert imports_sweep(now=timezone.now() + timedelta(days=9)) == 0
    assert imports_sweep(now=timezone.now() + timedelta(days=11)) == 1
    assert not ImportRow.objects.exists()
    assert everything(ada) == kept
