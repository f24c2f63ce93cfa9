"""``/api/v1/``: health, genres, films. Open to everybody: they say nothing about people."""

from __future__ import annotations

from typing import Any

from django.db.models import BigIntegerField, ExpressionWrapper, F, Value
from django.db.models.functions import Cast, Coalesce
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from catalog.filters import FilmFilters, Sort
from catalog.models import Movie
from catalog.querysets import MovieQuerySet
from catalog.selectors import film_page, genres_all, movies_filtered
from catalog.serializers import (
    GenreSerializer,
    MovieDetailSerializer,
    MovieQuerySerializer,
    MovieSerializer,
)

_KEY_SPAN = 1 << 32


class HealthSerializer(serializers.Serializer[dict[str, Any]]):
    """That the service answers and has something to say."""

    status = serializers.CharField(help_text='"ok".')
    films = serializers.BooleanField(help_text="Whether the catalogue holds any film.")


class HealthApi(APIView):
    """Whether the API answers; ``/livez`` and ``/readyz`` are for machines that restart others."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="health", tags=["catalogue"], summary="Health", responses=HealthSerializer
    )
    def get(self, request: Request) -> Response:
        """One cheap query: the database answers, and whether there are films."""
        return Response({"status": "ok", "films": Movie.objects.visible().exists()})


class GenreListApi(APIView):
    """Genres."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="genres_list",
        tags=["catalogue"],
        summary="All genres",
        responses=GenreSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """All at once: they are about twenty."""
        return Response(GenreSerializer(genres_all(), many=True).data)


class MovieListApi(APIView):
    """Films."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="movies_list",
        tags=["catalogue"],
        summary="Films: browse and search",
        parameters=[
            MovieQuerySerializer,
            OpenApiParameter("cursor", str, description="From next or previous."),
            OpenApiParameter("page_size", int, description="1 to 100; 20 if not given."),
        ],
        responses={
            200: MovieSerializer(many=True),
            400: OpenApiResponse(description="A parameter is wrong."),
        },
    )
    def get(self, request: Request) -> Response:
        """A cursor page: films are neither skipped nor repeated when others are added meanwhile."""
        filters = MovieQuerySerializer.filters(request.query_params)
        films = _keyed(movies_filtered(filters).for_cards(), filters)
        paginator = _paginator(filters)
        page = paginator.paginate_queryset(films, request, view=self)
        return paginator.get_paginated_response(MovieSerializer(page, many=True).data)


class MovieApi(APIView):
    """One film."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="movies_retrieve",
        tags=["catalogue"],
        summary="A film",
        responses={
            200: MovieDetailSerializer,
            404: OpenApiResponse(description="No such film, or a hidden one."),
        },
    )
    def get(self, request: Request, movie_id: int) -> Response:
        """With keywords, credits and the film's ids elsewhere."""
        page = film_page(movie_id)
        if page is None:
            raise Http404
        return Response(MovieDetailSerializer(page.movie).data)


def _paginator(filters: FilmFilters) -> CursorPagination:
    kind: Any = api_settings.DEFAULT_PAGINATION_CLASS
    paginator = kind()
    paginator.ordering = _ordering(filters)
    # Titles and means may tie; a cut-off offset would send a client round in circles.
    paginator.offset_cutoff = None
    return paginator


def _ordering(filters: FilmFilters) -> tuple[str, ...]:
    if filters.is_relevance:
        return ("-relevance", "-pk")
    return {
        Sort.POPULAR: ("-key", "pk"),
        Sort.NEWEST: ("-key", "pk"),
        Sort.OLDEST: ("key", "pk"),
        Sort.TITLE: ("title_normalized", "pk"),
        Sort.BEST: ("-bayes_mean", "-pk"),
    }[filters.order]


def _keyed(films: MovieQuerySet, filters: FilmFilters) -> MovieQuerySet:
    """With a ``key`` that no two films share, where thousands would tie (a cursor keeps a place by
    its first column alone), in the page's order."""
    if filters.is_relevance or filters.order in {Sort.TITLE, Sort.BEST}:
        return films
    column = "rating_count" if filters.order == Sort.POPULAR else "year"
    # Films without a year come last both ways.
    missing = 9999 if filters.order == Sort.OLDEST else 0
    sign = 1 if filters.order == Sort.OLDEST else -1
    value = Cast(Coalesce(column, Value(missing)), BigIntegerField())
    # Wrapped, or Django takes the sum for a 32-bit number and drops comparisons beyond it.
    key = ExpressionWrapper(
        value * Value(_KEY_SPAN) + Value(sign) * F("pk"), output_field=BigIntegerField()
    )
    return films.annotate(key=key)
