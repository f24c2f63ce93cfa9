"""Pages about films, and the fragments of them that htmx asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from catalog import hybrid
from catalog.card_films import CardFilm
from catalog.cards import MovieCard
from catalog.filters import SORT_NAMES, FilmFilters, chips, decade_links
from catalog.images import image_digest, image_file
from catalog.models import Movie
from catalog.names import language_name
from catalog.pictures import backdrop_svg, poster_svg
from catalog.reading import read_locally
from catalog.search import parse_query, search_films
from catalog.search_request import SearchRequest, chips_shown, offered_query
from catalog.selectors import (
    film_page,
    genres_all,
    languages_all,
    merged_into,
    movies_filtered,
    years_range,
)
from catalog.shelf import audience_is_simulated, films_for_cards

PAGE_SIZE = 30
SUGGESTIONS = 7
MIN_SUGGEST = 2
# With fewer titles than this, a request of some words is looked for by meaning, too.
MIN_TITLES = 3
MIN_WORDS_FOR_MEANING = 3
RUNTIMES = (
    (90, gettext_lazy("Up to 90 minutes")),
    (120, gettext_lazy("Up to two hours")),
    (150, gettext_lazy("Up to two and a half")),
)
MIN_RATINGS = (10, 50, 200, 1000)
_FOREVER = "public, max-age=31536000, immutable"
_SHORT = "public, max-age=300"


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """All films, narrowed by what the address says."""
    filters = FilmFilters.from_query(request.GET)
    genres = genres_all()
    languages = languages_all()
    page = _page(request, movies_filtered(filters).for_cards())
    first, last = years_range()
    context = {
        "filters": filters,
        "genres": genres,
        "languages": languages,
        "decades": decade_links(filters, first, last),
        "runtimes": RUNTIMES,
        "min_ratings": MIN_RATINGS,
        "sorts": list(SORT_NAMES.items()),
        "chips": chips(
            filters,
            genre_names={genre.slug: genre.label for genre in genres},
            language=language_name(filters.language),
        ),
        "is_audience_simulated": audience_is_simulated(),
        "page_obj": page,
        "cards": _cards(list(page), surface="browse"),
        "query": filters.as_query(),
    }
    return _page_or_part(
        request,
        context,
        page="catalog/browse.html",
        parts={"browse": "catalog/_browse.html", "results": "catalog/_browse_results.html"},
    )


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Films for what was typed, and the conditions that were read out of it, as chips."""
    asked = SearchRequest.from_query(request.GET)
    answer = hybrid.search(asked.text, chips=asked.chips)
    paginator = Paginator(answer.found, PAGE_SIZE)
    page = paginator.get_page(request.GET.get("page"))
    # The search has just looked which of them are visible.
    ids = [film.movie_id for film in page]
    films = films_for_cards(ids)
    context = {
        "search_query": asked.text,
        "is_empty_query": asked.is_empty,
        "chips": chips_shown(answer),
        "offered": offered_query(answer),
        "is_meaning_missing": answer.is_meaning_missing and answer.exact is None,
        "is_guess": answer.is_guess,
        "n_found": paginator.count,
        "page_obj": page,
        "query": asked.as_query(),
        "cards": [
            MovieCard[CardFilm](movie=films[pk], surface="search") for pk in ids if pk in films
        ],
    }
    return _page_or_part(
        request,
        context,
        page="catalog/search.html",
        parts={"results": "catalog/_search_results.html"},
    )


@require_safe
def suggest(request: HttpRequest) -> HttpResponse:
    """A few films while typing; the fragment alone, empty where there is nothing to say.

    Titles come first; where they are few and the request has words enough, films by meaning.
    """
    query = parse_query(request.GET.get("q", ""))
    ids: list[int] = []
    if len(query.normalized) >= MIN_SUGGEST:
        ids = [hit.movie_id for hit in search_films(query.raw, limit=SUGGESTIONS, titles_only=True)]
        if len(ids) < MIN_TITLES and len(query.normalized.split()) >= MIN_WORDS_FOR_MEANING:
            more = [
                film.movie_id
                for film in hybrid.search(query.raw, limit=SUGGESTIONS, reader=read_locally).found
            ]
            ids = list(dict.fromkeys([*ids, *more]))[:SUGGESTIONS]
    films = films_for_cards(ids)
    context = {
        "movies": [films[pk] for pk in ids if pk in films],
        "search_query": query.raw,
    }
    return render(request, "catalog/_suggestions.html", context)


@require_safe
def movie(request: HttpRequest, pk: int) -> HttpResponse:
    """One film; the address of a merged duplicate leads to it."""
    page = film_page(pk)
    if page is None:
        film_id = merged_into(pk)
        if film_id is None:
            raise Http404
        return redirect("catalog:movie", film_id, permanent=True)
    return render(request, "catalog/movie.html", {"page": page, "movie": page.movie})


@require_safe
def poster(request: HttpRequest, pk: int) -> HttpResponse:
    """A film's poster: the cached one (``?size=w185|w342|w780``), else a drawn one."""
    return _picture(request, pk, kind="poster", draw=poster_svg)


@require_safe
def backdrop(request: HttpRequest, pk: int) -> HttpResponse:
    """A film's backdrop: the cached one (``?size=w780|w1280``), else a drawn one."""
    return _picture(request, pk, kind="backdrop", draw=backdrop_svg)


def _picture(
    request: HttpRequest, pk: int, *, kind: str, draw: Callable[[Movie], str]
) -> HttpResponse:
    """Kept for ever where the address carries the version that it shows.

    An address with an old version gets the new picture, but not for long.
    """
    found = Movie.objects.visible().for_cards().filter(pk=pk).first()
    if found is None:
        raise Http404
    version = str(found.poster_version)
    cached = image_file(found, kind, request.GET.get("size", ""))
    # A picture that should be on our disk and is not: the drawn one stands in, for now.
    is_lasting = cached is not None or not image_digest(found, kind)
    etag = f'"{kind}-{version}-{cached.path.name if cached else "drawn"}"'
    response = get_conditional_response(request, etag=etag)
    if response is None and cached is not None:
        response = HttpResponse(cached.path.read_bytes(), content_type=cached.media_type)
    elif response is None:
        response = HttpResponse(draw(found), content_type="image/svg+xml; charset=utf-8")
    response["ETag"] = etag
    is_current = request.GET.get("v") == version and is_lasting
    response["Cache-Control"] = _FOREVER if is_current else _SHORT
    return response


def _cards(movies: list[Movie], *, surface: str) -> list[MovieCard]:
    return [MovieCard(movie=movie, surface=surface) for movie in movies]


def _page(request: HttpRequest, films: QuerySet[Movie]) -> Page[Movie]:
    return Paginator(films, PAGE_SIZE).get_page(request.GET.get("page"))


def _page_or_part(
    request: HttpRequest, context: dict[str, Any], *, page: str, parts: dict[str, str]
) -> HttpResponse:
    """The whole page, or the part that htmx is going to replace.

    Both have one address: ``Vary`` keeps a cached part from being shown as the page on Back.
    """
    htmx = request.htmx  # type: ignore[attr-defined]
    template = page
    if htmx and not htmx.history_restore_request:
        template = parts.get(htmx.target or "", page)
    response = render(request, template, context)
    if htmx and template != page and "query" in context:
        # The address without the form's empty fields.
        query, number = context["query"], request.GET.get("page")
        page_part = f"page={number}" if number and number.isdigit() else ""
        joined = "&".join(part for part in (query, page_part) if part)
        response["HX-Push-Url"] = f"{request.path}?{joined}" if joined else request.path
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
