"""Feedback is read in the admin, never written: it is what people said."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from feedback.models import Impression, Interaction, Rating, Reaction, Slate


class ReadOnlyAdmin(admin.ModelAdmin):
    """Looking only, without counting millions of rows."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Rating)
class RatingAdmin(ReadOnlyAdmin):
    """Stars."""

    list_display = ["user", "movie", "stars", "updated_at"]
    list_select_related = ["user", "movie"]
    search_fields = ["user__email", "movie__title"]


@admin.register(Reaction)
class ReactionAdmin(ReadOnlyAdmin):
    """Verbs."""

    list_display = ["user", "movie", "kind", "created_at", "expires_at"]
    list_filter = ["kind"]
    list_select_related = ["user", "movie"]
    search_fields = ["user__email", "movie__title"]


@admin.register(Interaction)
class InteractionAdmin(ReadOnlyAdmin):
    """The log."""

    list_display = ["created_at", "user", "kind", "value", "movie", "surface"]
    list_filter = ["kind"]
    list_select_related = ["user", "movie"]


class ImpressionInline(admin.TabularInline):
    """What was shown where."""

    model = Impression
    fields = ["position", "movie", "source", "score", "propensity", "reason"]
    readonly_fields = ["position", "movie", "source", "score", "propensity", "reason"]
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Slate)
class SlateAdmin(ReadOnlyAdmin):
    """Lists as they were shown."""

    list_display = ["created_at", "user", "surface", "policy", "model_version", "fallback"]
    list_filter = ["surface", "fallback"]
    list_select_related = ["user"]
    inlines = [ImpressionInline]
