"""``/api/v1/me/films``, ``reactions``, ``hidden``: verbs on films, and films put back."""

from __future__ import annotations

from dataclasses import asdict

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.errors import Conflict
from accounts.api.inputs import Query
from accounts.api.pages import PAGE_PARAMETERS, page_of, paged
from accounts.permissions import IsPerson
from accounts.requests import person_for_feedback, person_id_of, person_of
from catalog.models import Movie
from feedback import services
from feedback.events import EventConflictError, EventContext
from feedback.film_lists import hidden_of, reactions_of
from feedback.models import Reaction
from feedback.selectors import NOTHING, film_states
from feedback.serializers import EventBody, FilmStateSerializer, ReactionSerializer

_KIND = OpenApiParameter(
    "kind", str, OpenApiParameter.PATH, enum=list(Reaction.Kind.values), description="The verb."
)


class ReactionQuery(Query):
    """Which verbs are asked for."""

    kind = serializers.ChoiceField(choices=Reaction.Kind.choices, required=False)


class FilmStateApi(Api):
    """One film as the caller left it."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="film_state",
        tags=["feedback"],
        summary="What I did with a film",
        responses=FilmStateSerializer,
    )
    def get(self, request: Request, movie_id: int) -> Response:
        """Stars, verbs and watchlist at once: what the buttons of a film's page show."""
        return Response(_state(request, movie_id))


class ReactionListApi(Api):
    """The caller's verbs."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="reactions_list",
        tags=["feedback"],
        summary="My likes, dislikes and other verbs, newest first",
        parameters=[ReactionQuery, *PAGE_PARAMETERS],
        responses=page_of(ReactionSerializer, "ReactionPage"),
    )
    def get(self, request: Request) -> Response:
        """``kind`` narrows them to one; "not tonight" ends by itself."""
        rows = reactions_of(person_id_of(request)).filter(**ReactionQuery.of(request))
        return paged(rows, request, view=self, serializer=ReactionSerializer)


class ReactionApi(Api):
    """One verb on one film."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="reactions_set",
        tags=["feedback"],
        summary="Put a verb on a film",
        parameters=[_KIND],
        request=EventBody,
        responses=FilmStateSerializer,
    )
    def put(self, request: Request, movie_id: int, kind: str) -> Response:
        """Like and dislike replace each other. ``muted`` is "don't learn from it": what was said
        of the film stays, and no list goes by it."""
        return self._act(request, movie_id, kind, is_on=True)

    @extend_schema(
        operation_id="reactions_clear",
        tags=["feedback"],
        summary="Take a verb back",
        parameters=[_KIND],
        responses={204: None},
    )
    def delete(self, request: Request, movie_id: int, kind: str) -> Response:
        """Also where there was none: the outcome is the same."""
        self._act(request, movie_id, kind, is_on=False)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _act(self, request: Request, movie_id: int, kind: str, *, is_on: bool) -> Response:
        if kind not in Reaction.Kind.values:
            raise exceptions.NotFound(f"There is no such verb. {', '.join(Reaction.Kind.values)}")
        movie = get_object_or_404(Movie.objects.visible(), pk=movie_id)
        event = EventContext(surface="api")
        if is_on:
            body = EventBody(data=request.data)
            body.is_valid(raise_exception=True)
            event = body.event()
        act = services.reaction_set if is_on else services.reaction_clear
        person = person_for_feedback(request)
        try:
            act(user=person, movie=movie, kind=Reaction.Kind(kind), event=event)
        except EventConflictError as error:
            raise Conflict from error
        return Response(_state(request, movie_id))


class HiddenListApi(Api):
    """What the caller does not want to be shown."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="hidden_list",
        tags=["feedback"],
        summary="Films that I hid, newest first",
        parameters=PAGE_PARAMETERS,
        responses=page_of(ReactionSerializer, "HiddenPage"),
    )
    def get(self, request: Request) -> Response:
        """Never, not tonight, and not for me; ``kind`` says which."""
        rows = hidden_of(person_id_of(request))
        return paged(rows, request, view=self, serializer=ReactionSerializer)


class HiddenApi(Api):
    """One hidden film."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="hidden_put_back",
        tags=["feedback"],
        summary="Put a hidden film back",
        responses={204: None},
    )
    def delete(self, request: Request, movie_id: int) -> Response:
        """Takes back whatever hid it; lists may show it again at once."""
        movie = get_object_or_404(Movie.objects.visible(), pk=movie_id)
        event = EventContext(surface="api")
        services.film_put_back(user=person_for_feedback(request), movie=movie, event=event)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _state(request: Request, movie_id: int) -> dict:
    movie = get_object_or_404(Movie.objects.visible().only("pk"), pk=movie_id)
    states = film_states(user=person_of(request), movie_ids=[movie.pk])
    state = asdict(states.get(movie.pk, NOTHING))
    return FilmStateSerializer({"movie_id": movie.pk, **state}).data
