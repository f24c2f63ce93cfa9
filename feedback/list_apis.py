"""``/api/v1/me/lists`` and ``/api/v1/shared-lists``: films put together under a name."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.permissions import IsPerson
from accounts.requests import person_for_feedback, person_id_of
from catalog.models import Movie
from feedback import journal
from feedback.film_lists import items_of, lists_of
from feedback.models import FilmList
from feedback.serializers import (
    FilmListSerializer,
    ListBody,
    ListItemBody,
    ListItemSerializer,
    SharedListSerializer,
    SharingSerializer,
)
from feedback.services import FeedbackError


class FilmListsSerializer(serializers.Serializer):
    """All of them: there are 200 at most."""

    results = FilmListSerializer(many=True)


class FilmListDetailSerializer(FilmListSerializer):
    """A list with its films, in their order: 1,000 at most."""

    films = ListItemSerializer(many=True, read_only=True)

    class Meta(FilmListSerializer.Meta):
        fields = [*FilmListSerializer.Meta.fields, "films"]
        read_only_fields = fields


class ListsApi(Api):
    """The caller's lists."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="lists_list",
        tags=["diary and lists"],
        summary="My lists, the latest changed first",
        responses=FilmListsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Without their films."""
        rows = lists_of(person_id_of(request))
        return Response({"results": FilmListSerializer(rows, many=True).data})

    @extend_schema(
        operation_id="lists_create",
        tags=["diary and lists"],
        summary="Make a list",
        request=ListBody,
        responses={201: FilmListDetailSerializer},
    )
    def post(self, request: Request) -> Response:
        """Empty, and read by nobody else."""
        body = ListBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            made = journal.list_create(user=person_for_feedback(request), **body.validated_data)
        except FeedbackError as error:
            raise exceptions.ValidationError({"name": [str(error)]}) from error
        headers = {"Location": reverse("api-list", args=[made.pk])}
        return Response(_detail(made), status=status.HTTP_201_CREATED, headers=headers)


class ListApi(Api):
    """One of the caller's lists."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="lists_retrieve",
        tags=["diary and lists"],
        summary="One of my lists with its films",
        responses=FilmListDetailSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        """Another person's list is 404."""
        return Response(_detail(_own(request, pk)))

    @extend_schema(
        operation_id="lists_update",
        tags=["diary and lists"],
        summary="Change a list's name or note",
        request=ListBody(partial=True),
        responses=FilmListDetailSerializer,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """What is not sent stays."""
        found = _own(request, pk)
        body = ListBody(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        journal.list_edit(
            film_list=found, name=said.get("name", found.name), note=said.get("note", found.note)
        )
        return Response(_detail(found))

    @extend_schema(
        operation_id="lists_delete",
        tags=["diary and lists"],
        summary="Delete a list",
        responses={204: None},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """The list, not its films."""
        journal.list_delete(film_list=_own(request, pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ListFilmApi(Api):
    """One film of one list."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="lists_put_film",
        tags=["diary and lists"],
        summary="Put a film into a list, move it, or say something of it",
        request=ListItemBody,
        responses=FilmListDetailSerializer,
    )
    def put(self, request: Request, pk: int, movie_id: int) -> Response:
        """A film that is in already keeps its place and note where none is sent."""
        found = _own(request, pk)
        movie = get_object_or_404(Movie.objects.visible(), pk=movie_id)
        body = ListItemBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        try:
            journal.list_put(film_list=found, movie=movie, is_in=True)
        except FeedbackError as error:
            raise exceptions.ValidationError({"non_field_errors": [str(error)]}) from error
        if "position" in said:
            journal.list_move(film_list=found, movie=movie, to=said["position"])
        if "note" in said:
            journal.list_item_note(film_list=found, movie=movie, note=said["note"])
        return Response(_detail(found))

    @extend_schema(
        operation_id="lists_remove_film",
        tags=["diary and lists"],
        summary="Take a film out of a list",
        responses={204: None},
    )
    def delete(self, request: Request, pk: int, movie_id: int) -> Response:
        """Also where it was not in it."""
        found = _own(request, pk)
        movie = get_object_or_404(Movie.objects.visible(), pk=movie_id)
        journal.list_put(film_list=found, movie=movie, is_in=False)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ListShareApi(Api):
    """Whether others may read a list."""

    permission_classes = [IsPerson]

    @extend_schema(
        operation_id="lists_share",
        tags=["diary and lists"],
        summary="Give a list an address that others may read",
        request=None,
        responses=SharingSerializer,
    )
    def put(self, request: Request, pk: int) -> Response:
        """The same address while it is shared; another one when it is shared again."""
        found = _own(request, pk)
        journal.list_share(film_list=found, is_on=True)
        url = reverse("feedback:list_shared", args=[found.share_key])
        return Response(SharingSerializer({"key": found.share_key, "url": url}).data)

    @extend_schema(
        operation_id="lists_unshare",
        tags=["diary and lists"],
        summary="Take the address of a list back",
        responses={204: None},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Who has the old address does not get in any more."""
        journal.list_share(film_list=_own(request, pk), is_on=False)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SharedListApi(Api):
    """A list that somebody shared."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="shared_lists_retrieve",
        tags=["diary and lists"],
        summary="A list by its shared key",
        responses=SharedListSerializer,
    )
    def get(self, request: Request, key: str) -> Response:
        """For whoever has the key; nothing says whose list it is."""
        found = get_object_or_404(FilmList, share_key=key)
        body = {"name": found.name, "note": found.note, "films": items_of(found)}
        response = Response(SharedListSerializer(body).data)
        response["X-Robots-Tag"] = "noindex"
        return response


def _own(request: Request, pk: int) -> FilmList:
    return get_object_or_404(FilmList, pk=pk, user_id=person_id_of(request))


def _detail(film_list: FilmList) -> dict:
    items = list(items_of(film_list))
    film_list.n_films = len(items)  # type: ignore[attr-defined]  # as lists_of counts them
    shown = FilmListSerializer(film_list).data
    return {**shown, "films": ListItemSerializer(items, many=True).data}
