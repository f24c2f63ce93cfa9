"""Experiments, who is in which arm, which lists were shown in them, and what was read from that."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def new_salt() -> str:
    """So that two experiments split people independently."""
    return secrets.token_hex(8)


class Experiment(models.Model):
    """Policy A against policy B on the personal list. One runs at a time."""

    class Kind(models.TextChoices):
        """How the two are compared."""

        SPLIT = "split", _("A/B: some people get A, the others B")
        INTERLEAVED = "interleaved", _("Interleaved: every list holds films of both")

    class Status(models.TextChoices):
        """draft -> running -> stopped; nothing goes back."""

        DRAFT = "draft", _("Draft")
        RUNNING = "running", _("Running")
        STOPPED = "stopped", _("Stopped")

    name = models.CharField(max_length=80, unique=True)
    question = models.TextField(max_length=500, blank=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    # Sources by name (recommendations.sources). The same one twice is an A/A test.
    policy_a = models.CharField(max_length=24)
    policy_b = models.CharField(max_length=24)
    salt = models.CharField(max_length=32, default=new_salt, editable=False)
    # Of the people with an account, how many take part.
    share = models.FloatField(default=1.0)
    # Of the lists, how many have a shuffled tail (ml.experiments.exploration). Split only.
    epsilon = models.FloatField(default=0.0)
    # How long what somebody did counts: since their first list in it (split), or since the list.
    window_hours = models.FloatField()
    # A difference that would matter: of A's mean (split), or of the preference (interleaved).
    min_effect = models.FloatField(default=0.05)
    # People or lists at which the interval is to be tightest.
    n_target = models.PositiveIntegerField(default=1000)
    # What the log of other lists says of B, before anybody sees it (services.forecasts).
    forecast = models.JSONField(default=dict, blank=True)
    stop_reason = models.TextField(blank=True)
    is_stopped_by_guard = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["status"],
                condition=Q(status="running"),
                name="recommendations_one_experiment_running",
            ),
            models.CheckConstraint(
                condition=Q(share__gt=0) & Q(share__lte=1), name="recommendations_experiment_share"
            ),
            models.CheckConstraint(
                condition=Q(epsilon__gte=0) & Q(epsilon__lte=1),
                name="recommendations_experiment_epsilon",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_same_twice(self) -> bool:
        """An A/A test: whatever it finds is a false alarm."""
        return self.policy_a == self.policy_b


class Assignment(models.Model):
    """Which arm a person got, from their first list in the experiment on."""

    class Arm(models.TextChoices):
        """A, B, or both in one list."""

        A = "A", "A"
        B = "B", "B"
        BOTH = "AB", "A and B"

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="assignments")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="assignments"
    )
    arm = models.CharField(max_length=2, choices=Arm.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "user"], name="recommendations_assignment_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.arm} of {self.experiment_id}"


class Exposure(models.Model):
    """A list that was shown under an experiment; rows are only ever added.

    ``is_filled`` says that popular films stood in for what the policy did not have. What is on the
    list, and whose film each is, are the impressions of the slate with this ``request_id``.
    """

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="exposures")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exposures"
    )
    request_id = models.UUIDField(unique=True)
    arm = models.CharField(max_length=2, choices=Assignment.Arm.choices)
    is_filled = models.BooleanField(default=False)
    shown_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(
                F("experiment"), F("shown_at"), F("id"), name="recommendations_exposure_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.request_id} in {self.arm} of {self.experiment_id}"


class ExperimentReading(models.Model):
    """What the log said at a moment; the page shows the newest, a command makes it again."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="readings")
    taken_at = models.DateTimeField(default=timezone.now)
    figures = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["experiment", "-taken_at"], name="recommendations_reading_new")
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id} at {self.taken_at:%Y-%m-%d %H:%M}"
