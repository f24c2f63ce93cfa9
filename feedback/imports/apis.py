"""``/api/v1/me/imports``: bring a file, see what it would do, repair, write, take back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Api
from accounts.api.errors import BodyTooLarge, NothingToDo, UnderWay
from accounts.api.inputs import Query
from accounts.api.pages import PAGE_PARAMETERS, CursorPages, page_of, paged
from accounts.requests import signed_in
from accounts.uploads import is_file_too_large
from catalog.models import Movie
from feedback.imports import services
from feedback.imports.archive import MAX_UPLOAD_BYTES
from feedback.imports.models import ImportFilm, ImportJob
from feedback.imports.selectors import films_to_repair, import_report, imports_of
from feedback.imports.serializers import (
    FilmChoiceBody,
    ImportDetailSerializer,
    ImportFilmSerializer,
    ImportSerializer,
    UploadBody,
)
from feedback.services import FeedbackError

# The parts of a multipart body beside the file: names, boundaries.
FRAME_BYTES = 64 * 1024


class ImportFilmQuery(Query):
    """Which films of the file."""

    state = serializers.ChoiceField(
        choices=ImportFilm.State.values,
        required=False,
        help_text="check: not found for sure; unknown: not found. All if not given.",
    )


class ImportListApi(Api):
    """The caller's imports."""

    permission_classes = [IsAuthenticated]
    parser_classes = [MultiPartParser]
    max_body_bytes = MAX_UPLOAD_BYTES + FRAME_BYTES

    @extend_schema(
        operation_id="imports_list",
        tags=["my data"],
        summary="My imports, newest first",
        parameters=PAGE_PARAMETERS,
        responses=page_of(ImportSerializer, "ImportPage"),
    )
    def get(self, request: Request) -> Response:
        """With their state; what one would change stands in its own operation."""
        rows = imports_of(signed_in(request.user))
        ordering = ("-created_at", "-pk")
        return paged(rows, request, view=self, serializer=ImportSerializer, ordering=ordering)

    @extend_schema(
        operation_id="imports_create",
        tags=["my data"],
        summary="Bring a file from Letterboxd, IMDb, Trakt, MovieLens or Marquee",
        request={"multipart/form-data": UploadBody},
        responses={202: ImportDetailSerializer},
    )
    def post(self, request: Request) -> Response:
        """A worker reads it and finds the films; nothing is written before `apply`."""
        body = UploadBody(data=request.data)
        if is_file_too_large(request._request):  # known once the form was read
            raise BodyTooLarge(MAX_UPLOAD_BYTES)
        body.is_valid(raise_exception=True)
        upload = body.validated_data["file"]
        try:
            job = services.import_create(
                user=signed_in(request.user), filename=upload.name, content=upload.read()
            )
        except FeedbackError as error:
            raise exceptions.ValidationError({"file": [str(error)]}) from error
        return _accepted(job)


class ImportApi(Api):
    """One of the caller's imports."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="imports_retrieve",
        tags=["my data"],
        summary="How an import stands, and what it would change or did",
        responses=ImportDetailSerializer,
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Another person's import is 404. `ready`: look at the preview, then `apply`."""
        return Response(_detail(_own(request, pk)))

    @extend_schema(
        operation_id="imports_forget",
        tags=["my data"],
        summary="Take an import off the list",
        responses={204: None},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """What it wrote stays, and can no longer be taken back. 409 `under_way` until it stops."""
        job = _own(request, pk)
        services.import_forget(job)
        if ImportJob.objects.filter(pk=job.pk).exists():
            raise UnderWay
        return Response(status=status.HTTP_204_NO_CONTENT)


class ImportApplyApi(Api):
    """Writing."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="imports_apply",
        tags=["my data"],
        summary="Write what was found",
        request=None,
        responses={202: ImportDetailSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """A worker does it, in batches. 409 `nothing_to_do` where nothing is left to write."""
        job = _own(request, pk)
        if not services.import_apply(job):
            raise NothingToDo
        return _accepted(job)


class ImportUndoApi(Api):
    """Taking back."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="imports_undo",
        tags=["my data"],
        summary="Take back what an import wrote",
        request=None,
        responses={202: ImportDetailSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Except what was changed by hand since. 409 `nothing_to_do` where it wrote nothing."""
        job = _own(request, pk)
        if not services.import_undo(job):
            raise NothingToDo
        return _accepted(job)


class ImportCancelApi(Api):
    """Stopping."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="imports_cancel",
        tags=["my data"],
        summary="Stop an import that is under way",
        request=None,
        responses={204: None},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """What was written so far stays until `undo`. One that no worker had begun is gone."""
        if not services.import_cancel(_own(request, pk)):
            raise NothingToDo
        return Response(status=status.HTTP_204_NO_CONTENT)


class ImportFilmListApi(Api):
    """The repair queue of an import."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="imports_films_list",
        tags=["my data"],
        summary="The films that a file speaks of, and what they were taken for",
        parameters=[
            ImportFilmQuery,
            *PAGE_PARAMETERS,
        ],
        responses=page_of(ImportFilmSerializer, "ImportFilmPage"),
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """In the order of the file."""
        rows = (
            _own(request, pk).films.prefetch_related("rows").filter(**ImportFilmQuery.of(request))
        )
        pages = CursorPages()
        pages.ordering = "pk"
        films = pages.paginate_queryset(rows, request, view=self)
        items = films_to_repair(films or [])
        return pages.get_paginated_response(ImportFilmSerializer(items, many=True).data)


class ImportFilmApi(Api):
    """One film of the repair queue."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="imports_films_choose",
        tags=["my data"],
        summary="Say which film it is, or leave it out",
        request=FilmChoiceBody,
        responses=ImportFilmSerializer,
    )
    def put(self, request: Request, pk: UUID, film_id: int) -> Response:
        """409 `under_way` while a worker is at it, `nothing_to_do` where it was written already."""
        job = _own(request, pk)
        film = get_object_or_404(job.films.prefetch_related("rows"), pk=film_id)
        body = FilmChoiceBody(data=request.data)
        body.is_valid(raise_exception=True)
        if job.is_open:
            raise UnderWay
        if not services.film_is_open(film):
            raise NothingToDo("This film was written already. Take the import back first.")
        movie_id = body.validated_data["movie_id"]
        if movie_id is None:
            services.film_skip(film)
        else:
            services.film_choose(film, _movie(movie_id))
        return Response(ImportFilmSerializer(films_to_repair([film])[0]).data)


def _movie(movie_id: int) -> Movie:
    movie = Movie.objects.visible().filter(pk=movie_id).first()
    if movie is None:
        raise exceptions.ValidationError({"movie_id": ["There is no such film."]})
    return movie


def _own(request: Request, pk: UUID) -> ImportJob:
    return get_object_or_404(ImportJob, pk=pk, user=signed_in(request.user))


def _detail(job: ImportJob) -> dict[str, Any]:
    return ImportDetailSerializer(job, context={"report": import_report(job)}).data


def _accepted(job: ImportJob) -> Response:
    job.refresh_from_db()
    headers = {"Location": reverse("api-import", args=[job.pk])}
    return Response(_detail(job), status=status.HTTP_202_ACCEPTED, headers=headers)
