"""What calls to language models cost and how they ended."""

from __future__ import annotations

from django.db import models


class LlmCall(models.Model):
    """One call. What people typed is not kept."""

    class Outcome(models.TextChoices):
        """How it ended; anything but ``ok`` means that the local parser answered."""

        OK = "ok", "Used"
        TIMEOUT = "timeout", "Took too long"
        UNREACHABLE = "unreachable", "No or a bad answer"
        INVALID = "invalid", "Not what was asked for"

    prompt = models.CharField(max_length=40)
    model = models.CharField(max_length=120)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    latency_ms = models.PositiveIntegerField()
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    answer_tokens = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "LLM call"
        indexes = [models.Index(fields=["-created_at"], name="catalog_llmcall_newest")]

    def __str__(self) -> str:
        return f"{self.prompt} by {self.model}: {self.outcome}"
