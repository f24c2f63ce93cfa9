"""What every page of the admin shares: looking without writing, paging without counting."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import connection, models
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import User

# A narrowed list is counted this far: nobody turns so many pages, and the count stays cheap.
COUNTED = 10_000
# Of a table with fewer rows than this the exact number is as cheap as the estimate.
LARGE = 50_000
# People and films that a search may stand for; beyond, it is too vague to be answered by a log.
NAMED = 100


class FastPaginator(Paginator):
    """Pages of tables with millions of rows, without a full count.

    The whole of a large table is estimated by what Postgres knows of it (``pg_class.reltuples``, as
    of its last ANALYZE); anything narrower is counted up to ``COUNTED``.
    """

    @cached_property
    def count(self) -> int:
        """Rows there are, as far as pages need to know."""
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        if not rows.query.where and (estimate := _estimated_rows(rows.model)) >= LARGE:
            return estimate
        return rows.order_by().values("pk")[:COUNTED].count()


def _estimated_rows(model: type[models.Model]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass",
            [model._meta.db_table],
        )
        return int(cursor.fetchone()[0])


class ReadOnlyAdmin(admin.ModelAdmin):
    """Looking only: what people did and what machines noted is not for editing."""

    show_full_result_count = False
    paginator = FastPaginator
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class PersonLogAdmin(ReadOnlyAdmin):
    """Search of a log by whole e-mail address: names are looked up first, then the log by index.

    ``icontains`` over a join would read a log of 20 million rows from end to end.
    """

    search_fields = ("user__email",)
    search_help_text = "A whole e-mail address."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """See :class:`PersonLogAdmin`."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(self.named_by(term)), False

    def named_by(self, term: str) -> Q:
        """The rows that ``term`` names."""
        people = User.objects.filter(email__iexact=term).values_list("pk", flat=True)
        return Q(user_id__in=list(people[:NAMED]))
