"""Films and what is known about them."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.card_films import poster_version, year_and_genre
from catalog.genres import genre_label, main_genre
from catalog.querysets import MovieQuerySet, popularity_key
from catalog.titles import normalize_title, trigrams


class DataSource(models.TextChoices):
    """Where a value came from; a stronger source is never overwritten by a weaker one."""

    SIMULATED = "simulated", _("Simulated")
    STARTER = "starter", _("Starter catalogue")
    MOVIELENS = "movielens", _("MovieLens")
    TMDB = "tmdb", _("TMDB")
    EDITOR = "editor", _("Editor")


class Genre(models.Model):
    """One of MovieLens' genres."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=40, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return genre_label(self.name)


class Keyword(models.Model):
    """What a film is about, in a word or two."""

    name = models.CharField(max_length=120, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    """Somebody who made or played in films."""

    name = models.CharField(max_length=200)
    tmdb_id = models.PositiveIntegerField(null=True, blank=True, unique=True)

    class Meta:
        verbose_name_plural = "people"
        indexes = [models.Index(fields=["name"], name="catalog_person_name")]

    def __str__(self) -> str:
        return self.name


TITLE_FIELDS = frozenset({"title", "original_title", "alternative_titles"})
NORMALIZED_FIELDS = ("title_normalized", "titles_normalized", "title_trigrams")


class Movie(models.Model):
    """A film. Its id is ours; those of others are in ``ExternalId``."""

    title = models.CharField(max_length=300)
    original_title = models.CharField(max_length=300, blank=True)
    alternative_titles = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    # Titles as people type them: lower case, no accents, no punctuation, leading article gone.
    title_normalized = models.CharField(max_length=300, editable=False)
    # The same for every title the film has, the main one first.
    titles_normalized = ArrayField(models.CharField(max_length=300), default=list, editable=False)
    # Trigrams of the normalised titles under GIN: typo tolerance without pg_trgm, which the
    # embedded server does not carry.
    title_trigrams = ArrayField(models.CharField(max_length=3), default=list, editable=False)
    search_vector = SearchVectorField(null=True, editable=False)
    year = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1870), MaxValueValidator(2100)]
    )
    runtime_min = models.PositiveSmallIntegerField("runtime (minutes)", null=True, blank=True)
    language = models.CharField(max_length=8, blank=True, help_text="ISO 639-1")
    countries = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    certification = models.CharField(max_length=16, blank=True)
    tagline = models.CharField(max_length=300, blank=True)
    synopsis = models.TextField(blank=True)
    poster_path = models.CharField(max_length=120, blank=True)
    backdrop_path = models.CharField(max_length=120, blank=True)
    # Digests of the pictures that lie on our disk (catalog.images); "" where ours is drawn.
    poster_digest = models.CharField(max_length=32, blank=True, editable=False)
    backdrop_digest = models.CharField(max_length=32, blank=True, editable=False)
    genres = models.ManyToManyField(Genre, related_name="movies", blank=True)
    keywords = models.ManyToManyField(Keyword, related_name="movies", blank=True)
    people = models.ManyToManyField(Person, through="Credit", related_name="movies")

    # Kept by imports and roll-ups, from the warehouse and live ratings.
    rating_count = models.PositiveIntegerField(default=0, editable=False)
    rating_mean = models.FloatField(null=True, blank=True, editable=False)
    is_hidden = models.BooleanField(
        default=False, help_text="Hidden films are shown nowhere and never recommended."
    )
    # A duplicate that editors merged stays, hidden: its old address leads to the film that it is.
    merged_into = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = MovieQuerySet.as_manager()

    class Meta:
        indexes = [
            GinIndex(fields=["search_vector"], name="catalog_movie_search"),
            GinIndex(fields=["title_trigrams"], name="catalog_movie_trigrams"),
            GinIndex(fields=["titles_normalized"], name="catalog_movie_titles"),
            models.Index(fields=["title_normalized"], name="catalog_movie_title"),
            # LIKE 'matr%' uses an index only with this operator class, unless the server's
            # collation is C.
            models.Index(
                OpClass(models.F("title_normalized"), name="varchar_pattern_ops"),
                name="catalog_movie_title_prefix",
            ),
            models.Index(fields=["-rating_count", "id"], name="catalog_movie_popular"),
            models.Index(
                popularity_key().desc(),
                condition=models.Q(is_hidden=False),
                name="catalog_movie_in_turn",
            ),
            # Every list asks which films are hidden: a handful among all.
            models.Index(
                fields=["id"], condition=models.Q(is_hidden=True), name="catalog_movie_hidden"
            ),
            models.Index(fields=["-year", "id"], name="catalog_movie_year"),
            # Conditions of a search are met from the index alone.
            models.Index(
                fields=["id"],
                include=["year", "runtime_min", "language", "certification", "countries"],
                condition=models.Q(is_hidden=False),
                name="catalog_movie_facts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keeps the normalised titles right, with ``update_fields`` too."""
        fields = kwargs.get("update_fields")
        if fields is None or TITLE_FIELDS & set(fields):
            self.normalize_titles()
            if fields is not None:
                kwargs["update_fields"] = {*fields, *NORMALIZED_FIELDS}
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        """The film's page."""
        return reverse("catalog:movie", kwargs={"pk": self.pk})

    def normalize_titles(self) -> None:
        """Fill the normalised fields from the titles; bulk writers call it, ``save`` does."""
        titles = (self.title, self.original_title, *self.alternative_titles)
        # dict.fromkeys: distinct, in order.
        normalized = list(dict.fromkeys(normalize_title(title) for title in titles if title))
        self.title_normalized = normalized[0] if normalized else ""
        self.titles_normalized = normalized
        self.title_trigrams = trigrams(" ".join(normalized))

    @property
    def genre_names(self) -> list[str]:
        """Sorted by name; costs no query where ``genres`` is prefetched."""
        # Past the manager: making one took longer than all else that a card says (30 a page).
        prefetched = self.__dict__.get("_prefetched_objects_cache", {}).get("genres")
        genres = self.genres.all() if prefetched is None else prefetched
        return sorted(genre.name for genre in genres)

    @property
    def main_genre(self) -> str:
        """The genre that says most about the film; "" where it has none."""
        return main_genre(self.genre_names)

    @property
    def genre_labels(self) -> list[str]:
        """The genres in the reader's language."""
        return sorted(genre.label for genre in self.genres.all())

    @property
    def main_genre_label(self) -> str:
        """The main genre in the reader's language; "" where the film has none."""
        return genre_label(self.main_genre)

    @property
    def year_and_genre(self) -> str:
        """What stands under the title, in the reader's language: "1995 \u00b7 Crime"."""
        return year_and_genre(self.year, self.genre_names)

    @property
    def poster_version(self) -> int:
        """Changes with whatever the drawn pictures show, so that their addresses may be cached."""
        pictures = (self.poster_digest, self.backdrop_digest)
        return poster_version(
            self.pk, self.title, self.year, self.genre_names, self.countries, *pictures
        )


class Credit(models.Model):
    """Who did what in a film."""

    class Role(models.TextChoices):
        """The credits that we keep."""

        DIRECTOR = "director", "Director"
        WRITER = "writer", "Writer"
        CAST = "cast", "Cast"

    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="credits")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="credits")
    role = models.CharField(max_length=10, choices=Role.choices)
    position = models.PositiveSmallIntegerField(default=0)
    character = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["role", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["movie", "person", "role"], name="catalog_credit_movie_person_role"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role} of {self.movie_id}"


