"""Reads of the catalogue, each a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import (
    Case,
    Count,
    F,
    FloatField,
    IntegerField,
    Max,
    Min,
    Prefetch,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.filters import FilmFilters, Sort
from catalog.models import (
    CollectionEntry,
    Credit,
    DataSource,
    ExternalId,
    Genre,
    Movie,
)
from catalog.names import country_name, language_name
from catalog.querysets import MovieQuerySet
from catalog.search import search_films
from catalog.shelf import audience_is_simulated, remembered

# A film's mean counts as this many ratings of the average film more: three fives do not beat 200
# ratings of 4.4. The rating count of the median rated film in the larger MovieLens sets is near.
BAYES_WEIGHT = 25
_DEFAULT_MEAN = 3.5


@dataclass(frozen=True)
class LanguageChoice:
    """A language that films here have."""

    code: str
    name: str
    n_films: int


@dataclass(frozen=True)
class ExternalLink:
    """The film in somebody else's books."""

    name: str
    url: str


@dataclass(frozen=True)
class WatchOffer:
    """One way to watch a film in the operator's region, and who offers it."""

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class FilmPage:
    """All that a film's page shows of the film itself."""

    movie: Movie
    directors: tuple[str, ...]
    cast: tuple[Credit, ...]
    keywords: tuple[str, ...]
    links: tuple[ExternalLink, ...]
    offers: tuple[WatchOffer, ...]
    trailer_url: str
    countries: tuple[str, ...]
    language: str
    synopsis_source: str
    is_audience_simulated: bool

    @property
    def runtime(self) -> str:
        """ "2 h 34 min"; "" where nobody told us."""
        hours, minutes = divmod(self.movie.runtime_min or 0, 60)
        parts = (
            _("%(n)s h") % {"n": hours} if hours else "",
            _("%(n)s min") % {"n": minutes} if minutes else "",
        )
        return " ".join(part for part in parts if part)


def genres_all() -> list[Genre]:
    """Every genre, by its name in the reader's language; one query without a shelf."""
    genres = remembered("genres", lambda: list(Genre.objects.all()))
    return sorted(genres, key=lambda genre: genre.label)


def languages_all() -> list[LanguageChoice]:
    """Languages of visible films, the commonest first; one query without a shelf."""
    found = remembered("languages", _languages_counted)
    return [LanguageChoice(code, language_name(code), n) for code, n in found]


def _languages_counted() -> list[tuple[str, int]]:
    """(code, films); every film is looked at for it."""
    rows = (
        Movie.objects.visible()
        .exclude(language="")
        .values("language")
        .annotate(n=Count("pk"))
        .order_by("-n", "language")
    )
    return [(row["language"], row["n"]) for row in rows]


def years_range() -> tuple[int | None, int | None]:
    """The first and the last year that a visible film has; one query, answered by the index."""
    years = Movie.objects.visible().aggregate(first=Min("year"), last=Max("year"))
    return years["first"], years["last"]


def movies_filtered(filters: FilmFilters) -> MovieQuerySet:
    """Visible films within ``filters``, in their order.

    With ``q`` the search runs at once (two queries): the films are those it found, most relevant
    first where no other order is asked for.
    """
    films: MovieQuerySet = Movie.objects.visible()
    for slug in filters.genres:
        films = films.filter(genres__slug=slug)
    if filters.year_from:
        films = films.filter(year__gte=filters.year_from)
    if filters.year_to:
        films = films.filter(year__lte=filters.year_to)
    if filters.language:
        films = films.filter(language=filters.language)
    if filters.runtime_from:
        films = films.filter(runtime_min__gte=filters.runtime_from)
    if filters.runtime_to:
        films = films.filter(runtime_min__lte=filters.runtime_to)
    if filters.min_ratings:
        films = films.filter(rating_count__gte=filters.min_ratings)
    if filters.q:
        ids = [hit.movie_id for hit in search_films(filters.q)]
        films = films.filter(pk__in=ids)
        if filters.is_relevance:
            return by_relevance(films, ids)
    return ordered(films, filters.order)


def by_relevance(films: MovieQuerySet, ids: Sequence[int]) -> MovieQuerySet:
    """``films`` in the order of ``ids``; ``relevance`` is highest for the first."""
    whens = [When(pk=pk, then=Value(len(ids) - place)) for place, pk in enumerate(ids)]
    return films.annotate(
        relevance=Case(*whens, default=Value(0), output_field=IntegerField())
    ).order_by("-relevance", "-pk")


def ordered(films: MovieQuerySet, sort: Sort) -> MovieQuerySet:
    """``films`` in one of the orders; ties by id, so that pages never repeat or skip a film.

    Best rated costs a query for the average film.
    """
    if sort == Sort.BEST:
        return best_rated(films)
    if sort == Sort.NEWEST:
        return films.order_by(F("year").desc(nulls_last=True), "-pk")
    if sort == Sort.OLDEST:
        return films.order_by(F("year").asc(nulls_last=True), "pk")
    if sort == Sort.TITLE:
        return films.order_by("title_normalized", "pk")
    return films.order_by("-rating_count", "pk")


