"""``/api/v1/me/watchlist``, ``history`` and ``diary``."""

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
from feedback import journal, services
from feedback.events import EventConflictError, EventContext
from feedback.film_lists import diary_of, history_of, watchlist_of
from feedback.models import DiaryEntry
from feedback.serializers import (
    DiaryBody,
    DiarySerializer,
    EventBody,
    HistorySerializer,
    WatchlistSerializer,
)


class WatchlistApi(Api):
    """What the caller means to watch."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="watchlist_list",
        tags=["feedback"],
        summary="My watchlist, newest first",
        parameters=PAGE_PARAMETERS,
        responses=page_of(WatchlistSerializer, "WatchlistPage"),
    )
    def get(self, request: Request) -> Response:
        """A film stays on it until it is taken off, watched or not."""
        rows = watchlist_of(person_id_of(request))
        return paged(rows, request, view=self, serializer=WatchlistSerializer)


class WatchlistFilmApi(Api):
    """One film of the watchlist."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="watchlist_add",
        tags=["feedback"],
        summary="Put a film on my watchlist",
        request=EventBody,
        responses={204: None},
    )
    def put(self, request: Request, movie_id: int) -> Response:
        """Also where it is on it already."""
        body = EventBody(data=request.data)
        body.is_valid(raise_exception=True)
        return _set(request, movie_id, is_on=True, event=body.event())

    @extend_schema(
        operation_id="watchlist_remove",
        tags=["feedback"],
        summary="Take a film off my watchlist",
        responses={204: None},
    )
    def delete(self, request: Request, movie_id: int) -> Response:
        """Also where it was not on it."""
        return _set(request, movie_id, is_on=False, event=EventContext(surface="api"))


def _set(request: Request, movie_id: int, *, is_on: bool, event: EventContext) -> Response:
    movie = get_object_or_404(Movie.objects.visible(), pk=movie_id)
    person = person_for_feedback(request)
    try:
        services.watchlist_set(user=person, movie=movie, is_on=is_on, event=event)
    except EventConflictError as error:
        raise Conflict from error
    return Response(status=status.HTTP_204_NO_CONTENT)


class HistoryApi(Api):
    """Everything that the caller did."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="history_list",
        tags=["feedback"],
        summary="All that I did with films, newest first",
        parameters=PAGE_PARAMETERS,
        responses=page_of(HistorySerializer, "HistoryPage"),
    )
    def get(self, request: Request) -> Response:
        """The log itself: what was taken back is followed by its taking back."""
        rows = history_of(person_id_of(request))
        return paged(rows, request, view=self, serializer=HistorySerializer)


class DiaryListApi(Api):
    """The caller's viewings."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="diary_list",
        tags=["diary and lists"],
        summary="My diary, the latest written first",
        parameters=PAGE_PARAMETERS,
        responses=page_of(DiarySerializer, "DiaryPage"),
    )
    def get(self, request: Request) -> Response:
        """In the order of writing: of all orders the one that a cursor can keep."""
        rows = diary_of(person_id_of(request))
        return paged(rows, request, view=self, serializer=DiarySerializer)

    @extend_schema(
        operation_id="diary_add",
        tags=["diary and lists"],
        summary="Write a viewing down",
        request=DiaryBody,
        responses={201: DiarySerializer, 404: OpenApiResponse(description="No such film.")},
    )
    def post(self, request: Request) -> Response:
        """The same film on the same day again changes that entry. A film of the diary is seen."""
        body = DiaryBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        movies = Movie.objects.visible().for_cards()
        movie = get_object_or_404(movies, pk=said.pop("movie_id"))
        try:
            entry = journal.diary_add(user=person_for_feedback(request), movie=movie, **said)
        except services.FeedbackError as error:
            raise exceptions.ValidationError({"watched_on": [str(error)]}) from error
        entry.movie = movie  # with its genres
        return Response(DiarySerializer(entry).data, status=status.HTTP_201_CREATED)


class DiaryApi(Api):
    """One viewing."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="diary_remove",
        tags=["diary and lists"],
        summary="Take a viewing out of my diary",
        responses={204: None},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """That the film was seen stays said: that is another question."""
        entry = get_object_or_404(DiaryEntry, pk=pk, user_id=person_id_of(request))
        journal.diary_remove(entry=entry)
        return Response(status=status.HTTP_204_NO_CONTENT)
