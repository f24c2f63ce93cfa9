"""Feedback as the API speaks of it."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.inputs import Body, IdField
from catalog.serializers import MovieSerializer
from feedback.events import EventContext
from feedback.models import (
    DiaryEntry,
    FilmList,
    Interaction,
    ListItem,
    Rating,
    Reaction,
    WatchlistEntry,
)
from feedback.services import FeedbackError, parse_stars


@extend_schema_field(
    {
        "oneOf": [
            {"type": "number", "minimum": 0.5, "maximum": 5, "multipleOf": 0.5},
            {"type": "string", "pattern": r"^(0?\.5|[1-4](\.[05])?|5(\.0)?)$"},
        ]
    }
)
class StarsField(serializers.DecimalField):
    """Stars, as a number or as its text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=2, decimal_places=1, **options)

    def to_internal_value(self, data: Any) -> Decimal:
        """The stars. Raises ValidationError."""
        if isinstance(data, bool):
            self.fail("invalid")
        try:
            return parse_stars(super().to_internal_value(data))
        except FeedbackError as error:
            raise serializers.ValidationError(str(error)) from error


class EventBody(Body):
    """What a client says about an act besides the act itself."""

    event_id = serializers.UUIDField(
        required=False, help_text="Made by the client: the same one sent twice counts once."
    )
    surface = serializers.CharField(required=False, allow_blank=True, max_length=24)
    request_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="Of the list that showed the film."
    )
    position = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=1000
    )

    def event(self) -> EventContext:
        """Of a valid body; without an id the act is taken as new."""
        data: dict[str, Any] = self.validated_data
        return EventContext(
            event_id=data.get("event_id") or uuid.uuid4(),
            surface=data.get("surface") or "api",
            request_id=data.get("request_id"),
            position=data.get("position"),
        )


class RatingSerializer(serializers.ModelSerializer[Rating]):
    """Stars that the caller gave."""

    movie_id = serializers.IntegerField(read_only=True)
    title = serializers.CharField(source="movie.title", read_only=True)
    year = serializers.IntegerField(source="movie.year", read_only=True, allow_null=True)
    stars = serializers.FloatField(read_only=True, help_text="0.5 to 5, in halves.")

    class Meta:
        model = Rating
        fields = ["movie_id", "title", "year", "stars", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]


class RatingWriteSerializer(EventBody):
    """Stars to give, and the event that they are."""

    stars = StarsField(help_text="0.5 to 5, in halves.")


class ReactionSerializer(serializers.ModelSerializer[Reaction]):
    """A verb that the caller put on a film."""

    movie = MovieSerializer(read_only=True)

    class Meta:
        model = Reaction
        fields = ["movie", "kind", "created_at", "expires_at"]
        read_only_fields = fields


class WatchlistSerializer(serializers.ModelSerializer[WatchlistEntry]):
    """A film that the caller means to watch."""

    movie = MovieSerializer(read_only=True)

    class Meta:
        model = WatchlistEntry
        fields = ["movie", "created_at"]
        read_only_fields = fields


class HistorySerializer(serializers.ModelSerializer[Interaction]):
    """One thing that the caller did, as it happened."""

    movie = MovieSerializer(read_only=True)

    class Meta:
        model = Interaction
        fields = ["event_id", "movie", "kind", "value", "surface", "created_at"]
        read_only_fields = fields


class DiarySerializer(serializers.ModelSerializer[DiaryEntry]):
    """A viewing."""

    movie = MovieSerializer(read_only=True)

    class Meta:
        model = DiaryEntry
        fields = ["id", "movie", "watched_on", "is_rewatch", "note", "created_at"]
        read_only_fields = fields


class DiaryBody(Body):
    """A viewing to write down."""

    movie_id = IdField()
    watched_on = serializers.DateField(help_text="The day, as it was where the caller watched.")
    is_rewatch = serializers.BooleanField(default=False)
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")


class FilmListSerializer(serializers.ModelSerializer[FilmList]):
    """A list of the caller's own, without its films."""

    n_films = serializers.IntegerField(read_only=True)
    is_shared = serializers.SerializerMethodField()

    class Meta:
        model = FilmList
        fields = ["id", "name", "note", "n_films", "is_shared", "created_at", "updated_at"]
        read_only_fields = fields

    def get_is_shared(self, film_list: FilmList) -> bool:
        """Whether it has an address that others may read."""
        return bool(film_list.share_key)


class ListItemSerializer(serializers.ModelSerializer[ListItem]):
    """A film at its place, the first is 0."""

    movie = MovieSerializer(read_only=True)

    class Meta:
        model = ListItem
        fields = ["movie", "position", "note", "created_at"]
        read_only_fields = fields


class ListBody(Body):
    """A list's name and what it is about."""

    name = serializers.CharField(max_length=80)
    note = serializers.CharField(max_length=1000, allow_blank=True, default="")


class ListItemBody(Body):
    """Where a film stands and what is said of it; what is not sent stays."""

    position = serializers.IntegerField(
        min_value=0, max_value=1000, required=False, help_text="0 is the first; else the end."
    )
    note = serializers.CharField(max_length=300, allow_blank=True, required=False)


class SharingSerializer(serializers.Serializer):
    """Where others may read the list."""

    key = serializers.CharField(help_text="For shared-lists/KEY.")
    url = serializers.CharField(help_text="The page, on this server.")


class SharedListSerializer(serializers.Serializer):
    """A list as whoever has its key may read it: nothing says whose it is."""

    name = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    films = ListItemSerializer(many=True)


class FilmStateSerializer(serializers.Serializer):
    """What the caller did with a film."""

    movie_id = serializers.IntegerField()
    stars = serializers.FloatField(allow_null=True)
    is_liked = serializers.BooleanField()
    is_disliked = serializers.BooleanField()
    is_seen = serializers.BooleanField()
    is_not_tonight = serializers.BooleanField()
    is_never = serializers.BooleanField()
    is_watchlisted = serializers.BooleanField()
    is_muted = serializers.BooleanField(help_text="No list learns from it.")
