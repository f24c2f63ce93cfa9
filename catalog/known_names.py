"""The names that the catalogue knows, for the intent parser."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass

from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from catalog.models import Credit, Movie, Person
from catalog.search import search_films
from catalog.titles import fold, normalize_title

logger = logging.getLogger(__name__)

# People without a cue ("tom hanks comedies") need some films; a name in one film may be anything.
MIN_FILMS_UNCUED = 3
# A surname alone means the director whose films are seen most, if nobody else comes near.
MIN_FILMS_SURNAME = 4
_TTL_S = 900.0
_DIRECTED = Q(credits__role=Credit.Role.DIRECTOR)
_PLAIN = re.compile(r"[^\w' -]+")


@dataclass(frozen=True)
class _People:
    by_name: dict[str, tuple[str, int]]
    by_surname: dict[str, str]
    read_at: float


_lock = threading.Lock()
_people: _People | None = None


def people_forget() -> None:
    """Read the names again when next asked (tests, imports)."""
    global _people
    _people = None


def prepare_names() -> None:
    """Read the names, unless that was done before."""
    _known_people()


def _known_people() -> _People:
    """All names, read once in a while: some tens of thousands, a few MB.

    Who asks first waits for them; later they are read beside the requests, which have the old ones
    meanwhile.
    """
    global _people
    current = _people
    if current is None:
        with _lock:
            if _people is None:
                _people = _read_people()
            return _people
    if time.monotonic() - current.read_at > _TTL_S and _lock.acquire(blocking=False):
        threading.Thread(target=_read_again, name="names", daemon=True).start()
    return current


def _read_again() -> None:
    """In a thread that was given the lock."""
    global _people
    try:
        _people = _read_people()
    except DatabaseError as error:
        logger.warning("The names of people could not be read again: %s", error)
    finally:
        _lock.release()
        connection.close()


def _read_people() -> _People:
    now = time.monotonic()
    rows = Person.objects.annotate(
        n=Count("credits"),
        directed=Count("credits", filter=_DIRECTED),
        watched=Coalesce(Sum("credits__movie__rating_count", filter=_DIRECTED), 0),
    ).values_list("name", "n", "directed", "watched")
    by_name: dict[str, tuple[str, int]] = {}
    surnames: dict[str, Counter[str]] = {}
    for name, n, directed, watched in rows.iterator():
        key = _key(name)
        if n and (key not in by_name or by_name[key][1] < n):
            by_name[key] = (name, n)
        if directed >= MIN_FILMS_SURNAME and " " in key:
            surnames.setdefault(key.rsplit(" ", 1)[1], Counter())[name] = directed + watched
    by_surname = {
        surname: ranked[0][0]
        for surname, names in surnames.items()
        if (ranked := names.most_common(2))
        and (len(ranked) == 1 or ranked[0][1] >= 2 * ranked[1][1])
    }
    return _People(by_name, by_surname, now)


def _key(name: str) -> str:
    return " ".join(_PLAIN.sub(" ", fold(name)).split())


class CatalogNames:
    """People and titles, looked up in the catalogue."""

    def person(self, words: str, *, is_cued: bool) -> str | None:
        """The name as credited; a surname will do where the sentence says that it is a person."""
        people = _known_people()
        key = _key(words)
        found = people.by_name.get(key)
        if found is not None and " " in key and (is_cued or found[1] >= MIN_FILMS_UNCUED):
            return found[0]
        if is_cued and " " not in key:
            return people.by_surname.get(key)
        return None

    def film(self, words: str) -> str | None:
        """The id of the best-known film that has exactly this title; small slips are forgiven."""
        typed = normalize_title(words)
        if len(typed) < 2:
            return None
        exact = (
            Movie.objects.visible()
            .filter(titles_normalized__contains=[typed])
            .order_by("-rating_count", "pk")
            .values_list("pk", flat=True)
            .first()
        )
        if exact is not None:
            return str(exact)
        if len(typed) < 6:
            return None
        hits = search_films(words, limit=1, titles_only=True)
        return str(hits[0].movie_id) if hits and _is_slip(typed, hits[0].movie_id) else None


def _is_slip(typed: str, movie_id: int) -> bool:
    from rapidfuzz.distance import OSA

    titles = Movie.objects.filter(pk=movie_id).values_list("titles_normalized", flat=True).first()
    allowed = max(1, len(typed) // 8)
    return any(OSA.distance(typed, title) <= allowed for title in titles or ())
