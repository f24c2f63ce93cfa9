"""Films for editors: what they change here, imports leave alone."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import ngettext

from accounts.admin_base import FastPaginator
from catalog.models import (
    Collection,
    CollectionEntry,
    Credit,
    Dataset,
    ExternalId,
    FieldSource,
    Genre,
    Keyword,
    Movie,
    Person,
)
from catalog.search import search_films
from catalog.services.editing import movie_edited, movies_hide
from catalog.services.embeddings import films_reembed
from catalog.services.merging import MergeRefusedError, movies_merge
from catalog.services.search_index import search_vectors_refresh
from catalog.tmdb.enrichment import films_refetch
from catalog.tmdb.models import EnrichmentRun, EnrichmentState
from catalog.tmdb.runs import run_request

# More than a handful of entries of one film is a slip of the mouse.
MAX_MERGED = 10


class ExternalIdInline(admin.TabularInline):
    """The film in others' books."""

    model = ExternalId
    extra = 0


class CreditInline(admin.TabularInline):
    """Who made it."""

    model = Credit
    extra = 0
    autocomplete_fields = ["person"]


class FieldSourceInline(admin.TabularInline):
    """Where each field came from; to look at."""

    model = FieldSource
    extra = 0
    can_delete = False
    readonly_fields = ["field", "source", "updated_at"]
    verbose_name_plural = "where the fields came from"

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Movie)
class MovieAdmin(admin.ModelAdmin):
    """Search forgives as the site's does; counting all rows is left out."""

    list_display = ["title", "year", "language", "rating_count", "rating_mean", "is_hidden"]
    list_filter = ["is_hidden", "genres", "language"]
    search_fields = ["title"]
    search_help_text = "Title, person or theme; typing errors are forgiven."
    ordering = ["-rating_count", "pk"]
    show_full_result_count = False
    paginator = FastPaginator
    list_per_page = 50
    autocomplete_fields = ["keywords"]
    filter_horizontal = ["genres"]
    readonly_fields = ["rating_count", "rating_mean", "created_at", "updated_at"]
    inlines = [CreditInline, ExternalIdInline, FieldSourceInline]
    actions = ["hide", "show", "reenrich", "reembed", "merge"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Movie]:
        return super().get_queryset(request).defer("search_vector", "title_trigrams")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Movie], search_term: str
    ) -> tuple[QuerySet[Movie], bool]:
        if not search_term:
            return queryset, False
        ids = [hit.movie_id for hit in search_films(search_term, include_hidden=True)]
        return queryset.filter(pk__in=ids), False

    def save_related(
        self,
        request: HttpRequest,
        form: ModelForm,
        formsets: list[BaseModelFormSet],
        change: bool,
    ) -> None:
        super().save_related(request, form, formsets, change)
        movie_edited(form.instance.pk, {*form.changed_data, *_changed_relations(formsets)})

    @admin.action(description="Hide the chosen films everywhere", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Movie]) -> None:
        self._hide(request, queryset, is_hidden=True)

    @admin.action(description="Show the chosen films again", permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Movie]) -> None:
        self._hide(request, queryset, is_hidden=False)

    @admin.action(description="Fetch anew from TMDB", permissions=["change"])
    def reenrich(self, request: HttpRequest, queryset: QuerySet[Movie]) -> None:
        """The worker asks for them; what editors wrote stays."""
        n = films_refetch(list(queryset.values_list("pk", flat=True)))
        run_request(trigger="admin", now=timezone.now())
        text = ngettext("%(n)d film will be fetched.", "%(n)d films will be fetched.", n)
        self.message_user(request, text % {"n": n}, messages.SUCCESS)

    @admin.action(description="Embed anew for search by meaning", permissions=["change"])
    def reembed(self, request: HttpRequest, queryset: QuerySet[Movie]) -> None:
        """The worker computes their vectors; search keeps the old ones until then."""
        n = films_reembed(list(queryset.values_list("pk", flat=True)))
        text = ngettext("%(n)d film will be embedded.", "%(n)d films will be embedded.", n)
        self.message_user(request, text % {"n": n}, messages.SUCCESS)

    @admin.action(description="Merge duplicates into one film", permissions=["delete"])
    def merge(self, request: HttpRequest, queryset: QuerySet[Movie]) -> HttpResponse | None:
        """Asks which one stays; the rest become it."""
        films = list(queryset.order_by("-rating_count", "pk")[: MAX_MERGED + 1])
        if not 2 <= len(films) <= MAX_MERGED:
            text = f"Choose two films that are the same, or up to {MAX_MERGED}."
            self.message_user(request, text, messages.ERROR)
            return None
        keep = request.POST.get("keep", "")
        chosen = [film for film in films if str(film.pk) == keep]
        if not chosen:
            return self._ask_which(request, films)
        others = [film.pk for film in films if film.pk != chosen[0].pk]
        try:
            report = movies_merge(chosen[0].pk, others)
        except MergeRefusedError as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        text = ngettext(
            "%(n)d film is %(title)s now; %(rows)d entries were moved.",
            "%(n)d films are %(title)s now; %(rows)d entries were moved.",
            len(others),
        )
        values = {"n": len(others), "title": str(chosen[0]), "rows": report.n_moved}
        self.message_user(request, text % values, messages.SUCCESS)
        return None

    def _ask_which(self, request: HttpRequest, films: list[Movie]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Which film stays?",
            "films": films,
            "opts": self.model._meta,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/catalog/merge.html", context)

    def _hide(self, request: HttpRequest, queryset: QuerySet[Movie], *, is_hidden: bool) -> None:
        n = movies_hide(list(queryset.values_list("pk", flat=True)), is_hidden=is_hidden)
        if is_hidden:
            text = ngettext("%(n)d film is hidden now.", "%(n)d films are hidden now.", n)
        else:
            text = ngettext("%(n)d film is shown again.", "%(n)d films are shown again.", n)
        self.message_user(request, text % {"n": n}, messages.SUCCESS)


def _changed_relations(formsets: list[BaseModelFormSet]) -> set[str]:
    """ "credits" and the sources of external ids that were added, changed or taken away."""
    names: set[str] = set()
    for formset in formsets:
        if formset.model is FieldSource:
            continue
        changed: list[Any] = [
            *formset.new_objects,
            *(item for item, _ in formset.changed_objects),
            *formset.deleted_objects,
        ]
        for item in changed:
            names.add(str(item.source) if isinstance(item, ExternalId) else "credits")
    return names


class _NameAdmin(admin.ModelAdmin):
    """Things with a name that films are searched by."""

    search_fields = ["name"]
    show_full_result_count = False
    paginator = FastPaginator
    list_per_page = 100

    def save_related(
        self,
        request: HttpRequest,
        form: ModelForm,
        formsets: list[BaseModelFormSet],
        change: bool,
    ) -> None:
        super().save_related(request, form, formsets, change)
        if change and "name" in form.changed_data:
            search_vectors_refresh(list(form.instance.movies.values_list("pk", flat=True)))


@admin.register(Genre)
class GenreAdmin(_NameAdmin):
    """Genres; imports bring MovieLens'."""

    list_display = ["name", "slug"]


@admin.register(Person)
class PersonAdmin(_NameAdmin):
    """People."""

    list_display = ["name", "tmdb_id"]


@admin.register(Keyword)
class KeywordAdmin(_NameAdmin):
    """What films are about."""

    list_display = ["name"]


class CollectionEntryInline(admin.TabularInline):
    """The films of a collection, in order."""

    model = CollectionEntry
    extra = 3
    autocomplete_fields = ["movie"]


@admin.register(Collection)
class CollectionAdmin(admin.ModelAdmin):
    """Editors' picks."""

    list_display = ["title", "position", "is_shown"]
    list_editable = ["position", "is_shown"]
    search_fields = ["title"]
    prepopulated_fields = {"slug": ["title"]}
    inlines = [CollectionEntryInline]


@admin.register(Dataset)
class DatasetAdmin(admin.ModelAdmin):
    """Bodies of ratings; imports write them, people look at them."""

    list_display = ["name", "slug", "is_simulated", "n_ratings", "n_users", "imported_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class _ToLookAt(admin.ModelAdmin):
    """Written by jobs only."""

    show_full_result_count = False
    paginator = FastPaginator

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(EnrichmentState)
class EnrichmentStateAdmin(_ToLookAt):
    """How films stand with TMDB, and why some were left."""

    list_display = ["movie", "status", "method", "confidence", "reason", "fetched_at"]
    list_filter = ["status", "method"]
    list_select_related = ["movie"]
    exclude = ["payload"]


@admin.register(EnrichmentRun)
class EnrichmentRunAdmin(_ToLookAt):
    """Runs of the enrichment."""

    list_display = ["created_at", "trigger", "status", "done", "total", "message"]
    list_filter = ["status"]
