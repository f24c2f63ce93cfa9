"""Long lists, a page at a time."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import exceptions, serializers
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
PAGE_PARAMETERS = [
    OpenApiParameter("cursor", str, description="From next or previous."),
    OpenApiParameter(
        "page_size",
        {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE},
        description=f"1 to {MAX_PAGE_SIZE}; {PAGE_SIZE} if not given.",
    ),
]
# How many rows a cursor may count among equals: far more than there are, and a number to Postgres.
_MAX_OFFSET = 1 << 31
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class CursorPages(CursorPagination):
    """Cursor pages: no row is skipped or repeated when others are inserted meanwhile.

    That holds for an ``ordering`` whose first column no two rows share: a cursor keeps a place by
    it alone, and among equals it counts rows, which move. A size or a cursor that is none is
    refused: the first page in its place would send a client round in circles.
    """

    page_size = PAGE_SIZE
    max_page_size = MAX_PAGE_SIZE
    page_size_query_param = "page_size"
    ordering = "-pk"
    # Far into equals a cut-off offset would send a client round in circles.
    offset_cutoff = None  # type: ignore[assignment]  # None is no limit

    def get_page_size(self, request: Request) -> int:
        """Raises ValidationError."""
        given = request.query_params.getlist("page_size")
        if not given:
            return PAGE_SIZE
        size = int(given[0]) if re.fullmatch("[0-9]{1,3}", given[0]) else 0
        if len(given) > 1 or not 1 <= size <= MAX_PAGE_SIZE:
            said = f"A whole number from 1 to {MAX_PAGE_SIZE}, sent once."
            raise exceptions.ValidationError({"page_size": [said]})
        return size

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """The rows of the page. Raises ValidationError for a cursor that leads nowhere."""
        try:
            return super().paginate_queryset(queryset, request, view=view)
        except (exceptions.NotFound, ValueError, ValidationError) as error:
            if self.cursor_query_param not in request.query_params:
                raise
            # Not decoded, or what it keeps is no place in the column that this list goes by.
            said = "This leads to no page. Take it from next or previous as it is, or leave it out."
            raise exceptions.ValidationError({"cursor": [said]}) from error

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Raises NotFound, as the REST framework does, also for what Postgres could not count."""
        given = request.query_params.getlist(self.cursor_query_param)
        # The decoder passes over what is no base64: of nonsense the first page would be left.
        if given and (len(given) > 1 or not _BASE64.fullmatch(given[0])):
            raise exceptions.NotFound
        cursor = super().decode_cursor(request)
        if cursor and (cursor.offset > _MAX_OFFSET or "\0" in str(cursor.position)):
            raise exceptions.NotFound
        return cursor


def page_of(row: type[serializers.BaseSerializer], name: str) -> serializers.Serializer:
    """How the schema describes a page of such rows."""
    return inline_serializer(
        name,
        {
            "next": serializers.URLField(
                allow_null=True, help_text="The next page; null on the last."
            ),
            "previous": serializers.URLField(allow_null=True),
            "results": row(many=True),
        },
    )


def paged(
    rows: QuerySet[Any],
    request: Request,
    *,
    view: APIView,
    serializer: type[serializers.BaseSerializer],
    ordering: tuple[str, ...] = ("-pk",),
) -> Response:
    """The page that the request's cursor points at."""
    pages = CursorPages()
    pages.ordering = ordering  # type: ignore[assignment]  # several are fine
    page = pages.paginate_queryset(rows, request, view=view)
    return pages.get_paginated_response(serializer(page, many=True).data)
