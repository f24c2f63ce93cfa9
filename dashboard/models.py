"""Roll-ups: what the log says of a day or an hour, counted once and read many times.

They hold counts, never a person. What was shown outlives the slates it was counted from.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone


class FeedbackDay(models.Model):
    """What people did on one day (UTC)."""

    day = models.DateField(primary_key=True)
    n_events = models.PositiveIntegerField(default=0)
    n_people = models.PositiveIntegerField(default=0)
    # Ratings, likes, dislikes and nevers; positive are four stars or more, and likes.
    n_opinions = models.PositiveIntegerField(default=0)
    n_positive = models.PositiveIntegerField(default=0)
    n_joined = models.PositiveIntegerField(default=0)
    # {"kind": {name: n}, "surface": {name: n}}
    counts = models.JSONField(default=dict)
    computed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Feedback of {self.day}"


class ShownDay(models.Model):
    """What people were shown on one day (UTC), and what they said of it within a week."""

    day = models.DateField(primary_key=True)
    n_lists = models.PositiveIntegerField(default=0)
    n_people = models.PositiveIntegerField(default=0)
    n_impressions = models.PositiveIntegerField(default=0)
    n_films = models.PositiveIntegerField(default=0)
    n_catalogue = models.PositiveIntegerField(default=0)
    # Lists of people of whom nothing was known, lists that a fallback filled, lists made before.
    n_cold = models.PositiveIntegerField(default=0)
    n_fallback = models.PositiveIntegerField(default=0)
    n_stored = models.PositiveIntegerField(default=0)
    gini = models.FloatField(null=True, blank=True)
    novelty = models.FloatField(null=True, blank=True)
    diversity = models.FloatField(null=True, blank=True)
    # {dimension: {name: n}}; see dashboard.rollup.shown.
    counts = models.JSONField(default=dict)
    # {slice: {"lists", "impressions", "opinions", "positive"}}
    slices = models.JSONField(default=dict)
    # int64 film ids, then as many int64 counts: what coverage over many days is united from.
    exposure = models.BinaryField(default=bytes)
    computed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Shown on {self.day}"


class StageHour(models.Model):
    """How long one stage of the pipeline took in one hour, as a histogram."""

    hour = models.DateTimeField()
    stage = models.CharField(max_length=60)
    n = models.PositiveIntegerField()
    total_ms = models.FloatField()
    # Counts between the edges of dashboard.rollup.latency.EDGES_MS.
    buckets = ArrayField(models.PositiveIntegerField())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hour", "stage"], name="dashboard_stage_hour")
        ]

    def __str__(self) -> str:
        return f"{self.stage} at {self.hour:%Y-%m-%d %H}"


class RollUpMark(models.Model):
    """How far the log was read: rows behind it are looked at no more.

    A row's number is taken before it is committed, so that a lower one can appear after a higher
    one was seen. Hence two marks: rows are read again from ``interaction_id`` until the run after
    ``next_at`` was some minutes old.
    """

    name = models.CharField(max_length=20, unique=True)
    interaction_id = models.BigIntegerField(default=0)
    impression_id = models.BigIntegerField(default=0)
    next_interaction_id = models.BigIntegerField(default=0)
    next_impression_id = models.BigIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    settled_on = models.DateField(null=True, blank=True)
    rolled_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Clustering(models.Model):
    """The kinds of audience as they were last found; one row. ``figures`` are of sittings."""

    # Of the ratings that it was computed from: unchanged ones are not computed again.
    fingerprint = models.CharField(max_length=64)
    # The average person: [{"kind", "value"}] and as many shares.
    traits = models.JSONField()
    mean = ArrayField(models.FloatField())
    n_people = models.PositiveIntegerField()
    width = models.FloatField()
    figures = models.JSONField(default=dict)
    computed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Clusters of {self.computed_at:%Y-%m-%d %H:%M}"


class TasteClusterQuerySet(models.QuerySet["TasteCluster"]):
    """What pages need of clusters."""

    def with_accounts(self) -> TasteClusterQuerySet:
        """``n_accounts``: its people who have an account here."""
        return self.annotate(n_accounts=models.Count("members"))


class TasteCluster(models.Model):
    """One kind of audience. ``marks`` name it: [{"kind", "value"}], the plainest first."""

    clustering = models.ForeignKey(Clustering, on_delete=models.CASCADE, related_name="clusters")
    number = models.PositiveSmallIntegerField()
    # What slices are counted under: the marks, so that a cluster found again keeps its past.
    key = models.CharField(max_length=120)
    marks = models.JSONField(default=list)
    centre = ArrayField(models.FloatField())
    # Shares of the films its people like, in the order of the traits.
    shares = ArrayField(models.FloatField())
    n_people = models.PositiveIntegerField()
    # Medians of its people: {"liked", "per_sitting", "sittings", "liked_share"}
    figures = models.JSONField(default=dict)

    objects = TasteClusterQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["clustering", "number"], name="dashboard_taste_cluster_number"
            )
        ]

    def __str__(self) -> str:
        return self.key


class ClusterMember(models.Model):
    """Which kind of audience an account belonged to when clusters were last found."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="taste_cluster"
    )
    cluster = models.ForeignKey(TasteCluster, on_delete=models.CASCADE, related_name="members")

    def __str__(self) -> str:
        return f"{self.user_id} in {self.cluster_id}"
