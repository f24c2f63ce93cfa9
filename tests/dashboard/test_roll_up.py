"""Roll-ups equal a recount of the log, whatever came late, and keep what outlives the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import numpy as np
import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from model_bakery import baker

from accounts.models import User
from catalog.models import Genre, Movie
from dashboard.models import FeedbackDay, RollUpMark, ShownDay, StageHour
from dashboard.rollup.days import DAY
from dashboard.rollup.incremental import roll_up, roll_up_range
from dashboard.rollup.latency import EDGES_MS, TOTAL, quantile, summed
from dashboard.rollup.recount import differences
from dashboard.rollup.shown import exposure_over
from dashboard.tasks import roll_up_task
from feedback.models import Interaction, Slate
from recommendations.models import ScheduledRun
from tests.dashboard.recount import assert_equals_a_recount, extend, make_event, make_slate
from tests.worlds import make_film

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
KINDS = [("rate", "4.0"), ("rate", "2.5"), ("react", "like"), ("react", "never"), ("open", "")]


step = st.one_of(
    st.tuples(
        st.just("list"),
        st.integers(0, 9),
        st.integers(0, 2),
        st.sampled_from([0, 3, 12, 40]),
        st.lists(st.integers(0, 5), unique=True, min_size=1, max_size=5),
    ),
    st.tuples(
        st.just("event"),
        st.integers(0, 9),
        st.integers(0, 2),
        st.integers(0, 5),
        st.sampled_from(KINDS),
        st.integers(0, 8),
    ),
    st.tuples(st.just("extend"), st.integers(0, 8), st.integers(0, 5)),
    st.tuples(st.just("roll"), st.sampled_from([1, 6, 60])),
)


class TestLateEvents(TestCase):
    """Everything may come in any order and late; a run counts what is there."""

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(st.lists(step, max_size=25))
    def test_incremental_runs_equal_a_recount(self, steps):
        users = [User.objects.create_user(f"p{i}@example.org") for i in range(3)]
        films = [make_film(f"Film {i}") for i in range(6)]
        now, slates = NOW, []
        roll_up(now=now)
        for name, *args in steps:
            if name == "list":
                ago, who, n_history, shown = args
                at = NOW - ago * DAY
                fallback = "popular" if n_history == 0 else ""
                slates.append(
                    make_slate(
                        users[who],
                        [films[i] for i in shown],
                        at,
                        n_history=n_history,
                        fallback=fallback,
                    )
                )
            elif name == "event":
                ago, who, film, (kind, value), answers = args
                slate = slates[answers] if answers < len(slates) else None
                at = NOW - ago * DAY
                make_event(users[who], films[film], at, kind=kind, value=value, slate=slate)
            elif name == "extend":
                place, film = args
                if place < len(slates):
                    known = set(slates[place].impressions.values_list("movie_id", flat=True))
                    extend(slates[place], [f for f in [films[film]] if f.pk not in known])
            else:
                now += timedelta(minutes=args[0])
                roll_up(now=now)
        roll_up(now=now + timedelta(minutes=1))
        assert_equals_a_recount([NOW.date() - n * DAY for n in range(11)])


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada@example.org", "a-long-password")


@pytest.fixture
def films(db):
    crime, musical = (baker.make(Genre, name=n, slug=n) for n in ("crime", "musical"))
    return [
        *(make_film(f"Crime {i}", genre=crime, year=1970) for i in range(2)),
        *(make_film(f"Musical {i}", genre=musical, year=2020) for i in range(2)),
    ]


def test_a_row_that_commits_after_a_higher_one_was_seen_is_still_counted(ada, films):
    """A number is taken before the commit: the mark stays behind until both are sure."""
    old = NOW - 3 * DAY
    roll_up(now=NOW)
    low = make_event(ada, films[0], old)
    high = make_event(ada, films[1], old)
    Interaction.objects.filter(pk=low.pk).delete()  # as if it were not committed yet
    roll_up(now=NOW + timedelta(minutes=6))
    assert FeedbackDay.objects.get(day=old.date()).n_events == 1
    low.save(force_insert=True)
    assert low.pk < high.pk
    roll_up(now=NOW + timedelta(minutes=12))
    assert FeedbackDay.objects.get(day=old.date()).n_events == 2


def test_only_days_that_changed_are_counted_again(ada, films):
    make_event(ada, films[0], NOW - 60 * DAY)
    for minutes in (0, 6, 12, 18):
        roll_up(now=NOW + timedelta(minutes=minutes))
    rolled = roll_up(now=NOW + timedelta(minutes=24))
    assert (rolled.feedback_days, rolled.shown_days) == (2, 2)  # today and yesterday
    make_event(ada, films[0], NOW - 50 * DAY)
    assert roll_up(now=NOW + timedelta(minutes=30)).feedback_days == 3


def test_a_deletion_is_noticed_the_next_day(ada, films):
    make_event(ada, films[0], NOW - 5 * DAY)
    roll_up(now=NOW)
    assert FeedbackDay.objects.filter(day=NOW.date() - 5 * DAY).exists()
    ada.delete()
    for minutes in (6, 12):
        roll_up(now=NOW + timedelta(minutes=minutes))
    assert FeedbackDay.objects.filter(day=NOW.date() - 5 * DAY).exists()
    roll_up(now=NOW + DAY)
    assert not FeedbackDay.objects.exists()


def test_what_was_shown_outlives_the_slates(ada, films, settings):
    settings.SLATE_KEEP_DAYS = 30
    day = (NOW - 20 * DAY).date()
    make_slate(ada, films, NOW - 20 * DAY)
    roll_up(now=NOW)
    later = NOW + 30 * DAY
    Slate.objects.all().delete()  # as recommendations.services.expiry does
    roll_up_range(None, None, now=later)
    roll_up(now=later)
    assert ShownDay.objects.get(day=day).n_impressions == 4


def test_variety_is_measured_on_the_day(ada, films):
    Movie.objects.filter(pk=films[0].pk).update(rating_count=63)
    Movie.objects.filter(pk=films[1].pk).update(rating_count=15)
    make_slate(ada, [films[0], films[2]], NOW)  # nothing in common
    make_slate(ada, [films[0], films[1]], NOW, n_history=7)  # of one genre
    roll_up(now=NOW)
    day = ShownDay.objects.get()
    assert day.diversity == pytest.approx(0.5)
    # Bits below the best known film: 0 twice, log2(64 / 16) and log2(64 / 1).
    assert day.novelty == pytest.approx((0 + 6 + 0 + 2) / 4)
    assert (day.n_films, day.n_catalogue) == (3, 4)
    assert day.slices["old films"]["impressions"] == 3
    assert day.slices["well known films"]["impressions"] == 2


def test_answers_count_for_the_slice_of_the_list_for_a_week(ada, films):
    slate = make_slate(ada, films[:2], NOW - 8 * DAY, n_history=3)
    make_event(ada, films[0], NOW - 7 * DAY, slate=slate)
    make_event(ada, films[1], NOW - 7 * DAY, value="1.0", slate=slate)
    make_event(ada, films[3], NOW - 7 * DAY, slate=slate)  # was not on the list
    make_event(ada, films[0], NOW - DAY, value="5.0", slate=slate)  # too late to be its merit
    roll_up(now=NOW)
    new = ShownDay.objects.get(day=(NOW - 8 * DAY).date()).slices["new"]
    assert new == {"lists": 1, "impressions": 2, "opinions": 2, "positive": 1}


def test_latency_adds_up_over_hours_and_leaves_stored_lists_out(ada, films):
    rng = np.random.default_rng(1)
    times = rng.lognormal(3, 0.6, 300)
    for i, ms in enumerate(times):
        at = NOW.replace(hour=i % 3)
        make_slate(ada, [], at, stages={"candidates": ms, "ranking": 1.0})
    make_slate(ada, [], NOW, is_stored=True)
    roll_up(now=NOW)
    hours = list(StageHour.objects.filter(stage=TOTAL))
    assert [hour.n for hour in hours] == [100, 100, 100]
    for share in (0.5, 0.95):
        found = quantile(summed(hours), share)
        assert found == pytest.approx(np.quantile(times + 1.0, share), rel=0.2)
    assert quantile(np.zeros(len(EDGES_MS) + 1, dtype=np.int64), 0.5) is None
    roll_up_range(NOW.date(), NOW.date(), now=NOW)
    assert StageHour.objects.filter(stage="ranking").count() == 3


def test_coverage_over_days_counts_a_film_once(ada, films):
    make_slate(ada, films[:2], NOW)
    make_slate(ada, films[1:3], NOW - DAY)
    roll_up(now=NOW)
    ids, counts = exposure_over(ShownDay.objects.values_list("exposure", flat=True))
    assert dict(zip(ids.tolist(), counts.tolist(), strict=True)) == {
        films[0].pk: 1,
        films[1].pk: 2,
        films[2].pk: 1,
    }


def test_the_command_counts_and_says_so(ada, films):
    make_event(ada, films[0], NOW - 400 * DAY)
    out = StringIO()
    call_command("roll_up", "--rebuild", "--from", "2025-02-01", "--to", "2025-02-20", stdout=out)
    assert "Counted 20 days of feedback, 0 days of lists." in out.getvalue()
    assert FeedbackDay.objects.get().n_events == 1


def test_the_check_counts_row_by_row_and_finds_what_is_wrong(ada, films, monkeypatch, capsys):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    slate = make_slate(ada, films[:3], NOW - DAY, n_history=7)
    make_slate(ada, films[2:4], NOW, fallback="popular")
    make_event(ada, films[0], NOW, kind="react", value="like", slate=slate)
    make_event(ada, films[1], NOW, value="2.5", slate=slate)
    make_event(ada, films[3], NOW, slate=slate)  # a film that the list did not show
    make_event(ada, films[2], NOW + 7 * DAY, slate=slate)  # too late, on a day of its own
    call_command("roll_up", "--check")
    assert "All figures of 3 days equal a recount of the raw log." in capsys.readouterr().out
    row = ShownDay.objects.get(day=(NOW - DAY).date())
    assert (row.slices["light"]["opinions"], row.slices["light"]["positive"]) == (2, 1)
    row.slices["light"]["positive"] = 2
    row.n_people = 5
    row.save()
    lines = differences(row.day)
    assert lines == [
        f"{row.day} n_people: 5 on the dashboard, 1 in the log",
        f"{row.day} positive: 2 on the dashboard, 1 in the log",
    ]
    # What the log alone brings up is not found by counting what changed: the check finds it.
    Interaction.objects.filter(movie=films[0]).delete()
    RollUpMark.objects.update(settled_on=NOW.date())
    FeedbackDay.objects.filter(day=(NOW - 5 * DAY).date()).delete()
    FeedbackDay.objects.create(day=(NOW - 5 * DAY).date(), n_events=3)
    with pytest.raises(CommandError, match=r"1 figures of 4 days differ from the log"):
        call_command("roll_up", "--check")
    assert "n_events: 3 on the dashboard, 0 in the log" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--from", "2026-01-01"], "go with --rebuild"),
        (["--rebuild", "--from", "soon"], "needs a day such as"),
        (["--rebuild", "--from", "2026-02-01", "--to", "2026-01-01"], "comes after"),
    ],
)
def test_the_command_refuses_what_makes_no_sense(db, args, said):
    with pytest.raises(CommandError, match=said):
        call_command("roll_up", *args)
    assert not FeedbackDay.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_count_once():
    import zlib

    params = connection.get_connection_params()
    kept = {k: params[k] for k in ("dbname", "user", "host", "port", "password") if params.get(k)}
    with psycopg.connect(**kept, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [zlib.crc32(b"roll-up-days")])
        with pytest.raises(CommandError, match="try again in a minute"):
            call_command("roll_up")
        roll_up_task()
        assert "Another process" in ScheduledRun.objects.get(name="roll-up").outcome["said"]
    roll_up_task()
    assert ScheduledRun.objects.get(name="roll-up").outcome == {
        "feedback_days": 2,
        "shown_days": 2,
    }
