"""Films like a film, in three kinds that are told apart: behaviour, meaning, makers."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from accounts.models import User
from catalog.cards import MovieCard, MovieRow, ReasonPart
from catalog.models import Movie
from catalog.similar import Similar, few_of_series, similar_by_makers, similar_by_meaning
from feedback.selectors import feedback_of
from recommendations.home import similar_by_behaviour
from recommendations.item_vectors import similar_by_vectors
from recommendations.limits import barred_for
from recommendations.snapshot import Snapshot, current_snapshot

ROW_FILMS = 12
BEHAVIOUR, MEANING, MAKERS = "behaviour", "meaning", "makers"


@dataclass(frozen=True)
class SimilarRows:
    """The three kinds, each best first."""

    behaviour: tuple[Similar, ...]
    meaning: tuple[Similar, ...]
    makers: tuple[Similar, ...]

    def items(self) -> list[tuple[str, tuple[Similar, ...]]]:
        """(kind, films), in the order of the page."""
        return [(BEHAVIOUR, self.behaviour), (MEANING, self.meaning), (MAKERS, self.makers)]


def similar_films(
    movie: Movie,
    user: User | AnonymousUser,
    *,
    n: int = ROW_FILMS,
    min_ratings: int | None = None,
) -> SimilarRows:
    """Without what this person hid, or may not be shown.

    ``min_ratings``: as in ``catalog.similar``; films liked by the same people have their ratings.
    """
    hidden = feedback_of(user).hidden_ids | barred_for(user)
    snapshot = current_snapshot()
    behaviour: list[Similar] = []
    if snapshot is not None:
        liked = _by_behaviour(movie, snapshot, without=hidden, n=n * 4)
        behaviour = few_of_series(movie, liked, n=n)
    return SimilarRows(
        behaviour=tuple(behaviour),
        meaning=tuple(similar_by_meaning(movie, n=n, without=hidden, min_ratings=min_ratings)),
        makers=tuple(similar_by_makers(movie, n=n, without=hidden, min_ratings=min_ratings)),
    )


def _by_behaviour(
    movie: Movie, snapshot: Snapshot, *, without: frozenset[int], n: int
) -> list[Similar]:
    """Films that the same people liked; where these are few, films near it in the model's vectors.

    Common raters are the stronger witness, but a film that few have rated, or whose neighbours the
    person knows, has too few of them; the vectors know of tastes that no two people share exactly.
    """
    shared = [
        Similar(film.movie_id, float(film.score or 0.0))
        for film in similar_by_behaviour(movie.pk, snapshot, n=n * 4)
        if film.movie_id not in without
    ][:n]
    if len(shared) == n:
        return shared
    gone = without | {film.movie_id for film in shared}
    films = Movie.objects.visible().exclude(pk__in=gone)
    near = similar_by_vectors(movie.pk, snapshot, films=films, n=n - len(shared))
    return [*shared, *(Similar(movie_id, cosine) for movie_id, cosine in near if cosine > 0)]


def similar_page_rows(movie: Movie, user: User | AnonymousUser) -> list[MovieRow]:
    """The rows that have films, all cards in two queries."""
    rows = similar_films(movie, user)
    wanted = [film.movie_id for _kind, films in rows.items() for film in films]
    movies = {found.pk: found for found in Movie.objects.in_order(list(dict.fromkeys(wanted)))}
    titles = {
        BEHAVIOUR: (_("Liked by the same people as "), movie.title),
        MEANING: (_("About the same things as "), movie.title),
        MAKERS: (_("By the people who made "), movie.title),
    }
    return [
        MovieRow(
            slug=f"{kind}-{movie.pk}",
            title=(ReasonPart(titles[kind][0]), ReasonPart(titles[kind][1], is_strong=True)),
            cards=tuple(
                MovieCard(
                    movie=movies[film.movie_id],
                    reason=_reason(film),
                    source=f"similar-{kind}",
                    score=film.score,
                    position=place,
                    surface="similar",
                )
                for place, film in enumerate(films)
                if film.movie_id in movies
            ),
        )
        for kind, films in rows.items()
        if films
    ]


def _reason(film: Similar) -> tuple[ReasonPart, ...]:
    """Who made both; the other kinds have their reason in the row's title."""
    if not film.shared:
        return ()
    return (ReasonPart(_("also ")), ReasonPart(", ".join(film.shared[:2]), is_strong=True))
