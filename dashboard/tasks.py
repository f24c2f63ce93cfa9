"""Thin doors from Celery to the roll-ups."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from celery import shared_task
from django.utils import timezone

from dashboard.clusters.finding import NAME as CLUSTERS
from dashboard.clusters.finding import ClustersBusyError, clusters_find
from dashboard.rollup.incremental import NAME, RollUpBusyError, roll_up
from ml.clusters import TooFewPeopleError
from recommendations.schedule import scheduled
from recommendations.training_data import NoTrainingDataError


@shared_task
def roll_up_task() -> None:
    """Every five minutes: the days that anything was added to are counted anew."""
    scheduled(NAME, _roll_up)


def _roll_up() -> dict[str, Any]:
    try:
        return asdict(roll_up(now=timezone.now()))
    except RollUpBusyError as error:
        return {"said": str(error)}


@shared_task
def find_clusters_task() -> None:
    """Every six hours: the kinds of audience, where any rating changed since."""
    scheduled(CLUSTERS, _find_clusters)


def _find_clusters() -> dict[str, Any]:
    try:
        found = clusters_find(now=timezone.now())
    except (ClustersBusyError, NoTrainingDataError, TooFewPeopleError) as error:
        return {"said": str(error)}
    return {"people": found.n_people, "clusters": found.clusters.count()}
