"""Long lists, a page at a time."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

PAGE_PARAMETERS = [
    OpenApiParameter("cursor", str, description="From next or previous."),
    OpenApiParameter("page_size", int, description="1 to 100; 20 if not given."),
]


class CursorPages(CursorPagination):
    """Cursor pages: no row is skipped or repeated when others are inserted meanwhile.

    That holds for an ``ordering`` whose first column no two rows share: a cursor keeps a place by
    it alone, and among equals it counts rows, which move.
    """

    page_size = 20
    max_page_size = 100
    page_size_query_param = "page_size"
    ordering = "-pk"
    # Far into equals a cut-off offset would send a client round in circles.
    offset_cutoff = None  # type: ignore[assignment]  # None is no limit


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
