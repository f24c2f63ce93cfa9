"""Feedback is read in the admin, never written: it is what people said."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from accounts.admin_base import NAMED, PersonLogAdmin
from catalog.models import Movie
from feedback.models import Impression, Interaction, Rating, Reaction, Slate


class FeedbackAdmin(PersonLogAdmin):
    """Searched by a person's whole address or a film's exact title."""

    search_help_text = "A whole e-mail address, or a film's exact title."

    def named_by(self, term: str) -> Q:
        """See :class:`PersonLogAdmin`."""
        films = Movie.objects.filter(title=term).values_list("pk", flat=True)
        return super().named_by(term) | Q(movie_id__in=list(films[:NAMED]))


@admin.register(Rating)
class RatingAdmin(FeedbackAdmin):
    """Stars."""

    list_display = ["user", "movie", "stars", "updated_at"]
    list_select_related = ["user", "movie"]


@admin.register(Reaction)
class ReactionAdmin(FeedbackAdmin):
    """Verbs."""

    list_display = ["user", "movie", "kind", "created_at", "expires_at"]
    list_filter = ["kind"]
    list_select_related = ["user", "movie"]


@admin.register(Interaction)
class InteractionAdmin(FeedbackAdmin):
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
class SlateAdmin(PersonLogAdmin):
    """Lists as they were shown."""

    list_display = ["created_at", "user", "surface", "policy", "model_version", "fallback"]
    list_filter = ["surface", "fallback"]
    list_select_related = ["user"]
    inlines = [ImpressionInline]
