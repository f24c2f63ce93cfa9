"""``/api/v1/me/deletion``: giving my account up, and keeping it after all."""

from __future__ import annotations

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.deletion import deletion_cancel, deletion_of, deletion_request
from accounts.models import DeletionRequest
from accounts.reauthentication import require_proven
from accounts.requests import session_of, signed_in


class DeletionSerializer(serializers.Serializer):
    """Whether the account is to go, and when."""

    requested_at = serializers.DateTimeField(
        allow_null=True, help_text="Null where nobody asked for it."
    )
    due_at = serializers.DateTimeField(
        allow_null=True, help_text="From then on it can no longer be stopped."
    )
    grace_days = serializers.IntegerField(help_text="How long one can think better of it.")


def _shown(asked: DeletionRequest | None) -> dict[str, object]:
    return DeletionSerializer(
        {
            "requested_at": asked and asked.requested_at,
            "due_at": asked and asked.due_at,
            "grace_days": settings.DELETION_GRACE_DAYS,
        }
    ).data


class DeletionApi(Api):
    """The end of the caller's account."""

    permission_classes = [IsAuthenticated]
    needs_login = True

    @extend_schema(
        operation_id="deletion_retrieve",
        tags=["my data"],
        summary="Whether my account is to be deleted",
        responses=DeletionSerializer,
    )
    def get(self, request: Request) -> Response:
        """With the day from which on it goes."""
        return Response(_shown(deletion_of(signed_in(request.user))))

    @extend_schema(
        operation_id="deletion_request",
        tags=["my data"],
        summary="Have my account and all my data deleted",
        request=None,
        responses=DeletionSerializer,
    )
    def put(self, request: Request) -> Response:
        """After the grace period. Every other session ends at once; asked again, the day stays.

        Only right after the password or second factor was given once more:
        403 `reauthentication_required` otherwise.
        """
        require_proven(request)
        key = session_of(request).session_key
        asked = deletion_request(signed_in(request.user), session_key=key)
        return Response(_shown(asked))

    @extend_schema(
        operation_id="deletion_cancel",
        tags=["my data"],
        summary="Keep my account",
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """Also where it was not to go."""
        deletion_cancel(signed_in(request.user))
        return Response(status=status.HTTP_204_NO_CONTENT)
