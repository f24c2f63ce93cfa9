"""``/api/v1/search``: the search of the page, for programs. Open to all, as the page is."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from catalog.hybrid import MAX_TEXT, search
from catalog.intent import Chip
from catalog.search_request import MAX_CHIPS, SearchRequest
from catalog.search_serializers import SearchAnswerSerializer, search_body


class SearchQuery(serializers.Serializer):
    """What may be asked for."""

    q = serializers.CharField(max_length=MAX_TEXT, default="", allow_blank=True)
    limit = serializers.IntegerField(min_value=1, max_value=100, default=20)
    chip = serializers.ListField(
        child=serializers.CharField(max_length=120), max_length=MAX_CHIPS, required=False
    )

    def validate_chip(self, value: list[str]) -> list[str]:
        """Every one must be readable: a condition silently dropped would look like one met."""
        for text in value:
            if Chip.decoded(text) is None:
                raise serializers.ValidationError(f"{text!r} is no condition.")
        return value


class SearchApi(Api):
    """Search by title, fact and meaning."""

    is_public = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="search",
        tags=["films"],
        summary="Films for a title, or for a wish in words",
        parameters=[
            OpenApiParameter("q", str, description="What a person might type."),
            OpenApiParameter(
                "limit", int, description="How many films, 1 to 100; 20 if not given."
            ),
            OpenApiParameter(
                "chip",
                str,
                many=True,
                description="Conditions, such as genre:Comedy or not-genre:Horror; with any, q is "
                "taken as it is and not read for more.",
            ),
            OpenApiParameter("understood", bool, description="1: q is taken as it is."),
        ],
        responses=SearchAnswerSerializer,
    )
    def get(self, request: Request) -> Response:
        """What was understood, and the films, best first."""
        data = {
            name: request.query_params[name]
            for name in ("q", "limit")
            if name in request.query_params
        }
        chips = request.query_params.getlist("chip")
        query = SearchQuery(data={**data, "chip": chips} if chips else data)
        query.is_valid(raise_exception=True)
        asked = SearchRequest.from_query(request.query_params)
        answer = search(asked.text, chips=asked.chips)
        body = search_body(asked.text, answer, limit=query.validated_data["limit"])
        return Response(SearchAnswerSerializer(body).data)
