"""Many films: threads that ask, one that writes, and what to do when TMDB or a person says stop."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from catalog.tmdb.applying import BATCH, fetched_apply
from catalog.tmdb.client import TmdbClient
from catalog.tmdb.errors import BreakerOpenError, KeyRefusedError, OutageError
from catalog.tmdb.fetching import Fetcher, Outcome
from catalog.tmdb.models import EnrichmentRun, EnrichmentState
from catalog.tmdb.runs import run_beat, run_finish, run_lock_give_back, run_start
from catalog.tmdb.selection import DueFilm, due_films, due_ids

Status = EnrichmentRun.Status
# What is being done, how much is done, how much there is.
Progress = Callable[[str, int, int | None], None]
_CHUNK = 500
_BEAT_EVERY = timedelta(seconds=2)
# A film whose answer was nonsense is asked for again at the end of the run, this often in all.
MAX_TURNS = 3


@dataclass(frozen=True)
class Options:
    """Films fetched longer than ``refresh_older_than`` ago are fetched anew; None: none is."""

    limit: int | None = None
    refresh_older_than: timedelta | None = None
    threads: int = 4
    max_duration: timedelta | None = None
    region: str = "US"


@dataclass
class Report:
    """What a run did. ``films_changed`` differ from before; ``error`` says why it ended early."""

    total: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    films_changed: int = 0
    left: int = 0
    error: str = ""


@dataclass(frozen=True)
class _Result:
    """What became of one turn of one film; None as outcome: it was not asked for, put it back."""

    due: DueFilm
    outcome: Outcome | None = None
    fatal: BaseException | None = None


def enrich(
    client: TmdbClient,
    run: EnrichmentRun,
    options: Options,
    *,
    progress: Progress,
    now: Callable[[], datetime] = timezone.now,
) -> Report:
    """Enrich what is due; the run's row says how far it is and how it ended.

    Raises ``AlreadyRunningError`` where somebody else is at it. What was fetched before an end of
    any kind is kept, and never fetched again.
    """
    run_start(run, now=now())
    job = _Job(client, run, options, progress=progress, now=now)
    try:
        job.work()
        _finish(run, job.report, now=now())
    except KeyboardInterrupt:
        run_finish(run, Status.STOPPED, "Stopped by hand.", now=now())
        raise
    except BaseException:
        # Where the database is gone, the row is out of reach and the lock goes by itself.
        if connection.is_usable():
            run_finish(run, Status.FAILED, "Ended by an error; see the log.", now=now())
        raise
    finally:
        if connection.is_usable():
            run_lock_give_back()
    return job.report


def _finish(run: EnrichmentRun, report: Report, *, now: datetime) -> None:
    if report.error:
        run_finish(run, Status.FAILED, report.error, now=now)
    elif report.left:
        run_finish(run, Status.STOPPED, f"{report.left:,} films are left.", now=now)
    else:
        run_finish(run, Status.DONE, "", now=now)


class _Job:
    """One run in this process."""

    def __init__(
        self,
        client: TmdbClient,
        run: EnrichmentRun,
        options: Options,
        *,
        progress: Progress,
        now: Callable[[], datetime],
    ) -> None:
        self._fetcher = Fetcher(client, region=options.region, now=now)
        self._run = run
        self._options = options
        self._progress = progress
        self._now = now
        # A film, and whether this is its last turn in this run.
        self._tasks: queue.Queue[tuple[DueFilm, bool] | None] = queue.Queue()
        self._results: queue.Queue[_Result] = queue.Queue()
        self._stop = threading.Event()
        self._turns: Counter[int] = Counter()
        self._again: deque[DueFilm] = deque()
        self._under_way = 0
        self._unwritten = 0
        self._beat_at = now()
        self.report = Report()

    def work(self) -> None:
        started_at = self._now()
        self._write_all()
        older_than = self._options.refresh_older_than
        ids = deque(
            due_ids(
                now=started_at,
                refresh_before=started_at - older_than if older_than is not None else None,
                limit=self._options.limit,
            )
        )
        self.report.total = len(ids)
        self._beat(is_due=True)
        threads = [
            threading.Thread(target=self._ask, name=f"tmdb-{number}", daemon=True)
            for number in range(min(self._options.threads, max(1, len(ids))))
        ]
        for thread in threads:
            thread.start()
        try:
            self._feed(ids, until=self._deadline(started_at), n_threads=len(threads))
        finally:
            # In this order: what is under way comes in and is kept, then it is written.
            self._stop.set()
            for _ in threads:
                self._tasks.put(None)
            for thread in threads:
                thread.join()
        while not self._results.empty():
            self._take(self._results.get_nowait())
        self._write_all()
        self.report.left = self.report.total - sum(self.report.counts.values())
        self._beat(is_due=True)

    def _deadline(self, started_at: datetime) -> datetime | None:
        longest = self._options.max_duration
        return started_at + longest if longest is not None else None

    def _feed(self, ids: deque[int], *, until: datetime | None, n_threads: int) -> None:
        waiting: deque[DueFilm] = deque()
        while not self._stop.is_set():
            if not waiting and ids:
                chunk = [ids.popleft() for _ in range(min(_CHUNK, len(ids)))]
                films = due_films(chunk)
                # Deleted since the run began.
                self.report.total -= len(chunk) - len(films)
                waiting.extend(films)
            if not waiting and not ids:
                waiting, self._again = self._again, waiting
            while waiting and self._under_way < 2 * n_threads:
                due = waiting.popleft()
                self._tasks.put((due, self._turns[due.movie_id] + 1 >= MAX_TURNS))
                self._under_way += 1
            if self._under_way == 0:
                return
            with contextlib.suppress(queue.Empty):
                self._take(self._results.get(timeout=1.0))
            if self._unwritten >= BATCH:
                self._write()
            self._beat()
            if until is not None and self._now() >= until:
                return

    def _take(self, result: _Result) -> None:
        self._under_way -= 1
        if result.fatal is not None:
            if not isinstance(result.fatal, (KeyRefusedError, OutageError)):
                raise result.fatal
            self.report.error = str(result.fatal)
            self._stop.set()
        elif result.outcome is None:
            self._again.append(result.due)
        else:
            self._turns[result.due.movie_id] += 1
            may_try_again = self._turns[result.due.movie_id] < MAX_TURNS
            if result.outcome == Outcome.FAILED and may_try_again:
                self._again.append(result.due)
                return
            self.report.counts[result.outcome.value] += 1
            self._unwritten += result.outcome == Outcome.ENRICHED

    def _write(self) -> int:
        applied = fetched_apply()
        self.report.films_changed += applied.films
        self._unwritten = max(0, self._unwritten - applied.states)
        return applied.states

    def _write_all(self) -> None:
        while self._write():
            self._beat()

    def _beat(self, *, is_due: bool = False) -> None:
        done = sum(self.report.counts.values())
        self._progress("Asking TMDB", done, self.report.total)
        now = self._now()
        if is_due or now - self._beat_at >= _BEAT_EVERY:
            self._beat_at = now
            run_beat(self._run, total=self.report.total, counts=self.report.counts, now=now)

    def _ask(self) -> None:
        """A thread's life: take a film, ask, hand the outcome over."""
        try:
            while (task := self._tasks.get()) is not None:
                due, is_last_turn = task
                self._results.put(self._turn(due, is_last_turn=is_last_turn))
        finally:
            self._fetcher.close()
            connection.close()

    def _turn(self, due: DueFilm, *, is_last_turn: bool) -> _Result:
        if self._stop.is_set():
            return _Result(due)
        try:
            return _Result(due, outcome=self._fetcher.fetch(due, is_last_turn=is_last_turn))
        except BreakerOpenError as error:
            self._stop.wait(error.wait_s)
            return _Result(due)
        except BaseException as error:  # noqa: BLE001 - the main thread raises or reports it
            return _Result(due, fatal=error)


def missing_count(*, now: datetime) -> int:
    """Films that the next run would ask for."""
    return len(due_ids(now=now, refresh_before=None, limit=None))


def films_refetch(movie_ids: list[int]) -> int:
    """Have the next run fetch these films anew, whatever their state; returns how many."""
    states = [
        EnrichmentState(movie_id=pk, status=EnrichmentState.Status.DUE, next_try_at=None)
        for pk in sorted(set(movie_ids))
    ]
    EnrichmentState.objects.bulk_create(
        states,
        update_conflicts=True,
        unique_fields=["movie"],
        # Without the old ETag and digest TMDB sends all of it, and all of it is written.
        update_fields=["status", "next_try_at", "etag", "sha256", "payload"],
    )
    return len(states)