def best_rated(films: MovieQuerySet) -> MovieQuerySet:
    """``films`` by ``bayes_mean``: (n * mean + w * average) / (n + w), w = ``BAYES_WEIGHT``."""
    totals = Movie.objects.filter(rating_count__gt=0, rating_mean__isnull=False).aggregate(
        n=Sum("rating_count"), stars=Sum(F("rating_mean") * F("rating_count"))
    )
    average = totals["stars"] / totals["n"] if totals["n"] else _DEFAULT_MEAN
    count = Cast("rating_count", FloatField())
    mean = Case(When(rating_mean__isnull=False, then=F("rating_mean")), default=Value(0.0))
    return films.annotate(
        bayes_mean=(count * mean + Value(BAYES_WEIGHT * average)) / (count + Value(BAYES_WEIGHT))
    ).order_by("-bayes_mean", "-rating_count", "-pk")


def film_page(pk: int) -> FilmPage | None:
    """A visible film with all that its page shows, in six queries; None where there is none."""
    films = Movie.objects.visible().defer("search_vector", "title_trigrams")
    movie = (
        films.select_related("tmdb_facts")
        .prefetch_related(
            "genres",
            "keywords",
            "external_ids",
            Prefetch("credits", Credit.objects.select_related("person")),
            "field_sources",
        )
        .filter(pk=pk)
        .first()
    )
    if movie is None:
        return None
    all_credits = list(movie.credits.all())
    origins = {source.field: source.source for source in movie.field_sources.all()}
    synopsis_source = origins.get("synopsis", "") if movie.synopsis else ""
    return FilmPage(
        movie=movie,
        directors=tuple(
            credit.person.name for credit in all_credits if credit.role == Credit.Role.DIRECTOR
        ),
        cast=tuple(credit for credit in all_credits if credit.role == Credit.Role.CAST)[:12],
        keywords=tuple(keyword.name for keyword in movie.keywords.all()),
        links=_links(movie),
        offers=_offers(movie),
        trailer_url=_trailer_url(movie),
        countries=tuple(country_name(code) for code in movie.countries),
        language=language_name(movie.language) if movie.language else "",
        synopsis_source=str(DataSource(synopsis_source).label) if synopsis_source else "",
        is_audience_simulated=audience_is_simulated(),
    )


_LINKS = {
    ExternalId.Source.IMDB: "https://www.imdb.com/title/{}/",
    ExternalId.Source.TMDB: "https://www.themoviedb.org/movie/{}",
    ExternalId.Source.MOVIELENS: "https://movielens.org/movies/{}",
}


def _links(movie: Movie) -> tuple[ExternalLink, ...]:
    first: dict[str, str] = {}
    for external in sorted(movie.external_ids.all(), key=lambda known: known.pk):
        first.setdefault(external.source, external.value)
    return tuple(
        ExternalLink(source.label, pattern.format(first[source]))
        for source, pattern in _LINKS.items()
        if source in first
    )


@dataclass(frozen=True)
class Picks:
    """A collection that editors show, with its visible films in their order."""

    slug: str
    title: str
    movie_ids: tuple[int, ...]


def picks_shown() -> list[Picks]:
    """Editors' collections for the front page; one query."""
    rows = (
        CollectionEntry.objects.filter(collection__is_shown=True, movie__is_hidden=False)
        .order_by("collection__position", "collection_id", "position", "pk")
        .values_list("collection__slug", "collection__title", "movie_id")
    )
    films: dict[tuple[str, str], list[int]] = {}
    for slug, title, movie_id in rows:
        films.setdefault((slug, title), []).append(movie_id)
    return [Picks(slug, title, tuple(ids)) for (slug, title), ids in films.items()]


def merged_into(movie_id: int) -> int | None:
    """The visible film that a merged duplicate is; one query."""
    return (
        Movie.objects.filter(pk=movie_id, merged_into__is_hidden=False)
        .values_list("merged_into_id", flat=True)
        .first()
    )


_OFFER_KINDS = {
    "flatrate": gettext_lazy("With a subscription"),
    "free": gettext_lazy("Free"),
    "ads": gettext_lazy("Free with advertising"),
    "rent": gettext_lazy("To rent"),
    "buy": gettext_lazy("To buy"),
}


def _offers(movie: Movie) -> tuple[WatchOffer, ...]:
    """Where to watch the film in ``TMDB_REGION``; empty where TMDB was never asked."""
    facts = getattr(movie, "tmdb_facts", None)
    here = facts.watch_providers.get(settings.TMDB_REGION, {}) if facts is not None else {}
    return tuple(
        WatchOffer(str(label), tuple(here[kind]))
        for kind, label in _OFFER_KINDS.items()
        if here.get(kind)
    )


def _trailer_url(movie: Movie) -> str:
    """A search for the trailer: nobody told us which video it is, and none is embedded."""
    words = f"{movie.title} {movie.year or ''} trailer".replace("  ", " ")
    return f"https://www.youtube.com/results?{urlencode({'search_query': words})}"
