"""An export that was asked for, and its file until it expires."""

from __future__ import annotations

from django.db import models

from feedback.work import Work


class ExportJob(Work):
    """A person's data, put together by a worker; theirs to download until ``expires_at``."""

    n_bytes = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-created_at"], name="feedback_export_recent")]

    def __str__(self) -> str:
        return f"Export {self.pk} of {self.user_id}"


class ExportFile(models.Model):
    """The ZIP, in the database because the worker may be another machine than the web server."""

    job = models.OneToOneField(
        ExportJob, on_delete=models.CASCADE, primary_key=True, related_name="file"
    )
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"File of {self.job_id}"
