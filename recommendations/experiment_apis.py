"""``/api/v1/experiments``: policies tried on people, for staff."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import exceptions, serializers, status
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.inputs import Body
from accounts.requests import signed_in
from recommendations.experiments.models import Experiment
from recommendations.experiments.verdicts import Verdict
from recommendations.experiments.words import answer_said, details_said
from recommendations.services.experiments import (
    MAX_TARGET,
    MAX_WINDOW_HOURS,
    MIN_TARGET,
    ExperimentError,
    Wanted,
    experiment_create,
    experiment_read,
    experiment_start,
    experiment_stop,
    newest_readings,
)

REFUSED = OpenApiResponse(description="refused: why, and what to do")


class ExperimentRefused(exceptions.APIException):
    """It cannot be done as things stand; nothing was changed."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "refused"


class ExperimentBody(Body):
    """A new experiment."""

    name = serializers.CharField(max_length=80)
    question = serializers.CharField(max_length=500, default="", allow_blank=True)
    kind = serializers.ChoiceField(choices=Experiment.Kind.choices)
    policy_a = serializers.CharField(max_length=24, help_text="A source by name.")
    policy_b = serializers.CharField(
        max_length=24, help_text="A source by name; policy_a's again for an A/A test."
    )
    share = serializers.FloatField(
        default=1.0, min_value=0, max_value=1, help_text="Of the people, how many take part."
    )
    epsilon = serializers.FloatField(
        default=0.0,
        min_value=0,
        max_value=1,
        help_text="Of the lists, how many have a shuffled tail; A/B only.",
    )
    window_hours = serializers.FloatField(
        default=None,
        allow_null=True,
        min_value=0,
        max_value=MAX_WINDOW_HOURS,
        help_text="How long an answer counts; by kind if not given.",
    )
    min_effect = serializers.FloatField(
        default=0.05, min_value=0, max_value=1, help_text="A difference that would matter."
    )
    n_target = serializers.IntegerField(
        default=1000,
        min_value=MIN_TARGET,
        max_value=MAX_TARGET,
        help_text="People or lists at which the interval is to be tightest.",
    )


class StopBody(Body):
    """Why."""

    reason = serializers.CharField(max_length=500, default="", allow_blank=True)


class VerdictSerializer(serializers.Serializer):
    """The newest reading: the answer in words and the figures behind it."""

    taken_at = serializers.DateTimeField()
    said = serializers.CharField()
    details = serializers.ListField(child=serializers.CharField())
    figures = serializers.DictField(help_text="See docs/experiments.md.")


class ExperimentSerializer(serializers.ModelSerializer[Experiment]):
    """An experiment, and what it says by now."""

    verdict = serializers.SerializerMethodField()

    class Meta:
        model = Experiment
        fields = [
            *("id", "name", "question", "kind", "status", "policy_a", "policy_b", "share"),
            *("epsilon", "window_hours", "min_effect", "n_target", "forecast", "stop_reason"),
            *("is_stopped_by_guard", "created_at", "started_at", "stopped_at", "verdict"),
        ]
        read_only_fields = fields

    @extend_schema_field(VerdictSerializer(allow_null=True))
    def get_verdict(self, experiment: Experiment) -> dict[str, Any] | None:
        """None before the first reading."""
        newest = self.context.get("newest_readings")
        if newest is None:
            newest = newest_readings([experiment])
        reading = newest.get(experiment.pk)
        if reading is None:
            return None
        verdict = Verdict.of_json(reading.figures)
        body = {
            "taken_at": reading.taken_at,
            "said": answer_said(experiment, verdict),
            "details": details_said(experiment, verdict),
            "figures": reading.figures,
        }
        return dict(VerdictSerializer(body).data)


class ExperimentListSerializer(serializers.Serializer):
    """All experiments, newest first: a handful, in one answer."""

    results = ExperimentSerializer(many=True)


class ExperimentListApi(Api):
    """Experiments, and making one."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="experiments_list",
        tags=["experiments"],
        summary="All experiments with what they say, newest first",
        responses=ExperimentListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Staff only."""
        found = list(Experiment.objects.order_by("-created_at", "-pk"))
        context = {"newest_readings": newest_readings(found)}
        return Response({"results": ExperimentSerializer(found, many=True, context=context).data})

    @extend_schema(
        operation_id="experiments_create",
        tags=["experiments"],
        summary="A draft; nobody sees anything of it before it is started",
        request=ExperimentBody,
        responses={201: ExperimentSerializer, 400: REFUSED},
    )
    def post(self, request: Request) -> Response:
        """Staff only."""
        body = ExperimentBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            made = experiment_create(Wanted(**body.validated_data), by=signed_in(request.user))
        except ExperimentError as error:
            raise exceptions.ValidationError({"non_field_errors": [str(error)]}) from error
        return Response(ExperimentSerializer(made).data, status=status.HTTP_201_CREATED)


class ExperimentApi(Api):
    """One experiment."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="experiments_read",
        tags=["experiments"],
        summary="One experiment with what it says",
        responses=ExperimentSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        """Staff only."""
        return Response(ExperimentSerializer(get_object_or_404(Experiment, pk=pk)).data)


class ExperimentStartApi(Api):
    """Starting one."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="experiments_start",
        tags=["experiments"],
        summary="Serve it from the next list on",
        request=None,
        responses={200: ExperimentSerializer, 409: REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Staff only; 409 where another one runs, or it ran already."""
        experiment = get_object_or_404(Experiment, pk=pk)
        try:
            experiment_start(experiment)
        except ExperimentError as error:
            raise ExperimentRefused(str(error)) from error
        return Response(ExperimentSerializer(experiment).data)


class ExperimentStopApi(Api):
    """Stopping one."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="experiments_stop",
        tags=["experiments"],
        summary="Show the usual lists again, and read what it says",
        request=StopBody,
        responses={200: ExperimentSerializer, 409: REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Staff only; 409 where it does not run."""
        experiment = get_object_or_404(Experiment, pk=pk)
        body = StopBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            experiment_stop(experiment, reason=body.validated_data["reason"])
        except ExperimentError as error:
            raise ExperimentRefused(str(error)) from error
        experiment_read(experiment)
        return Response(ExperimentSerializer(experiment).data)
