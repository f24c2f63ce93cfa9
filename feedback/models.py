"""What people did (state and append-only log) and what they were shown."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Mod
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Movie


class Rating(models.Model):
    """A person's stars for a film, 0.5 to 5 in halves; one per person and film."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ratings"
    )
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="ratings")
    stars = models.DecimalField(max_digits=2, decimal_places=1)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "movie"], name="feedback_rating_user_movie"),
            models.CheckConstraint(
                condition=Q(stars__gte=Decimal("0.5")) & Q(stars__lte=Decimal("5.0")),
                name="feedback_rating_half_to_five",
            ),
            models.CheckConstraint(
                condition=Q(stars=F("stars") - Mod(F("stars"), Value(Decimal("0.5")))),
                name="feedback_rating_in_halves",
            ),
        ]
        indexes = [models.Index(fields=["user", "-updated_at"], name="feedback_rating_recent")]

    def __str__(self) -> str:
        return f"{self.user_id} gave {self.movie_id} {self.stars}"


class Reaction(models.Model):
    """A verb that a person put on a film. Like and dislike exclude each other."""

    class Kind(models.TextChoices):
        """The verbs; three of them are kinds of no."""

        LIKE = "like", _("Like")
        DISLIKE = "dislike", _("Not for me")
        SEEN = "seen", _("Seen it")
        NOT_TONIGHT = "not_tonight", _("Not tonight")
        NEVER = "never", _("Never show this")
        # What the person said of the film stays visible and hides it, but no list learns from it.
        MUTED = "muted", _("Don't learn from it")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reactions"
    )
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="reactions")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "movie", "kind"], name="feedback_reaction_user_movie_kind"
            ),
            models.UniqueConstraint(
                fields=["user", "movie"],
                condition=Q(kind__in=["like", "dislike"]),
                name="feedback_reaction_like_or_dislike",
            ),
            models.CheckConstraint(
                condition=~Q(kind="not_tonight") | Q(expires_at__isnull=False),
                name="feedback_reaction_not_tonight_ends",
            ),
        ]
        indexes = [models.Index(fields=["user", "-created_at"], name="feedback_reaction_recent")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind} {self.movie_id}"


class WatchlistEntry(models.Model):
    """A film that a person means to watch."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watchlist"
    )
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="watchlisted")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "watchlist entries"
        constraints = [
            models.UniqueConstraint(fields=["user", "movie"], name="feedback_watchlist_user_movie")
        ]
        indexes = [models.Index(fields=["user", "-created_at"], name="feedback_watchlist_recent")]

    def __str__(self) -> str:
        return f"{self.user_id} wants {self.movie_id}"


class DiaryEntry(models.Model):
    """One viewing of a film; a film may have many. Nobody but its person reads it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="diary_entries"
    )
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="diary_entries")
    watched_on = models.DateField()
    is_rewatch = models.BooleanField(default=False)
    note = models.TextField(max_length=2000, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "diary entries"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "movie", "watched_on"], name="feedback_diary_user_movie_day"
            )
        ]
        indexes = [models.Index(fields=["user", "-watched_on"], name="feedback_diary_recent")]

    def __str__(self) -> str:
        return f"{self.user_id} watched {self.movie_id} on {self.watched_on}"


class FilmList(models.Model):
    """Films that a person put together under a name of their own."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="film_lists"
    )
    name = models.CharField(max_length=80)
    note = models.TextField(max_length=1000, blank=True)
    # Whoever has the address with this key may read the list; null: nobody but its person.
    share_key = models.CharField(max_length=43, unique=True, null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["user", "-updated_at"], name="feedback_list_recent")]

    def __str__(self) -> str:
        return self.name


class ListItem(models.Model):
    """A film at its place in a list."""

    film_list = models.ForeignKey(FilmList, on_delete=models.CASCADE, related_name="items")
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="list_items")
    position = models.PositiveIntegerField()
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["film_list", "movie"], name="feedback_list_movie")
        ]

    def __str__(self) -> str:
        return f"{self.movie_id} in {self.film_list_id}"


class QuizSession(models.Model):
    """One run through the quiz."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="quiz_sessions"
    )
    answers = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Quiz of {self.user_id}"


