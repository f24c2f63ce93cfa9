"""Films like a film: about the same things, and by the same people.

Films liked by the same people are the recommenders' business (recommendations.home).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.embeddings.nearest import active_space, film_vector, nearest_films
from catalog.models import Credit, Movie
from catalog.tmdb.models import TmdbFacts

# Sequels are no discovery: so many of a film's own series may stand in a row.
MAX_OF_SERIES = 2
# Known films first among equals; a tenth of a cosine is worth more than any fame, so that obscure
# films stay within reach.
FAME_STEP = 0.004
ROLE_WEIGHT = {Credit.Role.DIRECTOR: 3.0, Credit.Role.WRITER: 2.0, Credit.Role.CAST: 1.0}
_NUMBER = re.compile(r"(?: (?:part|chapter|episode|volume|vol))? \d{1,2}$")


@dataclass(frozen=True, slots=True)
class Similar:
    """A film like another; ``shared`` names the people that both have."""

    movie_id: int
    score: float
    shared: tuple[str, ...] = ()


def similar_by_meaning(movie: Movie, *, n: int, without: Iterable[int] = ()) -> list[Similar]:
    """Films about the same things, by the vectors of their texts; four queries."""
    space = active_space()
    vector = film_vector(movie.pk, space) if space is not None else None
    if space is None or vector is None:
        return []
    near = nearest_films(vector, space, films=Movie.objects.visible(), n=6 * n + 20)
    gone = {movie.pk, *without}
    scores = {pk: value for pk, value in near.as_dict().items() if pk not in gone}
    return _best(movie, {pk: Similar(pk, value) for pk, value in scores.items()}, n=n)


def similar_by_makers(movie: Movie, *, n: int, without: Iterable[int] = ()) -> list[Similar]:
    """Films that share directors, writers or leading players; four queries."""
    own = {
        (credit.person_id, credit.role): ROLE_WEIGHT[Credit.Role(credit.role)]
        / (1 + (credit.position / 2 if credit.role == Credit.Role.CAST else 0))
        for credit in movie.credits.all()
    }
    if not own:
        return []
    gone = {movie.pk, *without}
    rows = (
        Credit.objects.filter(person_id__in={person for person, _ in own}, movie__is_hidden=False)
        .order_by("role", "position", "pk")
        .values_list("movie_id", "person_id", "role", "person__name")
    )
    scores: dict[int, float] = defaultdict(float)
    names: dict[int, dict[str, None]] = defaultdict(dict)
    for movie_id, person_id, role, name in rows:
        if movie_id not in gone and (person_id, role) in own:
            scores[movie_id] += own[person_id, role]
            names[movie_id][name] = None
    found = {pk: Similar(pk, score, tuple(names[pk])) for pk, score in scores.items()}
    return _best(movie, found, n=n)


def _best(movie: Movie, found: dict[int, Similar], *, n: int) -> list[Similar]:
    """The ``n`` best with fame between equals, and few of the film's own series."""
    films = {
        pk: (count, titles)
        for pk, count, titles in Movie.objects.visible()
        .filter(pk__in=found)
        .values_list("pk", "rating_count", "titles_normalized")
    }

    def order(film: Similar) -> tuple[float, int]:
        fame = FAME_STEP * math.log2(1 + films[film.movie_id][0])
        return (-film.score - fame, film.movie_id)

    siblings = series_of(movie, {pk: titles for pk, (_, titles) in films.items()})
    best: list[Similar] = []
    n_siblings = 0
    for film in sorted((found[pk] for pk in films), key=order):
        n_siblings += film.movie_id in siblings
        if film.movie_id in siblings and n_siblings > MAX_OF_SERIES:
            continue
        best.append(film)
        if len(best) == n:
            break
    return best


def series_of(movie: Movie, titles: dict[int, list[str]]) -> set[int]:
    """Which of these films continue ``movie`` or it them: by TMDB's collections, and by title."""
    franchise = TmdbFacts.objects.filter(movie=movie, franchise__isnull=False).values("franchise")
    ids = set(
        TmdbFacts.objects.filter(movie_id__in=titles, franchise__in=franchise).values_list(
            "movie_id", flat=True
        )
    )
    own = {_stem(title) for title in movie.titles_normalized}
    for pk, names in titles.items():
        if any(_is_continued(stem, _stem(name)) for stem in own for name in names):
            ids.add(pk)
    return ids


def _stem(normalized: str) -> str:
    return _NUMBER.sub("", normalized)


def _is_continued(one: str, other: str) -> bool:
    """Whether the titles say so: "alien", "aliens", "alien resurrection"."""
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and (
        long == short or long.startswith((f"{short} ", f"{short}s ")) or long == f"{short}s"
    )
