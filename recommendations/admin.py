"""Models in the admin: looking, promoting, going back."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from feedback.admin import ReadOnlyAdmin
from recommendations.models import ModelVersion, ScheduledRun, TrainingRun
from recommendations.services.registry import PromotionError, model_promote, model_rollback


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Versions; one is active."""

    list_display = ["version", "kind", "status", "created_at", "activated_at"]
    list_filter = ["kind", "status"]
    actions = ["promote", "roll_back"]

    @admin.action(description="Serve the selected version")
    def promote(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """One version at a time."""
        if queryset.count() != 1:
            self.message_user(request, "Select exactly one version.", messages.ERROR)
            return
        try:
            version = model_promote(queryset.get())
        except PromotionError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.log_change(request, version, "Promoted")
            self.message_user(request, f"Now serving {version.version}.", messages.SUCCESS)

    @admin.action(description="Go back to the version served before")
    def roll_back(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Whatever is selected: there is one version to go back to."""
        try:
            version = model_rollback()
        except PromotionError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.log_change(request, version, "Rolled back to this version")
            self.message_user(request, f"Now serving {version.version}.", messages.SUCCESS)


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    """Trainings, running and past."""

    list_display = ["started_at", "kind", "status", "trigger", "stage", "progress", "finished_at"]
    list_filter = ["kind", "status"]


@admin.register(ScheduledRun)
class ScheduledRunAdmin(ReadOnlyAdmin):
    """When beat last ran what."""

    list_display = ["name", "started_at", "finished_at", "outcome"]
