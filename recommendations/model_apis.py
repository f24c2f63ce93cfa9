"""``/api/v1/models``: which model is served, for staff."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from recommendations.models import ModelVersion, TrainingRun
from recommendations.services.lease import run_cancel
from recommendations.services.registry import (
    PromotionError,
    model_promote,
    model_rollback,
    version_named,
)
from recommendations.snapshot import reload_snapshot
from recommendations.tasks import training_request


class PromotionRefused(exceptions.APIException):
    """The version cannot be served; what was active still is."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "refused"


class NotRunning(exceptions.APIException):
    """Only what runs can be stopped."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "not_running"
    default_detail = "This training is not running."


class QueueUnreachable(exceptions.APIException):
    """Redis is away; trainings can still be started by command."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "queue_unreachable"
    default_detail = "The queue cannot be reached. Try later, or run manage.py train_model."


class ModelVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    """A version, its standing, and what it reached on held-out people."""

    class Meta:
        model = ModelVersion
        fields = [
            *("version", "kind", "status", "note", "metrics", "data_fingerprint"),
            *("created_at", "activated_at"),
        ]
        read_only_fields = fields


class ModelListSerializer(serializers.Serializer):
    """All versions, newest first."""

    results = ModelVersionSerializer(many=True)


class ReloadSerializer(serializers.Serializer):
    """What is in memory after reading the files again."""

    version = serializers.CharField(allow_blank=True)
    sources = serializers.ListField(child=serializers.CharField())


class ModelListApi(Api):
    """The versions there are: a handful, so they come in one answer."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="models_list",
        tags=["models"],
        summary="All model versions with their figures, newest first",
        responses=ModelListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Staff only."""
        versions = ModelVersion.objects.order_by("-created_at")
        return Response({"results": ModelVersionSerializer(versions, many=True).data})


class TrainingRunSerializer(serializers.ModelSerializer[TrainingRun]):
    """A training: how far it is, what it says, how it ended."""

    version = serializers.CharField(
        source="model_version.version", default="", help_text="What came out of it, if anything."
    )

    class Meta:
        model = TrainingRun
        fields = [
            *("id", "kind", "status", "trigger", "stage", "progress", "log", "error"),
            *("is_cancel_requested", "version", "started_at", "heartbeat_at", "finished_at"),
        ]
        read_only_fields = fields


class TrainingRunListSerializer(serializers.Serializer):
    """The latest trainings, newest first."""

    results = TrainingRunSerializer(many=True)


class TrainingListApi(Api):
    """Trainings, and asking for one."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="trainings_list",
        tags=["models"],
        summary="The latest trainings with their progress",
        responses=TrainingRunListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Fifty at most."""
        runs = TrainingRun.objects.select_related("model_version").order_by("-started_at")[:50]
        return Response({"results": TrainingRunSerializer(runs, many=True).data})

    @extend_schema(
        operation_id="trainings_start",
        tags=["models"],
        summary="Train now; goes on where an interrupted training stopped",
        request=None,
        responses={
            202: OpenApiResponse(description="A worker will train."),
            503: OpenApiResponse(description="The queue cannot be reached."),
        },
    )
    def post(self, request: Request) -> Response:
        """One at a time: while one runs, another request changes nothing."""
        if not training_request(trigger="api"):
            raise QueueUnreachable
        return Response(status=status.HTTP_202_ACCEPTED)


class TrainingCancelApi(Api):
    """Stopping a training."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="trainings_cancel",
        tags=["models"],
        summary="Stop this training at its next stage",
        request=None,
        responses={
            200: TrainingRunSerializer,
            404: OpenApiResponse(description="No such training."),
            409: OpenApiResponse(description="It is not running."),
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """What it finished is kept: the next training on the same data goes on from there."""
        run = get_object_or_404(TrainingRun, pk=pk)
        if not run_cancel(run):
            raise NotRunning
        run.refresh_from_db()
        return Response(TrainingRunSerializer(run).data)


class ModelActivateApi(Api):
    """Promotion."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="models_activate",
        tags=["models"],
        summary="Serve this version",
        request=None,
        responses={
            200: ModelVersionSerializer,
            404: OpenApiResponse(description="No version of that name."),
            409: OpenApiResponse(description="It cannot be served; the message says why."),
        },
    )
    def post(self, request: Request, version: str) -> Response:
        """Its files are read and checked first; every process serves it within seconds."""
        try:
            found = version_named(version)
        except ModelVersion.DoesNotExist as error:
            raise exceptions.NotFound(str(error)) from error
        try:
            return Response(ModelVersionSerializer(model_promote(found)).data)
        except PromotionError as error:
            raise PromotionRefused(str(error)) from error


class ModelRollbackApi(Api):
    """One step back."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="models_rollback",
        tags=["models"],
        summary="Serve the version that was active before",
        request=None,
        responses={
            200: ModelVersionSerializer,
            409: OpenApiResponse(description="There is none to go back to."),
        },
    )
    def post(self, request: Request) -> Response:
        """The version that is left does not come back with the next rollback."""
        try:
            return Response(ModelVersionSerializer(model_rollback()).data)
        except PromotionError as error:
            raise PromotionRefused(str(error)) from error


class ModelReloadApi(Api):
    """Reading the files once more."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="models_reload",
        tags=["models"],
        summary="Read the active version's files again",
        request=None,
        responses=ReloadSerializer,
    )
    def post(self, request: Request) -> Response:
        """For files that were repaired in place, in the process that answers this request.

        Promotions need no reload: every process notices them by itself.
        """
        snapshot = reload_snapshot()
        body = {
            "version": snapshot.version if snapshot else "",
            "sources": list(snapshot.source_names) if snapshot else [],
        }
        return Response(ReloadSerializer(body).data)
