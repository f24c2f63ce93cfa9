"""``/api/v1/jobs``: what runs by the clock, for staff."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from recommendations.models import ScheduledRun


class JobSerializer(serializers.ModelSerializer[ScheduledRun]):
    """A job, and how its latest run went."""

    outcome = serializers.DictField(
        read_only=True, help_text="What the run said of itself; error where it failed."
    )

    class Meta:
        model = ScheduledRun
        fields = ["name", "started_at", "finished_at", "outcome"]
        read_only_fields = fields


class JobListSerializer(serializers.Serializer):
    """All jobs that ever ran, by name."""

    results = JobSerializer(many=True)


class JobListApi(Api):
    """Scheduled jobs."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="jobs_list",
        tags=["staff"],
        summary="Scheduled jobs and how their latest run went",
        responses=JobListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Trainings are under ``models/trainings``."""
        rows = ScheduledRun.objects.order_by("name")
        return Response({"results": JobSerializer(rows, many=True).data})
