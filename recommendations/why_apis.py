"""``/api/v1/me/recommendations/ID/why/``: the reason in full."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.inputs import IdField, Query
from accounts.permissions import IsPerson
from accounts.requests import person_of, signed_in
from catalog.models import Movie
from recommendations.pipeline import DEFAULT_SOURCE, UnknownSourceError
from recommendations.why import Why, WhyRow, Without, why_film


class WhyQuery(Query):
    """What may be asked for."""

    source = serializers.CharField(  # type: ignore[assignment]
        max_length=24, default=DEFAULT_SOURCE, help_text="hybrid, or one of its sources."
    )
    without = IdField(
        required=False,
        help_text="Also the list without this film of my history.",
    )


class WhyPartSerializer(serializers.Serializer):
    """A part of the score. ``movie_id`` is null for what is no single film of the history."""

    movie_id = serializers.IntegerField(allow_null=True)
    title = serializers.CharField(allow_blank=True)
    stars = serializers.FloatField(allow_null=True)
    contribution = serializers.FloatField()
    percentage = serializers.IntegerField(
        allow_null=True, help_text="Of all that speaks for the film; null speaks against it."
    )
    is_sole_cause = serializers.BooleanField(
        help_text="Recomputed: without it alone the film would not be in the first 20."
    )
    n_others = serializers.IntegerField(help_text="How many weaker films share this part.")


class WithoutSerializer(serializers.Serializer):
    """The first 20 had no list learned from the film."""

    movie_id = serializers.IntegerField()
    results = serializers.ListField(child=serializers.IntegerField())
    leaving = serializers.ListField(child=serializers.IntegerField())


class WhySerializer(serializers.Serializer):
    """Why a film is in the caller's list; contributions of the parts sum to the score."""

    movie_id = serializers.IntegerField()
    title = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    model_version = serializers.CharField(allow_blank=True)
    score = serializers.FloatField(allow_null=True)
    place = serializers.IntegerField(allow_null=True, help_text="1 to 20; null behind that.")
    parts = WhyPartSerializer(many=True)
    without = WithoutSerializer(allow_null=True)


class WhyApi(Api):
    """One film of the caller's list, explained."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="recommendations_why",
        tags=["recommendations"],
        summary="Why this film is in my list",
        parameters=[WhyQuery],
        responses={200: WhySerializer, 404: OpenApiResponse(description="No such film.")},
    )
    def get(self, request: Request, movie_id: int) -> Response:
        """Computed from the caller's feedback of this very second."""
        query = WhyQuery.of(request)
        movie = get_object_or_404(Movie.objects.visible(), pk=movie_id)
        try:
            found, preview = why_film(
                signed_in(person_of(request)),
                movie,
                source=query["source"],
                without_id=query.get("without"),
            )
        except UnknownSourceError as error:
            raise exceptions.ValidationError({"source": [str(error)]}) from error
        except Movie.DoesNotExist as error:
            raise exceptions.NotFound(str(error)) from error
        return Response(WhySerializer(_body(found, preview)).data)


def _body(why: Why, preview: Without | None) -> dict:
    without = None
    if preview is not None:
        without = {
            "movie_id": preview.cause.pk,
            "results": [movie.pk for movie in preview.films],
            "leaving": [movie.pk for movie in preview.leaving],
        }
    return {
        "movie_id": why.movie.pk,
        "title": why.movie.title,
        "source": why.source,
        "model_version": why.model_version,
        "score": why.score,
        "place": why.place,
        "parts": [_part(row) for row in why.rows],
        "without": without,
    }


def _part(row: WhyRow) -> dict:
    return {
        "movie_id": row.movie.pk if row.movie else None,
        "title": row.movie.title if row.movie else "",
        "stars": None if row.stars is None else float(row.stars),
        "contribution": row.contribution,
        "percentage": row.percentage,
        "is_sole_cause": row.is_sole_cause,
        "n_others": row.n_others,
    }
