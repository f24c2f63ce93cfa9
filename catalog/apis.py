"""``/api/v1/``: health, genres, films. Open to everybody: they say nothing about people."""

from __future__ import annotations

from typing import Any

from django.db.models import BigIntegerField, CharField, F, Value
from django.db.models.functions import Cast, Coalesce, Concat, LPad
from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.pages import PAGE_PARAMETERS, page_of, paged
from catalog.filters import FilmFilters, Sort
from catalog.models import Movie
from catalog.querysets import MovieQuerySet, order_key, popularity_key
from catalog.selectors import film_page, genres_all, movies_filtered
from catalog.serializers import (
    GenreSerializer,
    MovieDetailSerializer,
    MovieQuerySerializer,
    MovieSerializer,
)

_PK_DIGITS = 19  # of the largest
_MEAN_STEPS = 1_000_000  # of a star: finer than anybody's order


class HealthSerializer(serializers.Serializer[dict[str, Any]]):
    """That the service answers and has something to say."""

    status = serializers.CharField(help_text='"ok".')
    films = serializers.BooleanField(help_text="Whether the catalogue holds any film.")


class HealthApi(Api):
    """Whether the API answers; ``/livez`` and ``/readyz`` are for machines that restart others."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="health", tags=["catalogue"], summary="Health", responses=HealthSerializer
    )
    def get(self, request: Request) -> Response:
        """One cheap query: the database answers, and whether there are films."""
        return Response({"status": "ok", "films": Movie.objects.visible().exists()})


class GenreListApi(Api):
    """Genres."""

    is_public = True
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


class MovieListApi(Api):
    """Films."""

    is_public = True
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="movies_list",
        tags=["catalogue"],
        summary="Films: browse and search",
        parameters=[
            MovieQuerySerializer,
            *PAGE_PARAMETERS,
        ],
        responses=page_of(MovieSerializer, "MoviePage"),
    )
    def get(self, request: Request) -> Response:
        """A cursor page: films are neither skipped nor repeated when others are added meanwhile."""
        filters = MovieQuerySerializer.filters(request)
        films = _keyed(movies_filtered(filters).for_cards(), filters)
        return paged(
            films, request, view=self, serializer=MovieSerializer, ordering=_ordering(filters)
        )


class MovieApi(Api):
    """One film."""

    is_public = True
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


def _ordering(filters: FilmFilters) -> tuple[str, ...]:
    if filters.is_relevance:
        return ("-relevance", "-pk")
    return ("key",) if filters.order in {Sort.OLDEST, Sort.TITLE} else ("-key",)


def _keyed(films: MovieQuerySet, filters: FilmFilters) -> MovieQuerySet:
    """With a ``key`` that no two films share, where thousands would tie (a cursor keeps a place by
    its first column alone), in the page's order."""
    if filters.is_relevance:
        return films
    if filters.order == Sort.TITLE:
        number = LPad(Cast("pk", CharField()), _PK_DIGITS, Value("0"))
        return films.annotate(key=Concat("title_normalized", Value(" "), number))
    if filters.order == Sort.POPULAR:
        return films.annotate(key=popularity_key())
    # Films without a year come last both ways.
    value: Any = {
        Sort.NEWEST: Coalesce("year", Value(0)),
        Sort.OLDEST: Coalesce("year", Value(9999)),
        Sort.BEST: Cast(F("bayes_mean") * Value(_MEAN_STEPS), BigIntegerField()),
    }[filters.order]
    sign = 1 if filters.order in {Sort.OLDEST, Sort.BEST} else -1
    return films.annotate(key=order_key(value, sign=sign))
