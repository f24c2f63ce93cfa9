"""What was asked of TMDB, what came of it, and what only TMDB tells."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class EnrichmentState(models.Model):
    """How a film stands with TMDB. A film without a row has never been asked for."""

    class Status(models.TextChoices):
        """due -> fetched (answer kept) -> done; the others wait for ``next_try_at``."""

        DUE = "due", _("To be fetched")
        FETCHED = "fetched", _("Fetched, not written yet")
        DONE = "done", _("Enriched")
        IMPORTED = "imported", _("From an imported table")
        NOT_FOUND = "not_found", _("TMDB does not have it")
        UNSURE = "unsure", _("Left: not sure which film it is")
        FAILED = "failed", _("Failed")

    class Method(models.TextChoices):
        """How the film was found at TMDB."""

        LINK = "link", "TMDB id from a data set or an editor"
        IMDB = "imdb", "IMDb id"
        SEARCH = "search", "Title and year"

    movie = models.OneToOneField(
        "catalog.Movie", on_delete=models.CASCADE, primary_key=True, related_name="enrichment"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DUE)
    tmdb_id = models.PositiveIntegerField(null=True, blank=True)
    method = models.CharField(max_length=8, choices=Method.choices, blank=True)
    # 1 for an id that somebody gave, less for a film found by its title.
    confidence = models.FloatField(null=True, blank=True)
    # TMDB's answer (JSON, zlib) from its arrival until it is written into the film: it survives a
    # kill. Not a JSON column: Postgres refuses some of what JSON allows, such as a NUL.
    payload = models.BinaryField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    etag = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    fetched_at = models.DateTimeField(null=True, blank=True)
    next_try_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["status", "fetched_at"], name="catalog_enrichment_status")]

    def __str__(self) -> str:
        return f"{self.movie_id}: {self.status}"


class EnrichmentRun(models.Model):
    """One run over many films; the lease tells the living from the dead."""

    class Status(models.TextChoices):
        """queued -> running -> done, or stopped before the end."""

        QUEUED = "queued", _("Waiting for a worker")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped; the next run goes on from there")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    trigger = models.CharField(max_length=24, default="command")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    max_films = models.PositiveIntegerField(null=True, blank=True)
    refresh_older_than_days = models.PositiveSmallIntegerField(null=True, blank=True)
    total = models.PositiveIntegerField(default=0)
    # Outcome -> number of films, such as {"enriched": 120, "not_found": 3}.
    counts = models.JSONField(default=dict)
    message = models.CharField(max_length=500, blank=True)
    deliveries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["status"],
                condition=Q(status="running"),
                name="catalog_one_enrichment_running",
            )
        ]
        indexes = [models.Index(fields=["-created_at"], name="catalog_enrichmentrun_new")]

    def __str__(self) -> str:
        return f"Enrichment of {self.created_at:%Y-%m-%d %H:%M}, {self.status}"

    @property
    def done(self) -> int:
        """Films that this run is finished with."""
        return sum(self.counts.values())

    @property
    def percent(self) -> int:
        """Share done, for a progress bar."""
        return round(100 * self.done / self.total) if self.total else 0

    @property
    def is_open(self) -> bool:
        """Waiting or running."""
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)

    @property
    def is_stalled(self) -> bool:
        """Said to be running, but nothing was heard of it since its lease ran out."""
        return (
            self.status == self.Status.RUNNING
            and self.lease_until is not None
            and self.lease_until < timezone.now()
        )


class RateLimit(models.Model):
    """When the next request to somebody else's server is due (``limiter.SharedPace``)."""

    name = models.CharField(max_length=40, primary_key=True)
    next_free_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Franchise(models.Model):
    """Films that continue each other; TMDB calls it a collection."""

    name = models.CharField(max_length=200)
    tmdb_id = models.PositiveIntegerField(unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TmdbFacts(models.Model):
    """What only TMDB tells of a film, apart from ``Movie`` so that it can be dropped whole."""

    movie = models.OneToOneField(
        "catalog.Movie", on_delete=models.CASCADE, primary_key=True, related_name="tmdb_facts"
    )
    franchise = models.ForeignKey(
        Franchise, on_delete=models.SET_NULL, null=True, blank=True, related_name="films"
    )
    released_on = models.DateField(null=True, blank=True)
    vote_average = models.FloatField(null=True, blank=True)
    vote_count = models.PositiveIntegerField(null=True, blank=True)
    popularity = models.FloatField(null=True, blank=True)
    # Country -> kind (flatrate, rent, buy, free, ads) -> names; TMDB has them from JustWatch.
    watch_providers = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name_plural = "TMDB facts"

    def __str__(self) -> str:
        return f"TMDB's facts of {self.movie_id}"


class CachedImage(models.Model):
    """A poster or backdrop that lies on our disk (``catalog.images``), or why it does not."""

    class Kind(models.TextChoices):
        """What it shows."""

        POSTER = "poster", "Poster"
        BACKDROP = "backdrop", "Backdrop"

    movie = models.ForeignKey(
        "catalog.Movie", on_delete=models.CASCADE, related_name="cached_images"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # The path at TMDB that it came from: another path means another picture.
    remote_path = models.CharField(max_length=120)
    # Names the folder of its sizes; "" where there is no picture.
    digest = models.CharField(max_length=32, blank=True)
    media_type = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    fetched_at = models.DateTimeField(default=timezone.now)
    next_try_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["movie", "kind"], name="catalog_cachedimage_one")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.movie_id}"