class ExternalId(models.Model):
    """A film's name in somebody else's books; one value names one film.

    IMDb's are written as IMDb does ("tt0114709"), the others are plain numbers.
    """

    class Source(models.TextChoices):
        """Whose books."""

        MOVIELENS = "movielens", "MovieLens"
        # MovieLens 100K numbers its films on its own.
        MOVIELENS_100K = "ml-100k", "MovieLens 100K"
        IMDB = "imdb", "IMDb"
        TMDB = "tmdb", "TMDB"

    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="external_ids")
    source = models.CharField(max_length=12, choices=Source.choices)
    value = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "value"], name="catalog_externalid_value"),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.value}"


class FieldSource(models.Model):
    """Where a field of a film came from and when; imports leave what an editor wrote."""

    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="field_sources")
    field = models.CharField(max_length=40)
    source = models.CharField(max_length=12, choices=DataSource.choices)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["movie", "field"], name="catalog_fieldsource_field")
        ]

    def __str__(self) -> str:
        return f"{self.movie_id}.{self.field} from {self.source}"


class Dataset(models.Model):
    """A body of historic ratings in the Parquet warehouse."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    # How the warehouse names films: MovieLens numbers, or IMDb numbers for the starter catalogue.
    id_source = models.CharField(max_length=12, choices=ExternalId.Source.choices)
    is_simulated = models.BooleanField(default=False)
    n_ratings = models.PositiveBigIntegerField(default=0)
    n_users = models.PositiveIntegerField(default=0)
    fingerprint = models.CharField(max_length=64, blank=True)
    licence_note = models.TextField(blank=True)
    imported_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


# Here so that Django finds them; they stand beside what is done with them.
from catalog.embeddings.models import (  # noqa: E402, F401 - they refer to Movie
    EncoderSpace,
    MovieEmbedding,
    SearchTerm,
)
from catalog.llm.models import LlmCall  # noqa: E402, F401 - as above
from catalog.tmdb.models import (  # noqa: E402, F401 - they refer to Movie
    CachedImage,
    EnrichmentRun,
    EnrichmentState,
    Franchise,
    RateLimit,
    TmdbFacts,
)


class Collection(models.Model):
    """Films that editors picked, shown as a row of the front page."""

    title = models.CharField(max_length=80, help_text="Shown above the row.")
    slug = models.SlugField(max_length=80, unique=True)
    is_shown = models.BooleanField(
        "shown", default=False, help_text="On the front page, where four of its films can be seen."
    )
    position = models.PositiveSmallIntegerField(default=0, help_text="Low numbers stand first.")
    films = models.ManyToManyField(Movie, through="CollectionEntry", related_name="collections")

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.title


class CollectionEntry(models.Model):
    """A film's place in a collection."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="entries")
    movie = models.ForeignKey(Movie, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = "film"
        constraints = [
            models.UniqueConstraint(fields=["collection", "movie"], name="catalog_collection_film")
        ]

    def __str__(self) -> str:
        return f"{self.movie_id} in {self.collection_id}"
