"""``/metrics``: what the processes counted, and how things stand at this moment."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import Count, Max
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from dashboard.models import RollUpMark
from dashboard.monitoring.beat import beat_rows
from dashboard.monitoring.queues import queues
from recommendations.models import DriftCheck, ModelVersion, TrainingRun

LOOPBACK = {"127.0.0.1", "::1"}
# Set by proxies: a request through one comes from its address, not from this machine.
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


class Standing(Collector):
    """Gauges that are looked up when they are asked for, from rows and queues."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def describe(self) -> Iterator[Metric]:
        """Nothing: asking the database while a registry is put together would be too early."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """All of them; what Postgres does not answer is left out, and ``marquee_up`` says so."""
        up = GaugeMetricFamily("marquee_up", "Whether it answers.", labels=["what"])
        waiting = queues(now_s=self._now.timestamp())
        up.add_metric(["redis"], 0.0 if waiting.error else 1.0)
        depth = GaugeMetricFamily("marquee_queue_depth", "Tasks waiting.", labels=["queue"])
        oldest = GaugeMetricFamily(
            "marquee_queue_oldest_seconds", "How long the oldest task has waited.", labels=["queue"]
        )
        for queue in waiting.queues:
            depth.add_metric([queue.name], queue.n_waiting)
            oldest.add_metric([queue.name], queue.oldest_s or 0.0)
        yield from (depth, oldest)
        try:
            found = [*self._models(), *self._beat(), *self._trainings(), *self._roll_ups()]
        except DatabaseError:
            up.add_metric(["postgres"], 0.0)
        else:
            up.add_metric(["postgres"], 1.0)
            yield from found
        yield up

    def _models(self) -> Iterator[Metric]:
        info = GaugeMetricFamily(
            "marquee_model_info", "The version being served.", labels=["kind", "version"]
        )
        age = GaugeMetricFamily(
            "marquee_model_age_seconds", "Since it was trained.", labels=["kind"]
        )
        for version in ModelVersion.objects.filter(status=ModelVersion.Status.ACTIVE).defer(
            "metrics"
        ):
            info.add_metric([version.kind, version.version], 1.0)
            age.add_metric([version.kind], (self._now - version.created_at).total_seconds())
        drifted = GaugeMetricFamily(
            "marquee_model_drifted", "Whether the last check found drift (1) or not (0)."
        )
        last = DriftCheck.objects.order_by("-checked_at").first()
        if last is not None:
            drifted.add_metric([], float(last.is_drifted))
        yield from (info, age, drifted)

    def _beat(self) -> Iterator[Metric]:
        age = GaugeMetricFamily(
            "marquee_beat_age_seconds", "Since the entry last began.", labels=["entry"]
        )
        late = GaugeMetricFamily(
            "marquee_beat_late", "Whether it should have run long ago.", labels=["entry"]
        )
        failed = GaugeMetricFamily(
            "marquee_beat_failed", "Whether its last run raised.", labels=["entry"]
        )
        for row in beat_rows(now=self._now):
            if row.started_at is not None:
                age.add_metric([row.name], (self._now - row.started_at).total_seconds())
            late.add_metric([row.name], float(row.is_late))
            failed.add_metric([row.name], float(bool(row.error)))
        yield from (age, late, failed)

    def _trainings(self) -> Iterator[Metric]:
        runs = GaugeMetricFamily(
            "marquee_training_runs", "Trainings ever, by how they stand.", labels=["kind", "status"]
        )
        for kind, status, n in (
            TrainingRun.objects.order_by().values_list("kind", "status").annotate(n=Count("pk"))
        ):
            runs.add_metric([kind, status], n)
        yield runs

    def _roll_ups(self) -> Iterator[Metric]:
        age = GaugeMetricFamily(
            "marquee_roll_up_age_seconds", "Since the dashboard's figures were counted."
        )
        at = RollUpMark.objects.aggregate(at=Max("rolled_at"))["at"]
        if at is not None:
            age.add_metric([], (self._now - at).total_seconds())
        yield age


def exposition(*, now: datetime) -> bytes:
    """The text that Prometheus reads."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)
    else:
        registry.register(REGISTRY)
    registry.register(Standing(now))
    return generate_latest(registry)


def may_read(request: HttpRequest) -> bool:
    """With the token, from this very machine, or as staff."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        if hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
            return True
    elif request.META.get("REMOTE_ADDR") in LOOPBACK and not any(
        name in request.META for name in FORWARDED
    ):
        return True
    return request.user.is_authenticated and request.user.is_active and request.user.is_staff


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus; others are not told that it is there."""
    if not may_read(request):
        raise Http404
    return HttpResponse(exposition(now=timezone.now()), content_type=CONTENT_TYPE_LATEST)
