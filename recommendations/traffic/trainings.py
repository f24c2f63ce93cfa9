"""Between two simulated days: what the day's feedback has become due for is trained first.

A day on the server is seconds here, a training takes as long as ever. Left alone a month would be
over before the first training; so the next day begins when a real one would have: with the models
that the feedback so far has led to.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from django.utils import timezone

from recommendations.models import TrainingRun
from recommendations.services.due import training_due
from recommendations.services.registry import NOTICED_AFTER
from recommendations.services.training import KIND
from recommendations.traffic.client import TrafficError

LOOK_EVERY_S = 1.0
Status = TrainingRun.Status


@dataclass(frozen=True)
class Training:
    """One training of the policy: after which day (0: the first ratings), and how it ended."""

    after_day: int
    status: str
    version: str
    seconds: float
    said: str

    def to_json(self) -> dict[str, Any]:
        """As a record."""
        return asdict(self)


def trainings_wait(*, after_day: int, limit_s: float) -> list[Training]:
    """Waits until no training runs or is due; those that ended meanwhile, the oldest first.

    They are started by the server's own beat and worker. Raises TrafficError after ``limit_s``, and
    where one failed: nothing would be trained for a while.
    """
    known = set(_ended().values_list("pk", flat=True))
    give_up_at = time.monotonic() + limit_s
    while _is_pending():
        if time.monotonic() > give_up_at:
            raise TrafficError(
                f"A training was due after day {after_day}, and none had ended {limit_s:g} seconds "
                "later: are worker and beat of the server running? A slow machine needs a larger "
                "--wait-training."
            )
        time.sleep(LOOK_EVERY_S)
    runs = list(_ended().exclude(pk__in=known).select_related("model_version").order_by("pk"))
    if any(run.status == Status.DONE for run in runs):
        time.sleep(NOTICED_AFTER.total_seconds())  # until every web process serves it
    return [
        Training(
            after_day=after_day,
            status=str(run.status),
            version=run.model_version.version if run.model_version else "",
            seconds=round((run.finished_at - run.started_at).total_seconds(), 1),
            said=run.error,
        )
        for run in runs
        if run.finished_at is not None
    ]


def _ended() -> Any:
    return TrainingRun.objects.filter(kind=KIND).exclude(status=Status.RUNNING)


def _is_pending() -> bool:
    due = training_due(now=timezone.now())
    if due.newest is None:
        return due.is_due
    if due.is_due and due.newest.status in (Status.FAILED, Status.CANCELLED):
        raise TrafficError(
            f"The last training ended as {due.newest.status}: {due.newest.error} Look at "
            "/staff/models/, mend it, and begin again."
        )
    return due.is_due or due.newest.status == Status.RUNNING
