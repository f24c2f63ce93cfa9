"""Models in the admin: looking, promoting, going back."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.admin_base import ReadOnlyAdmin
from recommendations.models import (
    DriftCheck,
    Experiment,
    ModelVersion,
    ScheduledRun,
    TrainingRun,
    TrendingWindow,
)
from recommendations.services.experiments import (
    ExperimentError,
    experiment_read,
    experiment_start,
    experiment_stop,
)
from recommendations.services.lease import run_cancel
from recommendations.services.registry import PromotionError, model_promote, model_rollback
from recommendations.tasks import training_request

# The page of a higher app, by its name.
LIVE_PAGE = "dashboard:staff_models"


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


@admin.register(Experiment)
class ExperimentAdmin(ReadOnlyAdmin):
    """Experiments; they are made on their own page, and one may run."""

    list_display = ["name", "kind", "status", "policy_a", "policy_b", "started_at", "stopped_at"]
    list_filter = ["status", "kind"]
    actions = ["start", "stop"]

    @admin.action(description="Start the selected experiment")
    def start(self, request: HttpRequest, queryset: QuerySet[Experiment]) -> None:
        """One at a time."""
        if queryset.count() != 1:
            self.message_user(request, "Select exactly one experiment.", messages.ERROR)
            return
        experiment = queryset.get()
        try:
            experiment_start(experiment)
        except ExperimentError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.log_change(request, experiment, "Started")
            self.message_user(request, f"{experiment.name} is running.", messages.SUCCESS)

    @admin.action(description="Stop the selected experiment")
    def stop(self, request: HttpRequest, queryset: QuerySet[Experiment]) -> None:
        """Whatever it says by now is read once more."""
        for experiment in queryset:
            try:
                experiment_stop(experiment, reason=f"Stopped by {request.user} in the admin.")
            except ExperimentError as error:
                self.message_user(request, f"{experiment.name}: {error}", messages.ERROR)
            else:
                experiment_read(experiment)
                self.log_change(request, experiment, "Stopped")
                self.message_user(request, f"{experiment.name} is stopped.", messages.SUCCESS)


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    """Trainings, running and past."""

    list_display = ["started_at", "kind", "status", "trigger", "stage", "progress", "finished_at"]
    list_filter = ["kind", "status"]
    actions = ["cancel", "train_again"]
    readonly_fields = ["live"]

    @admin.display(description="live")
    def live(self, run: TrainingRun) -> str:
        """Where progress, curve and log are shown as they come."""
        return format_html('<a href="{}">The models, as they train</a>', reverse(LIVE_PAGE))

    @admin.action(description="Cancel the selected runs")
    def cancel(self, request: HttpRequest, queryset: QuerySet[TrainingRun]) -> None:
        """They stop at their next stage; what was finished is kept for the next run."""
        for run in queryset:
            if run_cancel(run):
                self.log_change(request, run, "Asked to stop")
                self.message_user(request, f"{run} will stop at its next stage.", messages.SUCCESS)
            else:
                self.message_user(request, f"{run}: it is not running.", messages.WARNING)

    @admin.action(description="Train again (goes on where the last run stopped)")
    def train_again(self, request: HttpRequest, queryset: QuerySet[TrainingRun]) -> None:
        """Whatever is selected: the next run takes over finished stages on the same data."""
        if training_request(trigger="admin"):
            self.message_user(request, "A training was asked for.", messages.SUCCESS)
        else:
            said = "The queue cannot be reached: nothing was started. Is Redis running?"
            self.message_user(request, said, messages.ERROR)


@admin.register(ScheduledRun)
class ScheduledRunAdmin(ReadOnlyAdmin):
    """When beat last ran what."""

    list_display = ["name", "started_at", "finished_at", "took", "outcome"]

    @admin.display(description="took")
    def took(self, run: ScheduledRun) -> str:
        """Seconds; nothing while it runs."""
        if run.finished_at is None or run.finished_at < run.started_at:
            return ""
        return f"{(run.finished_at - run.started_at).total_seconds():.1f} s"


@admin.register(DriftCheck)
class DriftCheckAdmin(ReadOnlyAdmin):
    """Whether people still do what the model learned from."""

    list_display = ["checked_at", "model_version", "is_drifted", "said"]
    list_filter = ["is_drifted"]
    list_select_related = ["model_version"]


@admin.register(TrendingWindow)
class TrendingWindowAdmin(ReadOnlyAdmin):
    """What is liked lately."""

    list_display = ["days", "n_events", "computed_at"]
