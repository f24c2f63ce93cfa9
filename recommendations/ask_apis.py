"""``/api/v1/recommend`` and ``/api/v1/sources``: a list for what is asked in so many words."""

from __future__ import annotations

import uuid
from dataclasses import asdict

from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.inputs import Body
from accounts.api.taste import SomeDialsSerializer
from accounts.models import ApiToken
from accounts.requests import person_of
from catalog.filters import MAX_RUNTIME_MIN, MAX_YEAR, MIN_YEAR, FilmFilters
from catalog.reading import MAX_TEXT
from catalog.search_apis import SearchQuery
from catalog.search_request import MAX_CHIPS
from recommendations.asking import AUTO, BASELINE, CF, Question, answered
from recommendations.pipeline import UnknownSourceError
from recommendations.selectors import MAX_FILMS, SOURCE_LABELS, source_names
from recommendations.serializers import RecommendationListSerializer, recommendation_list
from recommendations.services.slates import slate_log
from recommendations.snapshot import current_snapshot
from recommendations.swipe_serializers import MOODS, DealtChipSerializer
from recommendations.wishes import Wish


class FiltersSerializer(Body):
    """What a film must be to be on the list."""

    genres = serializers.ListField(
        child=serializers.SlugField(max_length=40),
        required=False,
        max_length=8,
        help_text="Genre slugs; a film must have all of them.",
    )
    year_from = serializers.IntegerField(required=False, min_value=MIN_YEAR, max_value=MAX_YEAR)
    year_to = serializers.IntegerField(required=False, min_value=MIN_YEAR, max_value=MAX_YEAR)
    runtime_from = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_RUNTIME_MIN, help_text="Minutes."
    )
    runtime_to = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_RUNTIME_MIN, help_text="Minutes."
    )
    language = serializers.CharField(required=False, max_length=8, help_text="ISO 639-1.")
    min_ratings = serializers.IntegerField(required=False, min_value=1, max_value=10**9)
    min_rating = serializers.FloatField(
        required=False, min_value=0.5, max_value=5, help_text="Mean of everybody's stars."
    )

    def validate(self, attrs: dict) -> dict:
        """Ranges in order."""
        for kind in ("year", "runtime"):
            first, last = attrs.get(f"{kind}_from"), attrs.get(f"{kind}_to")
            if first and last and first > last:
                said = f"Must not lie before {kind}_from."
                raise serializers.ValidationError({f"{kind}_to": [said]})
        return attrs


class AskBody(Body):
    """All of it may be left out: then it is the caller's own list."""

    n = serializers.IntegerField(min_value=1, max_value=MAX_FILMS, default=20)
    recommender = serializers.CharField(
        max_length=24,
        default=AUTO,
        help_text=f"{AUTO}: the best for what is asked. {BASELINE}: mood or sentence alone, "
        f"without the caller's history. {CF}: what people with the same films liked. "
        "Or any name of sources.",
    )
    mood = serializers.ChoiceField(choices=MOODS, required=False)
    text = serializers.CharField(
        max_length=MAX_TEXT,
        required=False,
        allow_blank=True,
        help_text="A wish in words. With text, mood is not looked at.",
    )
    chips = serializers.ListField(
        child=serializers.CharField(max_length=120),
        max_length=MAX_CHIPS,
        required=False,
        help_text="Conditions as in the search; with any, text is taken as it is.",
    )
    filters = FiltersSerializer(required=False)
    dials = SomeDialsSerializer(
        required=False, help_text="For this list alone, in place of my own."
    )

    def validate_chips(self, value: list[str]) -> list[str]:
        """Every one must be readable."""
        return SearchQuery().validate_chip(value)


class AnsweredSerializer(RecommendationListSerializer):
    """The list, and what was understood of the sentence."""

    text = serializers.CharField(allow_blank=True, help_text="What no condition took.")
    chips = DealtChipSerializer(many=True)


class SourceSerializer(serializers.Serializer):
    """A source of candidates."""

    name = serializers.CharField()
    # A declared field is no attribute: the metaclass takes it off the class.
    label = serializers.CharField()  # type: ignore[assignment]


class SourceListSerializer(serializers.Serializer):
    """Those that have a model now."""

    results = SourceSerializer(many=True)


class AskApi(Api):
    """A list on request. Open to all: who is nobody yet gets what people here watch."""

    permission_classes = [AllowAny]
    scopes = {"POST": ApiToken.Scope.READ}

    @extend_schema(
        operation_id="recommend",
        tags=["recommendations"],
        summary="Films for a mood, a sentence, filters, dials and a recommender of choice",
        request=AskBody,
        responses=AnsweredSerializer,
    )
    def post(self, request: Request) -> Response:
        """Nothing of the caller's changes. Fewer than ``n`` films only where no more are left."""
        body = AskBody(data=request.data)
        body.is_valid(raise_exception=True)
        person, question = person_of(request), _question(body.validated_data)
        try:
            deal = answered(person, question)
        except UnknownSourceError as error:
            raise exceptions.ValidationError({"recommender": [str(error)]}) from error
        request_id = uuid.uuid4()
        slate_log(deal.ranked, user=person, surface="api", request_id=request_id)
        chips = [asdict(chip) for chip in deal.chips]
        answer = recommendation_list(deal.ranked, request_id=str(request_id))
        return Response({**answer, "text": deal.text, "chips": chips})


class SourceListApi(Api):
    """The sources."""

    is_public = True
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="sources_list",
        tags=["recommendations"],
        summary="The sources that can be asked for by name",
        responses=SourceListSerializer,
    )
    def get(self, request: Request) -> Response:
        """Those that have a model now; before any was trained, the policy alone."""
        names = source_names(current_snapshot())
        rows = [{"name": name, "label": str(SOURCE_LABELS.get(name, name))} for name in names]
        return Response({"results": rows})


def _question(data: dict) -> Question:
    query = QueryDict(mutable=True)
    if data.get("text"):
        query["q"] = data["text"]
    elif data.get("mood"):
        query["mood"] = data["mood"]
    query.setlist("chip", data.get("chips", []))
    filters = dict(data.get("filters", {}))
    min_rating = filters.pop("min_rating", None)
    genres = tuple(dict.fromkeys(filters.pop("genres", ())))
    return Question(
        n=data["n"],
        recommender=data["recommender"],
        wish=Wish.from_query(query),
        filters=FilmFilters(genres=genres, **filters),
        min_rating=min_rating,
        dials=data.get("dials", {}),
    )
