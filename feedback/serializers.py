"""Feedback as the API speaks of it."""

from __future__ import annotations

from rest_framework import serializers

from feedback.models import Rating


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


class RatingWriteSerializer(serializers.Serializer[Rating]):
    """Stars to give, and the event that they are."""

    stars = serializers.DecimalField(
        max_digits=2, decimal_places=1, min_value=0, max_value=5, help_text="0.5 to 5, in halves."
    )
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
