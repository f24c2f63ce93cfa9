"""Making, starting, reading and stopping experiments. Claims are conditional UPDATEs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from recommendations.experiments.models import Experiment, ExperimentReading
from recommendations.experiments.verdicts import Verdict, verdict_from_log
from recommendations.experiments.words import guard_said
from recommendations.selectors import known_source
from recommendations.snapshot import current_snapshot
from recommendations.sources import UnknownSourceError

logger = logging.getLogger(__name__)

Kind, Status = Experiment.Kind, Experiment.Status
#: How long what somebody did counts, where nothing else was asked for.
WINDOW_HOURS = {Kind.SPLIT.value: 7 * 24.0, Kind.INTERLEAVED.value: 0.5}


class ExperimentError(Exception):
    """It cannot be done; the message says why and what to do. Nothing was changed."""


MAX_WINDOW_HOURS = 24 * 60
MIN_TARGET, MAX_TARGET = 100, 10**9


@dataclass(frozen=True)
class Wanted:
    """What an experiment is to be; see the fields of :class:`Experiment`."""

    name: str
    kind: str
    policy_a: str
    policy_b: str
    question: str = ""
    share: float = 1.0
    epsilon: float = 0.0
    window_hours: float | None = None
    min_effect: float = 0.05
    n_target: int = 1000


def experiment_create(wanted: Wanted, *, by: User | None = None) -> Experiment:
    """A draft. Raises ExperimentError."""
    if wanted.kind not in Kind.values:
        raise ExperimentError(
            _("The kind must be one of: %(kinds)s.") % {"kinds": ", ".join(Kind.values)}
        )
    if not wanted.name.strip():
        raise ExperimentError(_("Give it a name."))
    if not 0 < wanted.share <= 1:
        raise ExperimentError(_("The share of people must be above 0 and at most 1."))
    if not 0 <= wanted.epsilon <= 1:
        raise ExperimentError(_("The share of shuffled lists must be from 0 to 1."))
    if wanted.kind == Kind.INTERLEAVED and wanted.epsilon:
        raise ExperimentError(
            _("An interleaved list is chance enough: shuffling is for A/B, set it to 0.")
        )
    hours = wanted.window_hours if wanted.window_hours is not None else WINDOW_HOURS[wanted.kind]
    if not 0 < hours <= MAX_WINDOW_HOURS:
        raise ExperimentError(_("The window must be above 0 and at most 60 days."))
    if not 0 < wanted.min_effect < 1 or not MIN_TARGET <= wanted.n_target <= MAX_TARGET:
        raise ExperimentError(
            _(
                "The smallest effect must be between 0 and 1, the expected number from 100 to "
                "1,000,000,000."
            )
        )
    policies = _policies(wanted)
    try:
        with transaction.atomic():
            return Experiment.objects.create(
                name=wanted.name.strip(),
                question=wanted.question.strip(),
                kind=wanted.kind,
                policy_a=policies[0],
                policy_b=policies[1],
                share=wanted.share,
                epsilon=wanted.epsilon,
                window_hours=hours,
                min_effect=wanted.min_effect,
                n_target=wanted.n_target,
                created_by=by,
            )
    except IntegrityError as error:
        raise ExperimentError(
            _("There is an experiment of that name already: choose another.")
        ) from error


def _policies(wanted: Wanted | Experiment) -> tuple[str, str]:
    snapshot = current_snapshot()
    try:
        return known_source(wanted.policy_a, snapshot), known_source(wanted.policy_b, snapshot)
    except UnknownSourceError as error:
        raise ExperimentError(str(error)) from error


def experiment_start(experiment: Experiment) -> Experiment:
    """From the next list on it is served. Raises ExperimentError."""
    if current_snapshot() is None:
        raise ExperimentError(_("Nothing was trained yet: run manage.py train first."))
    _policies(experiment)
    try:
        with transaction.atomic():
            n = Experiment.objects.filter(pk=experiment.pk, status=Status.DRAFT).update(
                status=Status.RUNNING, started_at=timezone.now()
            )
    except IntegrityError as error:
        raise ExperimentError(
            _("Another experiment is running: two at once would mix. Stop it first.")
        ) from error
    if not n:
        raise ExperimentError(_("Only a draft can be started; make a new experiment."))
    experiment.refresh_from_db()
    logger.info("Experiment %s started", experiment.pk)
    return experiment


def experiment_stop(experiment: Experiment, *, reason: str, is_guard: bool = False) -> Experiment:
    """Lists are the usual ones again within a second. Raises ExperimentError."""
    n = Experiment.objects.filter(pk=experiment.pk, status=Status.RUNNING).update(
        status=Status.STOPPED,
        stopped_at=timezone.now(),
        stop_reason=reason[:500],
        is_stopped_by_guard=is_guard,
    )
    if not n:
        raise ExperimentError(_("It is not running."))
    experiment.refresh_from_db()
    logger.info("Experiment %s stopped: %s", experiment.pk, reason)
    return experiment


def experiment_read(experiment: Experiment, *, now: datetime | None = None) -> ExperimentReading:
    """Takes a reading from the log, and stops the experiment where a guard says so."""
    now = now or timezone.now()
    verdict = verdict_from_log(experiment, upto=now)
    reading = ExperimentReading.objects.create(
        experiment=experiment, taken_at=now, figures=verdict.to_json()
    )
    if verdict.tripped and experiment.status == Status.RUNNING:
        said = " ".join(guard_said(guard) for guard in verdict.tripped)
        try:
            experiment_stop(experiment, reason=said, is_guard=True)
        except ExperimentError:
            logger.info("Experiment %s was stopped by somebody else", experiment.pk)
    return reading


def newest_readings(experiments: Sequence[Experiment]) -> dict[int, ExperimentReading]:
    """By experiment's id the latest reading, of those that have one; one query."""
    rows = ExperimentReading.objects.filter(experiment__in=experiments)
    rows = rows.order_by("experiment_id", "-taken_at", "-pk").distinct("experiment_id")
    return {row.experiment_id: row for row in rows}


def experiments_read(*, now: datetime | None = None) -> dict[str, object]:
    """For the beat: reads what runs, and what was stopped and has answers still to come."""
    now = now or timezone.now()
    read = []
    for experiment in Experiment.objects.exclude(status=Status.DRAFT).order_by("pk"):
        newest = experiment.readings.order_by("-taken_at").first()
        is_open = experiment.status == Status.RUNNING or newest is None
        if not is_open and newest is not None:
            is_open = Verdict.of_json(newest.figures).n_waiting > 0
        if is_open:
            experiment_read(experiment, now=now)
            read.append(experiment.pk)
    return {"read": read}
