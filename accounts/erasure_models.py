"""What is left to do, and what is left, when an account goes."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class DeletionRequest(models.Model):
    """Somebody wants their account gone; until ``due_at`` they can still keep it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="deletion_request"
    )
    requested_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"Deletion of {self.user_id} on {self.due_at:%Y-%m-%d}"


class Tombstone(models.Model):
    """The digest of somebody forgotten: it tells a restored backup whom to forget again.

    No name can be read from it: see :func:`accounts.tombstones.digest_of`.
    """

    digest = models.CharField(max_length=64, unique=True)
    erased_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.digest[:12]


class ErasureReceipt(models.Model):
    """What was deleted and how that was checked, without a word of whose it was."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=64)
    requested_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(default=timezone.now)
    # Rows by table, traces that were looked for, figures of the proof, models to be trained anew.
    report = models.JSONField(default=dict)
    # Models learned from this person: they are trained anew, and the versions before are deleted.
    is_in_models = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["-erased_at"], name="accounts_receipt_recent")]

    def __str__(self) -> str:
        return f"Receipt {self.pk}"
