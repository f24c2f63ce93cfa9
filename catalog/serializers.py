"""Films as the API speaks of them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.inputs import Query
from catalog.card_films import poster_url
from catalog.filters import MAX_RUNTIME_MIN, MAX_YEAR, MIN_YEAR, SORT_NAMES, FilmFilters
from catalog.models import Credit, ExternalId, Genre, Keyword, Movie


class GenreSerializer(serializers.ModelSerializer[Genre]):
    """A genre; ``slug`` is what filters take."""

    class Meta:
        model = Genre
        fields = ["slug", "name"]


class MovieSerializer(serializers.ModelSerializer[Movie]):
    """A film in a list."""

    genres = serializers.ListField(
        source="genre_names", child=serializers.CharField(), read_only=True
    )
    main_genre = serializers.CharField(read_only=True)
    rating_mean = serializers.FloatField(
        read_only=True, allow_null=True, help_text="0.5 to 5; null where nobody rated it."
    )
    poster_url = serializers.SerializerMethodField()
    url = serializers.CharField(source="get_absolute_url", read_only=True)

    class Meta:
        model = Movie
        fields = [
            *("id", "title", "original_title", "year", "runtime_min", "language", "countries"),
            *("certification", "genres", "main_genre", "rating_count", "rating_mean"),
            *("poster_url", "url"),
        ]
        read_only_fields = fields

    def get_poster_url(self, movie: Movie) -> str:
        """A path on this server; it changes when the picture does."""
        return poster_url(movie)


class CreditSerializer(serializers.ModelSerializer[Credit]):
    """Who did what."""

    name = serializers.CharField(source="person.name", read_only=True)

    class Meta:
        model = Credit
        fields = ["name", "role", "character"]
        read_only_fields = fields


class ExternalIdSerializer(serializers.ModelSerializer[ExternalId]):
    """The film in somebody else's books."""

    class Meta:
        model = ExternalId
        fields = ["source", "value"]
        read_only_fields = fields


class MovieDetailSerializer(MovieSerializer):
    """A film with all that we know of it."""

    backdrop_url = serializers.SerializerMethodField()
    keywords: serializers.SlugRelatedField[Keyword] = serializers.SlugRelatedField(
        slug_field="name", many=True, read_only=True
    )
    credits = CreditSerializer(many=True, read_only=True)
    external_ids = ExternalIdSerializer(many=True, read_only=True)

    class Meta(MovieSerializer.Meta):
        fields = [
            *MovieSerializer.Meta.fields,
            *("alternative_titles", "tagline", "synopsis", "keywords", "credits"),
            *("external_ids", "backdrop_url"),
        ]
        read_only_fields = fields

    def get_backdrop_url(self, movie: Movie) -> str:
        """A path on this server; it changes when the picture does."""
        path = reverse("catalog:backdrop", kwargs={"pk": movie.pk})
        return f"{path}?v={movie.poster_version}"


class MovieQuerySerializer(Query):
    """What a list of films may be narrowed by. Unlike the page, the API refuses what is wrong."""

    q = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=120,
        help_text="A title (typing errors forgiven), a person, a theme; a year at the end helps.",
    )
    genre = serializers.ListField(
        child=serializers.SlugField(max_length=40),
        required=False,
        max_length=8,
        help_text="Genre slugs; a film must have all of them. Repeat the parameter.",
    )
    year_from = serializers.IntegerField(required=False, min_value=MIN_YEAR, max_value=MAX_YEAR)
    year_to = serializers.IntegerField(required=False, min_value=MIN_YEAR, max_value=MAX_YEAR)
    decade = serializers.IntegerField(
        required=False, min_value=MIN_YEAR, max_value=MAX_YEAR, help_text="1990: 1990 to 1999."
    )
    language = serializers.CharField(required=False, max_length=8, help_text="ISO 639-1.")
    runtime_from = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_RUNTIME_MIN, help_text="Minutes."
    )
    runtime_to = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_RUNTIME_MIN, help_text="Minutes."
    )
    min_ratings = serializers.IntegerField(required=False, min_value=1, max_value=10**9)
    sort = serializers.ChoiceField(
        required=False,
        choices=[(sort.value, name) for sort, name in SORT_NAMES.items()],
        help_text="Without it: best match first for a search, most rated first otherwise.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Years in order."""
        first, last = attrs.get("year_from"), attrs.get("year_to")
        if first and last and first > last:
            raise serializers.ValidationError({"year_to": ["Must not lie before year_from."]})
        return attrs

    @classmethod
    def filters(cls, request: Request) -> FilmFilters:
        """The filters in an address, or ``ValidationError`` naming the fields."""
        cls.of(request)
        return FilmFilters.from_query(request.query_params)
