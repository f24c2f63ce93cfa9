"""People and their settings."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.prepared import prepared_cursor


class UserManager(BaseUserManager["User"]):
    """Creates people; the e-mail is their name."""

    use_in_migrations = True

    def _create(self, *, email: str, password: str | None, **fields: Any) -> User:
        if not email:
            raise ValueError("An e-mail address is needed")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A person without power over others."""
        return self._create(email=email, password=password, **fields)

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A person who may do everything in the admin."""
        return self._create(
            email=email, password=password, is_staff=True, is_superuser=True, **fields
        )

    def create_visitor(self) -> User:
        """Somebody without an account who gave feedback; only their session knows the key."""
        user = self.model(
            email=None,
            is_visitor=True,
            is_active=False,
            visitor_key=secrets.token_urlsafe(32),
            visitor_seen_at=timezone.now(),
        )
        user.set_unusable_password()
        user.save(using=self._db)
        return user

    def get(self, *args: Any, **kwargs: Any) -> User:
        """By id alone without the ORM's making of a query, which took three times as long as the
        query: every answer to somebody who is logged in reads their row so."""
        if args or kwargs.keys() != {"pk"} or not isinstance(kwargs["pk"], int):
            return super().get(*args, **kwargs)
        # Columns are named as their attributes are.
        names = [field.attname for field in self.model._meta.concrete_fields]
        columns = ", ".join(names)
        with prepared_cursor() as cursor:
            cursor.execute(
                f"SELECT {columns} FROM {self.model._meta.db_table} WHERE id = %s",  # noqa: S608
                [kwargs["pk"]],
            )
            row = cursor.fetchone()
        if row is None:
            raise self.model.DoesNotExist("Nobody has this id.")
        return self.model.from_db(self.db, names, row)

    def accounts(self) -> models.QuerySet[User]:
        """People who registered: what a number of users counts."""
        return self.filter(is_visitor=False)

    def get_by_natural_key(self, username: str | None) -> User:
        """By e-mail, whatever its case."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody with an account, known by e-mail; or a visitor, known by their session alone.

    Feedback, lists and logs belong to a row of this table, whichever of the two it is. A visitor
    is no account: without address and password, not active, never logged in (ADR 0004).
    """

    email = models.EmailField("e-mail address", max_length=254, unique=True, null=True, blank=True)
    display_name = models.CharField(max_length=60, blank=True)
    # Of the pages; "" where nothing was ever chosen: then the browser says.
    language = models.CharField(max_length=8, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    is_demo = models.BooleanField(default=False, help_text="Made by the first start, for trying.")
    date_joined = models.DateTimeField(default=timezone.now)
    # Counts this person's feedback: stored recommendations older than it are stale.
    feedback_generation = models.PositiveBigIntegerField(default=0)

    is_visitor = models.BooleanField(default=False, editable=False)
    visitor_key = models.CharField(
        max_length=64, unique=True, null=True, blank=True, editable=False
    )
    visitor_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Set when the visitor became this account: feedback still under way follows it there.
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="former_visitors",
    )

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_ci"),
            models.CheckConstraint(
                condition=Q(is_visitor=False, email__isnull=False, visitor_key__isnull=True)
                | Q(
                    is_visitor=True,
                    email__isnull=True,
                    is_active=False,
                    is_staff=False,
                    is_superuser=False,
                    visitor_seen_at__isnull=False,
                ),
                name="accounts_user_account_or_visitor",
            ),
        ]
        indexes = [
            models.Index(
                fields=["visitor_seen_at"],
                condition=Q(is_visitor=True),
                name="accounts_user_visitor_seen",
            )
        ]

    def __str__(self) -> str:
        return self.email or f"Visitor {self.pk}"

    @property
    def short_name(self) -> str:
        """What pages call this person; empty for a visitor."""
        return self.display_name or (self.email or "").partition("@")[0]


class TasteSettings(models.Model):
    """The dials: what a person told us about their taste in so many words. 0 means untouched."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="taste_settings")
    surprise = models.FloatField(
        default=0.0, validators=[MinValueValidator(-1), MaxValueValidator(1)]
    )
    diversity = models.FloatField(
        default=0.0, validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    # From older to newer, and from shorter to longer.
    era = models.FloatField(default=0.0, validators=[MinValueValidator(-1), MaxValueValidator(1)])
    length = models.FloatField(
        default=0.0, validators=[MinValueValidator(-1), MaxValueValidator(1)]
    )
    year_from = models.PositiveSmallIntegerField(null=True, blank=True)
    year_to = models.PositiveSmallIntegerField(null=True, blank=True)
    runtime_max_min = models.PositiveSmallIntegerField(null=True, blank=True)
    languages = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    # Kinds of reason that this person does not want to read on cards.
    muted_reasons = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    excluded_genres = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    age_ceiling = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Films certified above this age, or uncertified, are left out.",
    )

    class Meta:
        verbose_name_plural = "taste settings"

    def __str__(self) -> str:
        return f"Taste settings of {self.user_id}"


class ApiToken(models.Model):
    """What a program of somebody's own identifies itself with. Only the digest is kept."""

    class Scope(models.TextChoices):
        """What a token opens; ``staff`` is needed for whatever is for staff, besides."""

        READ = "read", _("Read")
        WRITE = "write", _("Write")
        STAFF = "staff", _("Act as staff")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # The first characters, to tell one's own tokens apart.
    start = models.CharField(max_length=16, editable=False)
    scopes = ArrayField(models.CharField(max_length=8, choices=Scope.choices))
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-created_at"], name="accounts_token_user")]

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"


class KeptAnswer(models.Model):
    """What a write with an Idempotency-Key was answered, for whoever asks again."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="kept_answers")
    key = models.CharField(max_length=200)
    # Of method, address and body: the same key with another is a mistake of the client.
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField(blank=True)
    location = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="accounts_answer_user_key")
        ]
        indexes = [models.Index(fields=["created_at"], name="accounts_answer_time")]

    def __str__(self) -> str:
        return f"{self.status} to {self.user_id}"


# Here so that Django finds them; they stand beside what is done with them.
from accounts.erasure_models import (  # noqa: E402, F401 - as in catalog.models
    DeletionRequest,
    ErasureReceipt,
    Tombstone,
)
