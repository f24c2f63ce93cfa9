"""``/api/v1/me/exports``: everything of mine as one file."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.errors import Expired, UnderWay
from accounts.reauthentication import require_proven
from accounts.requests import signed_in
from feedback.exports.jobs import export_content, export_filename, export_request, exports_of
from feedback.exports.models import ExportJob

SHOWN_EXPORTS = 20


class ExportSerializer(serializers.ModelSerializer[ExportJob]):
    """An export, and how far it is."""

    class Meta:
        model = ExportJob
        fields = [
            *("id", "status", "message", "done", "total"),
            *("n_bytes", "sha256", "created_at", "finished_at", "expires_at"),
        ]
        read_only_fields = fields


class ExportListSerializer(serializers.Serializer):
    """The latest, newest first: 20 at most."""

    results = ExportSerializer(many=True)


class FileNegotiation(DefaultContentNegotiation):
    """The file is what it is, and errors are JSON, whatever ``Accept`` says."""

    def select_renderer(self, request, renderers, format_suffix=None):
        """The first."""
        return renderers[0], renderers[0].media_type


class ExportListApi(Api):
    """The caller's exports."""

    permission_classes = [IsAuthenticated]
    needs_login = True

    @extend_schema(
        operation_id="exports_list",
        tags=["my data"],
        summary="My exports and how far they are",
        responses=ExportListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Newest first. An export is deleted when it has expired."""
        rows = exports_of(signed_in(request.user))[:SHOWN_EXPORTS]
        return Response({"results": ExportSerializer(rows, many=True).data})

    @extend_schema(
        operation_id="exports_create",
        tags=["my data"],
        summary="Have everything of mine put into one file",
        request=None,
        responses={202: ExportSerializer},
    )
    def post(self, request: Request) -> Response:
        """A worker makes it: ask for its state until it is `done`. One under way is not doubled.

        Only right after the password or second factor was given once more:
        403 `reauthentication_required` otherwise.
        """
        require_proven(request)
        job = export_request(signed_in(request.user))
        headers = {"Location": reverse("api-export", args=[job.pk])}
        return Response(ExportSerializer(job).data, status.HTTP_202_ACCEPTED, headers=headers)


class ExportApi(Api):
    """One of the caller's exports."""

    permission_classes = [IsAuthenticated]
    needs_login = True

    @extend_schema(
        operation_id="exports_retrieve",
        tags=["my data"],
        summary="How far an export is",
        responses=ExportSerializer,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Another person's export is 404."""
        return Response(ExportSerializer(_own(request, pk)).data)


class ExportFileApi(Api):
    """The file of one of the caller's exports."""

    permission_classes = [IsAuthenticated]
    needs_login = True
    content_negotiation_class = FileNegotiation

    @extend_schema(
        operation_id="exports_download",
        tags=["my data"],
        summary="Download an export",
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            409: OpenApiResponse(description="`under_way`: it is not made yet."),
            410: OpenApiResponse(description="`expired`: it was deleted; ask for a new one."),
        },
    )
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        """A ZIP that another Marquee imports without loss.

        Only right after the password or second factor was given once more:
        403 `reauthentication_required` otherwise.
        """
        require_proven(request)
        job = _own(request, pk)
        content = export_content(job)
        if content is None:
            raise UnderWay if job.is_open else Expired
        response = HttpResponse(content, content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="{export_filename(job)}"'
        return response


def _own(request: Request, pk: UUID) -> ExportJob:
    return get_object_or_404(ExportJob, pk=pk, user=signed_in(request.user))
