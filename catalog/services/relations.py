"""Genres, keywords and credits of many films at once; only differences are written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.utils.text import slugify

from catalog.models import Credit, Genre, Keyword, Movie, Person
from catalog.services.records import CreditRecord


def genres_set(wanted: Mapping[int, Sequence[str]]) -> set[int]:
    """Give films exactly these genres; returns the ids of the films that changed."""
    names = {name for names in wanted.values() for name in names}
    Genre.objects.bulk_create(
        [Genre(name=name, slug=slugify(name)) for name in sorted(names)], ignore_conflicts=True
    )
    ids = dict(Genre.objects.filter(name__in=names).values_list("name", "pk"))
    return _sync(Movie.genres.through, "genre_id", wanted, ids)


def keywords_set(wanted: Mapping[int, Sequence[str]]) -> set[int]:
    """Give films exactly these keywords; returns the ids of the films that changed."""
    names = {name for names in wanted.values() for name in names}
    Keyword.objects.bulk_create(
        [Keyword(name=name) for name in sorted(names)], ignore_conflicts=True
    )
    ids = dict(Keyword.objects.filter(name__in=names).values_list("name", "pk"))
    return _sync(Movie.keywords.through, "keyword_id", wanted, ids)


def credits_set(wanted: Mapping[int, Sequence[CreditRecord]]) -> set[int]:
    """Give films exactly these credits; returns the ids of the films that changed.

    People are told apart by name alone here: no source of ours that says no more has two.
    """
    people = _people({credit.name for credits in wanted.values() for credit in credits})
    current: dict[int, set[tuple[int, str, int, str]]] = defaultdict(set)
    rows = Credit.objects.filter(movie_id__in=wanted)
    columns = ("movie_id", "person_id", "role", "position", "character")
    for movie_id, person, role, position, character in rows.values_list(*columns):
        current[movie_id].add((person, role, position, character))
    changed: dict[int, dict[tuple[int, str], tuple[int, str, int, str]]] = {}
    for movie_id, credits in wanted.items():
        target: dict[tuple[int, str], tuple[int, str, int, str]] = {}
        for position, credit in enumerate(credits):
            person = people[credit.name]
            key = (person, str(credit.role))
            target.setdefault(key, (*key, position, credit.character))
        if set(target.values()) != current[movie_id]:
            changed[movie_id] = target
    Credit.objects.filter(movie_id__in=changed).delete()
    Credit.objects.bulk_create(
        [
            Credit(
                movie_id=movie_id, person_id=person, role=role, position=position, character=name
            )
            for movie_id, target in changed.items()
            for person, role, position, name in target.values()
        ],
        batch_size=2000,
    )
    return set(changed)


def _people(names: set[str]) -> dict[str, int]:
    known = dict(Person.objects.filter(name__in=names).order_by("-pk").values_list("name", "pk"))
    missing = [Person(name=name) for name in sorted(names - known.keys())]
    for person in Person.objects.bulk_create(missing):
        known[person.name] = person.pk
    return known


def _sync(
    through: type, column: str, wanted: Mapping[int, Sequence[str]], ids: Mapping[str, int]
) -> set[int]:
    """Bring a plain many-to-many table to ``wanted``."""
    rows = through.objects.filter(movie_id__in=wanted)  # type: ignore[attr-defined]
    current = set(rows.values_list("movie_id", column))
    target = {(movie_id, ids[name]) for movie_id, names in wanted.items() for name in names}
    missing, extra = target - current, current - target
    if extra:
        films = {movie_id for movie_id, _ in extra}
        doomed = [
            pk
            for pk, movie_id, other_id in rows.filter(movie_id__in=films).values_list(
                "pk", "movie_id", column
            )
            if (movie_id, other_id) in extra
        ]
        rows.filter(pk__in=doomed).delete()
    through.objects.bulk_create(  # type: ignore[attr-defined]
        [through(movie_id=movie_id, **{column: other}) for movie_id, other in sorted(missing)],
        batch_size=5000,
    )
    return {movie_id for movie_id, _ in missing | extra}
