"""Films like a film: about the same things, and by the same people.

Films liked by the same people are the recommenders' business (recommendations.home).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalog.embeddings.nearest import film_vector, nearest_films
from catalog.models import Credit, Movie
from catalog.shelf import search_space
from catalog.tmdb.models import TmdbFacts

# Sequels are no discovery: so many films of one series may stand in a row, its own or another.
MAX_OF_SERIES = 2
# Known films first among equals; a tenth of a cosine is worth more than any fame.
FAME_STEP = 0.004
# Of 70,000 films most are known to nobody, and they would be most of any row. Beside a known film
# known ones stand first, but one place in four belongs to the others; beside an unknown film all
# are equal. Known: rated by a tenth as many people, five at most.
KNOWN_SHARE = 0.1
KNOWN_RATINGS = 5
OBSCURE_EVERY = 4
# Nearest films looked at: a tenth of them is known.
CANDIDATES = 300
ROLE_WEIGHT = {Credit.Role.DIRECTOR: 3.0, Credit.Role.WRITER: 2.0, Credit.Role.CAST: 1.0}
# Shorter words ("of", "man") are in too many titles to tie two films.
MIN_WORD = 4
_NUMBER = re.compile(r"(?: (?:part|chapter|episode|volume|vol))? \d{1,2}$")


@dataclass(frozen=True, slots=True)
class Similar:
    """A film like another; ``shared`` names the people that both have."""

    movie_id: int
    score: float
    shared: tuple[str, ...] = ()


def similar_by_meaning(
    movie: Movie, *, n: int, without: Iterable[int] = (), min_ratings: int | None = None
) -> list[Similar]:
    """Films about the same things, by the vectors of their texts; four queries.

    ``min_ratings``: how many people must have rated a film for it to stand among the known ones
    (0: no film is preferred for it; None: by how known ``movie`` is).
    """
    space = search_space()
    vector = film_vector(movie.pk, space) if space is not None else None
    if space is None or vector is None:
        return []
    near = nearest_films(vector, space, n=CANDIDATES)
    gone = {movie.pk, *without}
    scores = {pk: value for pk, value in near.as_dict().items() if pk not in gone}
    found = {pk: Similar(pk, value) for pk, value in scores.items()}
    return _best(movie, found, n=n, min_ratings=min_ratings)


def similar_by_makers(
    movie: Movie, *, n: int, without: Iterable[int] = (), min_ratings: int | None = None
) -> list[Similar]:
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
    return _best(movie, found, n=n, min_ratings=min_ratings)


def few_of_series(movie: Movie, ranked: Iterable[Similar], *, n: int) -> list[Similar]:
    """The first ``n`` visible films in their order, few of any series; two queries."""
    ranked = list(ranked)
    series = _series(movie, dict(_facts(film.movie_id for film in ranked)))
    return _capped([film for film in ranked if film.movie_id in series], series, n=n)


def _facts(movie_ids: Iterable[int]) -> Iterator[tuple[int, tuple[int, list[str]]]]:
    """(id, (ratings, titles)) of the visible among these films."""
    films = Movie.objects.visible().filter(pk__in=list(movie_ids))
    for pk, count, titles in films.values_list("pk", "rating_count", "titles_normalized"):
        yield pk, (count, titles)


def _best(
    movie: Movie, found: dict[int, Similar], *, n: int, min_ratings: int | None
) -> list[Similar]:
    """The ``n`` best: fame between equals, few of a series, some that hardly anybody knows."""
    films = dict(_facts(found))

    def order(film: Similar) -> tuple[float, int]:
        fame = FAME_STEP * math.log2(1 + films[film.movie_id][0])
        return (-film.score - fame, film.movie_id)

    if min_ratings is None:
        min_ratings = min(KNOWN_RATINGS, int(KNOWN_SHARE * movie.rating_count))
    ranked = sorted((found[pk] for pk in films), key=order)
    known = [film for film in ranked if films[film.movie_id][0] >= min_ratings]
    obscure = [film for film in ranked if films[film.movie_id][0] < min_ratings]
    mixed: list[Similar] = []
    while known or obscure:
        is_turn = len(mixed) % OBSCURE_EVERY == OBSCURE_EVERY - 1
        mixed.append((obscure if (is_turn and obscure) or not known else known).pop(0))
    return _capped(mixed, _series(movie, films), n=n)


def _capped(ranked: Iterable[Similar], series: dict[int, str], *, n: int) -> list[Similar]:
    """The first ``n``, without the third and later films of one series."""
    best: list[Similar] = []
    counts: Counter[str] = Counter()
    for film in ranked:
        name = series[film.movie_id]
        counts[name] += 1
        if counts[name] <= MAX_OF_SERIES:
            best.append(film)
            if len(best) == n:
                break
    return best


def _series(movie: Movie, films: dict[int, tuple[int, list[str]]]) -> dict[int, str]:
    """{film id: name of its series}: by TMDB's collections, and by titles; one query.

    Films whose titles continue ``movie``'s, or share a telling word with it, count as its series: a
    vector of few words is near every film of the same name ("Heat" and "Killer Heat").
    """
    rows = TmdbFacts.objects.filter(
        movie_id__in=[movie.pk, *films], franchise__isnull=False
    ).values_list("movie_id", "franchise_id")
    franchises = dict(rows)
    own = {_stem(title) for title in movie.titles_normalized}
    words = {word for stem in own for word in stem.split() if len(word) >= MIN_WORD}
    series = {}
    for pk, (_, titles) in films.items():
        stems = [_stem(title) for title in titles]
        is_own = (pk in franchises and franchises[pk] == franchises.get(movie.pk)) or any(
            _is_continued(one, stem) or words & set(stem.split()) for one in own for stem in stems
        )
        name = f"franchise {franchises[pk]}" if pk in franchises else (stems or [str(pk)])[0]
        series[pk] = "own" if is_own else name
    return series


def _stem(normalized: str) -> str:
    return _NUMBER.sub("", normalized)


def _is_continued(one: str, other: str) -> bool:
    """Whether the titles say so: "alien", "aliens", "alien resurrection"; "saw" and "saw"."""
    short, long = sorted((one, other), key=len)
    return long == short or (
        len(short) >= 4 and (long.startswith((f"{short} ", f"{short}s ")) or long == f"{short}s")
    )
