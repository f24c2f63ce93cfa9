"""``/api/v1/search``: the search of the page, for programs. Open to all, as the page is."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.inputs import Query
from catalog.hybrid import search
from catalog.intent import Chip
from catalog.reading import MAX_TEXT
from catalog.search_request import MAX_CHIPS, SearchRequest
from catalog.search_serializers import SearchAnswerSerializer, search_body


class SearchQuery(Query):
    """What may be asked for."""

    q = serializers.CharField(
        max_length=MAX_TEXT, default="", allow_blank=True, help_text="What a person might type."
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=100, default=20, help_text="How many films."
    )
    chip = serializers.ListField(
        child=serializers.CharField(max_length=120),
        max_length=MAX_CHIPS,
        required=False,
        help_text="Conditions, such as genre:Comedy or not-genre:Horror; with any, q is taken as "
        "it is and not read for more.",
    )
    understood = serializers.BooleanField(default=False, help_text="true: q is taken as it is.")

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
        parameters=[SearchQuery],
        responses=SearchAnswerSerializer,
    )
    def get(self, request: Request) -> Response:
        """What was understood, and the films, best first."""
        query = SearchQuery.of(request)
        asked = SearchRequest.from_query(request.query_params)
        chips = asked.chips
        if chips is None and query["understood"]:
            chips = ()
        answer = search(asked.text, chips=chips)
        return Response(search_body(asked.text, answer, limit=query["limit"]))
