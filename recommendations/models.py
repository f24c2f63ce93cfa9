"""Model versions, training runs and stored recommendations."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from pgvector.django import VectorField


class ModelVersion(models.Model):
    """A fitted model on disk and its standing. One is ACTIVE per kind."""

    class Status(models.TextChoices):
        """candidate -> active -> retired; failed where a gate said no."""

        CANDIDATE = "candidate", pgettext_lazy("standing of a model", "Candidate")
        ACTIVE = "active", _("Active")
        RETIRED = "retired", _("Retired")
        FAILED = "failed", _("Failed")

    kind = models.CharField(max_length=24, default="hybrid")
    version = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CANDIDATE)
    # Relative to MODELS_DIR: an artifact can be moved with its folder.
    path = models.CharField(max_length=200)
    manifest_sha256 = models.CharField(max_length=64)
    data_fingerprint = models.CharField(max_length=64)
    metrics = models.JSONField(default=dict)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(status="active"),
                name="recommendations_one_active_per_kind",
            )
        ]
        indexes = [models.Index(fields=["kind", "-created_at"], name="recommendations_mv_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.version} ({self.status})"


class TrainingRun(models.Model):
    """One attempt to train. One is RUNNING per kind; the lease tells the living from the dead."""

    class Status(models.TextChoices):
        """How it stands."""

        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        SKIPPED = "skipped", _("Skipped: nothing new")
        REFUSED = "refused", _("Refused by the gate")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    kind = models.CharField(max_length=24, default="hybrid")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    # Somebody wants it to stop: it does at its next stage.
    is_cancel_requested = models.BooleanField(default=False)
    # What finished stages found, for the next run on the same data (services.resume).
    checkpoint = models.JSONField(default=dict, blank=True)
    trigger = models.CharField(max_length=24, default="command")
    progress = models.FloatField(default=0.0)
    stage = models.CharField(max_length=60, blank=True)
    log = models.TextField(blank=True)
    # One entry per epoch of a model that learns in epochs: epoch, n_epochs, loss, quality.
    curve = models.JSONField(default=list, blank=True)
    error = models.TextField(blank=True)
    data_fingerprint = models.CharField(max_length=64, blank=True)
    # The newest live interaction that the training saw: newer ones count towards RETRAIN_AFTER.
    last_interaction_id = models.BigIntegerField(default=0)
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    started_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(status="running"),
                name="recommendations_one_running_per_kind",
            )
        ]
        indexes = [models.Index(fields=["kind", "-started_at"], name="recommendations_run_kind")]

    def __str__(self) -> str:
        return f"Training of {self.kind}, {self.status}"


class Recommendation(models.Model):
    """The list that batch inference stored for a person, served while it is fresh."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recommendations"
    )
    source = models.CharField(max_length=24, default="hybrid")
    movie_ids = ArrayField(models.BigIntegerField(), default=list)
    scores = ArrayField(models.FloatField(), default=list)
    # Why each film is there, in the order of movie_ids (recommendations.evidence_columns).
    evidence = models.BinaryField()
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.CASCADE, related_name="recommendations"
    )
    # The person's feedback_generation that the list has seen: behind it, the list is stale.
    feedback_generation = models.PositiveBigIntegerField(default=0)
    # The last day before this one on which the person was shown a list: another one makes it stale.
    last_visit_on = models.DateField(null=True, blank=True)
    # Where the dials stood and that day, as the slate log keeps it.
    context = models.JSONField(default=dict, blank=True)
    computed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "source"], name="recommendations_stored_user_source"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} for {self.user_id}"


class ScheduledRun(models.Model):
    """When a beat entry last ran and how long it took."""

    name = models.CharField(max_length=60, unique=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name


class ItemVector(models.Model):
    """A film as a collaborative model sees it. All of a version's vectors have one length.

    Versions stand side by side while one is promoted; each has a partial HNSW index of its own
    (:mod:`recommendations.services.vectors`), dropped with it.
    """

    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.CASCADE, related_name="item_vectors"
    )
    movie = models.ForeignKey(
        "catalog.Movie", on_delete=models.CASCADE, related_name="item_vectors"
    )
    # A unit vector; ``length`` times it is the model's own.
    vector = VectorField()
    length = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "movie"], name="recommendations_itemvector_version_movie"
            )
        ]

    def __str__(self) -> str:
        return f"{self.movie_id} by version {self.model_version_id}"


class TrendingWindow(models.Model):
    """What people here liked most in the last days, the best first."""

    days = models.PositiveSmallIntegerField(unique=True)
    movie_ids = ArrayField(models.BigIntegerField(), default=list)
    # People who liked it, the latest counting most.
    scores = ArrayField(models.FloatField(), default=list)
    n_events = models.PositiveIntegerField(default=0)
    computed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.days} days"


class DriftCheck(models.Model):
    """How far what people do now is from what the served model learned from."""

    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.CASCADE, related_name="drift_checks"
    )
    is_drifted = models.BooleanField(default=False)
    said = models.TextField(blank=True)
    figures = models.JSONField(default=dict)
    checked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["-checked_at"], name="recommendations_drift_time")]

    def __str__(self) -> str:
        return self.said


from recommendations.experiments.models import (  # noqa: E402, F401 - Django looks for them here
    Assignment,
    Experiment,
    ExperimentReading,
    Exposure,
)
