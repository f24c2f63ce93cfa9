"""``/api/v1/me/tokens``: personal API tokens."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.inputs import Body
from accounts.models import ApiToken
from accounts.reauthentication import require_proven
from accounts.requests import signed_in
from accounts.tokens import MAX_DAYS, MIN_DAYS, TokenError, token_create, token_revoke


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    """A token, without what makes it work."""

    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=ApiToken.Scope.choices), read_only=True
    )

    class Meta:
        model = ApiToken
        fields = ["id", "name", "start", "scopes", "created_at", "expires_at", "last_used_at"]
        read_only_fields = fields


class TokenListSerializer(serializers.Serializer):
    """All of them, the newest first: there are 50 at most."""

    results = TokenSerializer(many=True)


class NewTokenBody(Body):
    """What the token is for, and what it may do."""

    name = serializers.CharField(max_length=60, help_text="So that you know it again.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=ApiToken.Scope.choices),
        min_length=1,
        max_length=len(ApiToken.Scope),
        help_text="read: GET; write: everything else; staff: whatever is for staff, besides.",
    )
    days = serializers.IntegerField(
        min_value=MIN_DAYS, max_value=MAX_DAYS, default=90, help_text="How long it lasts."
    )


class NewTokenSerializer(TokenSerializer):
    """The token just made; ``token`` is shown this once."""

    token = serializers.CharField(
        allow_null=True,
        help_text="Send it as Authorization: Bearer. Null where an Idempotency-Key is repeated.",
    )

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "token"]
        read_only_fields = fields


class TokenListApi(Api):
    """The caller's tokens."""

    permission_classes = [IsAuthenticated]
    needs_login = True
    secret_fields = ("token",)

    @extend_schema(
        operation_id="tokens_list",
        tags=["identity"],
        summary="My API tokens",
        responses=TokenListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Without the secrets: nobody can read those again."""
        rows = ApiToken.objects.filter(user=signed_in(request.user)).order_by("-created_at", "-pk")
        return Response({"results": TokenSerializer(rows, many=True).data})

    @extend_schema(
        operation_id="tokens_create",
        tags=["identity"],
        summary="Make an API token",
        request=NewTokenBody,
        responses={201: NewTokenSerializer},
    )
    def post(self, request: Request) -> Response:
        """The answer shows the token once; the server keeps a digest. There is room for 50.

        Only right after the password or second factor was given once more:
        403 `reauthentication_required` otherwise.
        """
        require_proven(request)
        body = NewTokenBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            made = token_create(user=signed_in(request.user), **body.validated_data)
        except TokenError as error:
            raise exceptions.ValidationError({"non_field_errors": [str(error)]}) from error
        shown = {**TokenSerializer(made.token).data, "token": made.secret}
        return Response(shown, status=status.HTTP_201_CREATED)


class TokenApi(Api):
    """One of the caller's tokens."""

    permission_classes = [IsAuthenticated]
    needs_login = True

    @extend_schema(
        operation_id="tokens_revoke",
        tags=["identity"],
        summary="Revoke an API token",
        responses={204: None},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """From then on it opens nothing. Another person's token is 404."""
        token_revoke(token=get_object_or_404(ApiToken, pk=pk, user=signed_in(request.user)))
        return Response(status=status.HTTP_204_NO_CONTENT)