class Interaction(models.Model):
    """One thing that a person did, as it happened. Rows are only ever added.

    ``event_id`` is made by the client, so that a repeated request is recorded once.
    """

    class Kind(models.TextChoices):
        """What happened."""

        RATE = "rate", "Rated"
        UNRATE = "unrate", "Took a rating back"
        REACT = "react", "Reacted"
        UNREACT = "unreact", "Took a reaction back"
        WATCHLIST = "watchlist", "Put on the watchlist"
        UNWATCHLIST = "unwatchlist", "Took off the watchlist"
        OPEN = "open", "Opened the film's page"
        # No opinion, so no reaction: the swipe deck lets the film rest, other lists may show it.
        PASS = "pass", "Passed over, not having seen it"  # noqa: S105 - a verb, no password
        UNPASS = "unpass", "Took a pass back"

    event_id = models.UUIDField(unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="interactions"
    )
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="interactions")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    value = models.CharField(max_length=16, blank=True)
    surface = models.CharField(max_length=24, blank=True)
    # A slate's request_id, kept as a plain value: the log outlives the slates.
    request_id = models.UUIDField(null=True, blank=True)
    position = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-created_at"], name="feedback_interaction_user"),
            models.Index(fields=["created_at"], name="feedback_interaction_time"),
            # Answers to an experiment's lists: without it every reading walks the whole log.
            models.Index(
                fields=["request_id"],
                name="feedback_interaction_request",
                condition=Q(request_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind} {self.movie_id}"


# The surfaces that show a personal list to a person; what a program fetched, nobody ignored.
VISITED_SURFACES = ("home", "for_you")


class Slate(models.Model):
    """One list of films as one person was shown it."""

    request_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="slates",
        null=True,
        blank=True,
        db_index=False,  # feedback_slate_user begins with it
    )
    surface = models.CharField(max_length=24)
    policy = models.CharField(max_length=40)
    model_version = models.CharField(max_length=64, blank=True)
    fallback = models.CharField(max_length=24, blank=True)
    # What it takes to compute the list again: source, seed, feedback generation, stage counts.
    context = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-created_at"], name="feedback_slate_user"),
            # The last visit of somebody whose program fetches fifty lists a day.
            models.Index(
                fields=["user", "-created_at"],
                condition=models.Q(surface__in=VISITED_SURFACES),
                name="feedback_slate_visits",
            ),
            models.Index(fields=["created_at"], name="feedback_slate_time"),
        ]

    def __str__(self) -> str:
        return f"{self.surface} for {self.user_id}"


class Impression(models.Model):
    """One film shown at one position of a slate."""

    slate = models.ForeignKey(
        Slate,
        on_delete=models.CASCADE,
        related_name="impressions",
        db_index=False,  # the constraint's index begins with it
        # Written in one statement with its slate: for Postgres to look for that, twenty times a
        # list, was a fourth of what the statement took.
        db_constraint=False,
    )
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="impressions")
    position = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=24)
    score = models.FloatField(null=True, blank=True)
    # The chance that the policy gave this film this place: 1 for a deterministic policy, null
    # where nobody knows it (an interleaved list, the places behind a shuffled tail).
    propensity = models.FloatField(default=1.0, null=True, blank=True)
    # Of an interleaved list: A or B, whose film it is.
    team = models.CharField(max_length=1, blank=True, default="")
    reason = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["slate", "position"], name="feedback_impression_slate_position"
            )
        ]

    def __str__(self) -> str:
        return f"{self.movie_id} at {self.position}"


# Here so that Django finds them; they stand beside what is done with them.
from feedback.exports.models import ExportFile, ExportJob  # noqa: E402, F401 - as below
from feedback.imports.models import (  # noqa: E402, F401 - as in catalog.models
    ImportChange,
    ImportFile,
    ImportFilm,
    ImportJob,
    ImportRow,
)
