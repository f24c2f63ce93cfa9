"""``/api/v1/me/ratings``: what the caller said. Nobody can name another user."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.errors import Conflict
from accounts.api.pages import PAGE_PARAMETERS, page_of, paged
from accounts.permissions import IsPerson
from accounts.requests import person_for_feedback, person_id_of
from catalog.models import Movie
from feedback import services
from feedback.events import EventConflictError, EventContext
from feedback.models import Rating
from feedback.serializers import RatingSerializer, RatingWriteSerializer


class RatingListApi(Api):
    """The caller's ratings."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="ratings_list",
        tags=["feedback"],
        summary="My ratings, newest first",
        parameters=PAGE_PARAMETERS,
        responses=page_of(RatingSerializer, "RatingPage"),
    )
    def get(self, request: Request) -> Response:
        """A cursor page: rows are neither skipped nor repeated when others are added meanwhile."""
        rows = Rating.objects.filter(
            user_id=person_id_of(request), movie__is_hidden=False
        ).select_related("movie")
        return paged(rows, request, view=self, serializer=RatingSerializer)


class RatingApi(Api):
    """The caller's rating of one film."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="ratings_retrieve",
        tags=["feedback"],
        summary="My rating of a film",
        responses={200: RatingSerializer, 404: OpenApiResponse(description="Not rated.")},
    )
    def get(self, request: Request, movie_id: int) -> Response:
        """404 where the caller has not rated the film."""
        return Response(RatingSerializer(_own_rating(request, movie_id)).data)

    @extend_schema(
        operation_id="ratings_set",
        tags=["feedback"],
        summary="Rate a film",
        request=RatingWriteSerializer,
        responses={200: RatingSerializer, 409: OpenApiResponse(description="event_id reused.")},
    )
    def put(self, request: Request, movie_id: int) -> Response:
        """Sets the stars, in place of any before. The next list already knows."""
        body = RatingWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        movie = get_object_or_404(Movie.objects.visible(), pk=movie_id)
        try:
            services.rating_set(
                user=person_for_feedback(request),
                movie=movie,
                stars=body.validated_data["stars"],
                event=body.event(),
            )
        except services.FeedbackError as error:
            raise exceptions.ValidationError({"stars": [str(error)]}) from error
        except EventConflictError as error:
            raise Conflict from error
        return Response(RatingSerializer(_own_rating(request, movie_id)).data)

    @extend_schema(
        operation_id="ratings_clear",
        tags=["feedback"],
        summary="Take a rating back",
        responses={204: None},
    )
    def delete(self, request: Request, movie_id: int) -> Response:
        """Also where there was none: the outcome is the same."""
        movie = get_object_or_404(Movie.objects.visible(), pk=movie_id)
        services.rating_clear(
            user=person_for_feedback(request), movie=movie, event=EventContext(surface="api")
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


def _own_rating(request: Request, movie_id: int) -> Rating:
    return get_object_or_404(
        Rating.objects.select_related("movie"), user_id=person_id_of(request), movie_id=movie_id
    )
