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
from recommendations.limits import barred_for
from recommendations.snapshot import current_snapshot

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
        ranked = similar_by_behaviour(movie.pk, snapshot, n=n * 4)
        liked = [
            Similar(film.movie_id, float(film.score or 0.0))
            for film in ranked
            if film.movie_id not in hidden
        ]
        behaviour = few_of_series(movie, liked, n=n)
    return SimilarRows(
        behaviour=tuple(behaviour),
        meaning=tuple(similar_by_meaning(movie, n=n, without=hidden, min_ratings=min_ratings)),
        makers=tuple(similar_by_makers(movie, n=n, without=hidden, min_ratings=min_ratings)),
    )


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
