"""An import: its file, the films it speaks of, its rows, and what it changed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models import Movie
from feedback.work import OPEN, Work


class ImportJob(Work):
    """One file that a person brought: read and matched first, written only when asked."""

    class Source(models.TextChoices):
        """Whose file it is, known once it was read."""

        LETTERBOXD = "letterboxd", "Letterboxd"
        IMDB = "imdb", "IMDb"
        TRAKT = "trakt", "Trakt"
        MOVIELENS = "movielens", "MovieLens"
        MARQUEE = "marquee", "Marquee"

    class Phase(models.TextChoices):
        """What a worker does next, or did last."""

        READ = "read", _("Reading the file")
        MATCH = "match", _("Finding the films")
        APPLY = "apply", _("Writing")
        UNDO = "undo", _("Taking back")

    phase = models.CharField(max_length=6, choices=Phase.choices, default=Phase.READ)
    source = models.CharField(max_length=10, choices=Source.choices, blank=True)
    filename = models.CharField(max_length=120, blank=True)
    # Sentences about parts of the file that were left aside, and how the rest was read.
    notes = models.JSONField(default=list, blank=True)
    # What the dry run would change and what was changed, by kind.
    preview = models.JSONField(default=dict, blank=True)
    changed = models.JSONField(default=dict, blank=True)
    # Of the oldest dated row: rows without a date are taken for as old, not for new.
    oldest_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-created_at"], name="feedback_import_recent"),
            models.Index(
                fields=["queued_at"],
                condition=Q(status__in=[status.value for status in OPEN]),
                name="feedback_import_open",
            ),
        ]

    def __str__(self) -> str:
        return f"Import {self.pk} of {self.user_id}"


class ImportFile(models.Model):
    """The bytes, in the database because the worker may be another machine. Gone once read."""

    job = models.OneToOneField(
        ImportJob, on_delete=models.CASCADE, primary_key=True, related_name="file"
    )
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"File of {self.job_id}"


class ImportFilm(models.Model):
    """A film as the file names it, once however many rows speak of it."""

    class State(models.TextChoices):
        """pending -> found | check | unknown -> chosen | skipped, by the person."""

        PENDING = "pending", _("Not looked for yet")
        FOUND = "found", _("Found")
        CHECK = "check", _("To check")
        UNKNOWN = "unknown", _("Not in this catalogue")
        CHOSEN = "chosen", _("Chosen by you")
        SKIPPED = "skipped", _("Skipped by you")

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="films")
    key = models.CharField(max_length=64)
    title = models.CharField(max_length=300, blank=True)
    original_title = models.CharField(max_length=300, blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    # [["imdb", "tt0113277"], ...] and names of directors.
    ids = models.JSONField(default=list, blank=True)
    directors = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    movie = models.ForeignKey(
        Movie, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # 0 to 1, and the code of why (feedback.imports.matching.Reason).
    confidence = models.FloatField(default=0.0)
    reason = models.CharField(max_length=24, blank=True)
    # Films it might be, the likeliest first.
    candidate_ids = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "key"], name="feedback_importfilm_job_key")
        ]
        indexes = [models.Index(fields=["job", "state"], name="feedback_importfilm_state")]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title


class ImportRow(models.Model):
    """One row of the file: what it says, and whether that was written already."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="rows")
    # None for what is about no film: dials, quiz answers.
    film = models.ForeignKey(
        ImportFilm, on_delete=models.CASCADE, null=True, blank=True, related_name="rows"
    )
    number = models.PositiveIntegerField()
    section = models.CharField(max_length=60, blank=True)
    # [{"verb": "rate", ...}, ...]: feedback.imports.records.Effect.
    effects = models.JSONField(default=list)
    is_applied = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="feedback_importrow_job_number")
        ]
        indexes = [
            models.Index(
                fields=["job", "number"],
                condition=Q(is_applied=False),
                name="feedback_importrow_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"Row {self.number} of {self.job_id}"


class ImportChange(models.Model):
    """One thing that the import wrote, and what stood there before: enough to take it back."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="changes")
    entity = models.CharField(max_length=12)
    # Zero where it is about no film.
    movie_id_value = models.BigIntegerField(default=0)
    # What else names the row: the day of a viewing, a list's id, a reaction's kind.
    key = models.CharField(max_length=40, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["job", "-id"], name="feedback_importchange_undo")]

    def __str__(self) -> str:
        return f"{self.entity} {self.movie_id_value} by {self.job_id}"
