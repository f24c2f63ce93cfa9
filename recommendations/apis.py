"""``/api/v1/me/recommendations``: the caller's list. Nobody can ask for another user's."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendations.pipeline import DEFAULT_SOURCE, UnknownSourceError
from recommendations.selectors import MAX_FILMS, recommendations_for
from recommendations.serializers import RecommendationListSerializer, recommendation_list
from recommendations.services.slates import slate_log


class RecommendationQuery(serializers.Serializer):
    """What may be asked for."""

    n = serializers.IntegerField(min_value=1, max_value=MAX_FILMS, default=20)
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=24, default=DEFAULT_SOURCE
    )


class RecommendationsApi(APIView):
    """The caller's recommendations."""

    @extend_schema(
        operation_id="recommendations_for_me",
        tags=["recommendations"],
        summary="Films for me, each with its reason",
        parameters=[
            OpenApiParameter("n", int, description="How many films, 1 to 100; 20 if not given."),
            OpenApiParameter("source", str, description="hybrid, or one of its sources."),
        ],
        responses=RecommendationListSerializer,
    )
    def get(self, request: Request) -> Response:
        """The list knows the caller's feedback up to this very second."""
        query = RecommendationQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        try:
            ranked = recommendations_for(request.user, **query.validated_data)
        except UnknownSourceError as error:
            raise exceptions.ValidationError({"source": [str(error)]}) from error
        request_id = uuid.uuid4()
        slate_log(ranked, user=request.user, surface="api", request_id=request_id)
        body = recommendation_list(ranked, request_id=str(request_id))
        return Response(RecommendationListSerializer(body).data)
