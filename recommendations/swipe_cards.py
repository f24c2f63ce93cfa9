"""A dealt card as data: what the page's first card, the script and the API all show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from catalog.card_films import poster_url
from catalog.cards import MovieCard
from catalog.models import Credit, Movie
from recommendations.cards import cards_for
from recommendations.ranked import RankedList
from recommendations.swipe import SURFACE

MAX_CAST = 4


@dataclass(frozen=True)
class SwipeCard:
    """A film as the deck shows it; ``card`` carries reason, position and request."""

    card: MovieCard
    synopsis: str
    directors: tuple[str, ...]
    cast: tuple[str, ...]

    @property
    def movie(self) -> Movie:
        """The film."""
        return self.card.movie

    @property
    def poster_url(self) -> str:
        """The big poster: on a phone it fills the card, on sharp screens twice over."""
        return f"{poster_url(self.movie)}&size=w780"

    def as_dict(self) -> dict[str, Any]:
        """As the API describes it (:class:`recommendations.swipe_serializers`)."""
        movie = self.movie
        mean = movie.rating_mean
        return {
            "movie_id": movie.pk,
            "title": movie.title,
            "year": movie.year,
            "runtime_min": movie.runtime_min,
            "genres": movie.genre_names,
            "main_genre": movie.main_genre,
            "genre_labels": movie.genre_labels,
            "main_genre_label": movie.main_genre_label,
            "certification": movie.certification,
            "rating_mean": None if mean is None else round(mean, 2),
            "rating_count": movie.rating_count,
            "synopsis": self.synopsis,
            "directors": list(self.directors),
            "cast": list(self.cast),
            "url": movie.get_absolute_url(),
            "poster_url": self.poster_url,
            "source": self.card.source,
            "score": self.card.score,
            "position": self.card.position,
            "reason": [
                {"text": part.text, "is_strong": part.is_strong} for part in self.card.reason
            ],
        }


def swipe_cards(ranked: RankedList, *, request_id: str) -> tuple[SwipeCard, ...]:
    """The cards of a deal, in a fixed number of queries."""
    cards = cards_for(ranked.films, request_id=request_id, surface=SURFACE)
    ids = [card.movie.pk for card in cards]
    # Lists of cards leave the synopsis in the database; here it is shown.
    synopses = dict(Movie.objects.filter(pk__in=ids).values_list("pk", "synopsis"))
    makers = _makers(ids)
    return tuple(
        SwipeCard(
            card=card,
            synopsis=synopses.get(card.movie.pk, ""),
            directors=tuple(makers[card.movie.pk, Credit.Role.DIRECTOR]),
            cast=tuple(makers[card.movie.pk, Credit.Role.CAST][:MAX_CAST]),
        )
        for card in cards
    )


def _makers(movie_ids: Iterable[int]) -> dict[tuple[int, str], list[str]]:
    """Names by film and role, in the order of the credits."""
    names: dict[tuple[int, str], list[str]] = defaultdict(list)
    rows = (
        Credit.objects.filter(
            movie_id__in=list(movie_ids), role__in=[Credit.Role.DIRECTOR, Credit.Role.CAST]
        )
        .order_by("movie_id", "role", "position", "pk")
        .values_list("movie_id", "role", "person__name")
    )
    for movie_id, role, name in rows:
        names[movie_id, role].append(name)
    return names
