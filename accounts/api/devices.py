"""``/api/v1/me`` and ``/api/v1/me/devices``: who I am, and where I am logged in."""

from __future__ import annotations

from typing import Any

from allauth.usersessions.models import UserSession
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.inputs import Body
from accounts.devices import device_end, device_name, devices_of
from accounts.models import User
from accounts.requests import session_of, signed_in
from accounts.services import display_name_set


class MeSerializer(serializers.ModelSerializer[User]):
    """The caller."""

    email = serializers.EmailField(read_only=True)
    short_name = serializers.CharField(
        read_only=True, help_text="What pages call me: display_name, or the start of the address."
    )

    class Meta:
        model = User
        fields = ["email", "display_name", "short_name", "is_staff", "date_joined"]
        read_only_fields = ["email", "short_name", "is_staff", "date_joined"]


class MeBody(Body):
    """What may be changed."""

    display_name = serializers.CharField(max_length=60, allow_blank=True)


class DeviceSerializer(serializers.Serializer):
    """A session that is logged in."""

    id = serializers.IntegerField()
    address = serializers.CharField(help_text="The IP address that it was last used from.")
    name = serializers.CharField(help_text="Browser and system in words, to be shown to people.")
    user_agent = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    is_current = serializers.BooleanField(help_text="Whether it is the one that asks.")


class DeviceListSerializer(serializers.Serializer):
    """All of them, the latest used first."""

    results = DeviceSerializer(many=True)


class MeApi(Api):
    """The caller."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="me_retrieve", tags=["identity"], summary="Who I am", responses=MeSerializer
    )
    def get(self, request: Request) -> Response:
        """For accounts; a visitor has neither address nor name."""
        return Response(MeSerializer(signed_in(request.user)).data)

    @extend_schema(
        operation_id="me_update",
        tags=["identity"],
        summary="Change what pages call me",
        request=MeBody(partial=True),
        responses=MeSerializer,
    )
    def patch(self, request: Request) -> Response:
        """What is not sent stays. The address and the password are changed at
        ``/_allauth/app/v1/account/``."""
        body = MeBody(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        user = signed_in(request.user)
        if "display_name" in body.validated_data:
            display_name_set(user, body.validated_data["display_name"])
        return Response(MeSerializer(user).data)


class DeviceListApi(Api):
    """Where the caller is logged in."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="devices_list",
        tags=["identity"],
        summary="Where I am logged in",
        responses=DeviceListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Browsers and apps; programs with a token of mine are under ``me/tokens``."""
        here = session_of(request).session_key
        rows = [_device(session, here) for session in devices_of(signed_in(request.user))]
        return Response(DeviceListSerializer({"results": rows}).data)


class DeviceApi(Api):
    """One place where the caller is logged in."""

    permission_classes = [IsAuthenticated]
    needs_login = True

    @extend_schema(
        operation_id="devices_end",
        tags=["identity"],
        summary="Log a device out",
        responses={204: None},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Its cookie or token opens nothing from then on; this very session may be ended, too."""
        device_end(get_object_or_404(UserSession, pk=pk, user=signed_in(request.user)))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _device(session: UserSession, here: str | None) -> dict[str, Any]:
    return {
        "id": session.pk,
        "address": session.ip,
        "name": device_name(session.user_agent),
        "user_agent": session.user_agent,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "is_current": session.session_key == here,
    }
