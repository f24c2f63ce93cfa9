"""Finding a film at TMDB: by the id that somebody gave, by IMDb's, last by title and year.

Nothing is guessed in silence: how a film was found and how sure that is gets recorded, and a film
that could be two is left with the reason.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from catalog.titles import normalize_title
from catalog.tmdb.answers import Film, read_film
from catalog.tmdb.client import Details, TmdbClient
from catalog.tmdb.errors import NotFoundError
from catalog.tmdb.models import EnrichmentState
from catalog.tmdb.selection import DueFilm

Method = EnrichmentState.Method
MIN_CONFIDENCE = 0.8
# Normalised titles that agree this much (0-100) differ by a letter or two.
_NEAR_TITLE = 92.0
# Enough to believe a link whose IMDb id differs: "Pokemon 4 Ever" and "Pokémon 4Ever" have 96.
_LIKE_TITLE = 85.0


class UnsureError(Exception):
    """The film could not be told for certain; the message says why."""


@dataclass(frozen=True)
class Found:
    """TMDB's answer about a film. ``film`` is None where nothing changed since the last one."""

    tmdb_id: int
    method: EnrichmentState.Method
    confidence: float
    details: Details
    film: Film | None


@dataclass(frozen=True)
class Choice:
    """The film that a search found."""

    tmdb_id: int
    confidence: float


class LookUp:
    """Asks ``client``; ``owner_of`` says which of our films has a TMDB id, None where none has."""

    def __init__(
        self, client: TmdbClient, *, region: str, owner_of: Callable[[int], int | None]
    ) -> None:
        self._client = client
        self._region = region
        self._owner_of = owner_of

    def find(self, due: DueFilm) -> Found:
        """TMDB's answer about ``due``.

        Raises ``NotFoundError``, ``UnsureError`` and whatever the client raises.
        """
        doubt = ""
        if due.tmdb_id is not None:
            # Links age: TMDB merges and deletes entries. The other ways may still lead there.
            with contextlib.suppress(NotFoundError):
                found = self._details(due, Choice(due.tmdb_id, 1.0), Method.LINK)
                doubt = _doubt(due, found.film)
                if not doubt:
                    return found
        if due.imdb_id:
            results = self._client.find_by_imdb(due.imdb_id)
            ids = {item.get("id") for item in results} - {due.tmdb_id}
            if len(ids) == 1 and isinstance(tmdb_id := ids.pop(), int):
                return self._details(due, Choice(tmdb_id, 1.0), Method.IMDB)
        if doubt:
            raise UnsureError(doubt)
        return self._details(due, _search(self._client, due), Method.SEARCH)

    def _details(self, due: DueFilm, choice: Choice, method: EnrichmentState.Method) -> Found:
        is_link = method == Method.LINK
        if not is_link and (owner := self._owner_of(choice.tmdb_id)) not in (None, due.movie_id):
            raise UnsureError(f"TMDB {choice.tmdb_id} is film {owner} already")
        etag = due.etag if is_link else ""
        details = self._client.movie(choice.tmdb_id, etag=etag)
        film = None
        if details.data is not None:
            film = read_film(details.data, tmdb_id=choice.tmdb_id, region=self._region)
        return Found(choice.tmdb_id, method, choice.confidence, details, film)


def choose(due: DueFilm, results: Sequence[dict[str, Any]]) -> Choice:
    """The one result that is surely the film.

    Confidence: .95 the same title and year, .85 the same title a year apart (festival and cinema
    years differ), .8 a title within a letter or two and the same year. Raises ``UnsureError`` where
    none reaches ``MIN_CONFIDENCE`` or two are equally likely, ``NotFoundError`` without results.
    """
    scored: dict[int, float] = {}
    for item in results:
        tmdb_id = item.get("id")
        if isinstance(tmdb_id, int) and tmdb_id != due.tmdb_id:
            scored[tmdb_id] = max(scored.get(tmdb_id, 0.0), _confidence(due, item))
    if not scored:
        raise NotFoundError("no film of this title")
    best = max(scored.values())
    if best < MIN_CONFIDENCE:
        raise UnsureError(f"{len(scored)} films are called nearly so, none is it for certain")
    winners = [tmdb_id for tmdb_id, score in scored.items() if score == best]
    if len(winners) > 1:
        listed = ", ".join(str(number) for number in sorted(winners)[:5])
        raise UnsureError(f"{len(winners)} films of this title and year: TMDB {listed}")
    return Choice(winners[0], best)


def _search(client: TmdbClient, due: DueFilm) -> Choice:
    if due.year is None:
        raise UnsureError("no link and no year to search by")
    try:
        return choose(due, client.search(due.title, year=due.year))
    except NotFoundError:
        # TMDB's year filter is exact; ours may be that of the festival.
        return choose(due, client.search(due.title, year=None))


def _confidence(due: DueFilm, item: dict[str, Any]) -> float:
    names = [item.get("title"), item.get("original_title")]
    titles = {normalize_title(name) for name in names if isinstance(name, str) and name}
    released = item.get("release_date")
    year = int(released[:4]) if isinstance(released, str) and released[:4].isdigit() else None
    if year is None or due.year is None or abs(year - due.year) > 1:
        return 0.0
    if titles & set(due.titles_normalized):
        return 0.95 if year == due.year else 0.85
    return 0.8 if _nearness(due, titles) >= _NEAR_TITLE and year == due.year else 0.0


def _doubt(due: DueFilm, film: Film | None) -> str:
    """Why a link is wrong: it leads to another IMDb id and another title; "" where it does not.

    Links in data sets are sometimes wrong; titles alone differ all the time.
    """
    if film is None or not film.imdb_id or not due.imdb_id or film.imdb_id == due.imdb_id:
        return ""
    titles = {normalize_title(film.title), normalize_title(film.original_title)}
    if _nearness(due, titles) >= _LIKE_TITLE:
        return ""
    return (
        f"the link leads to {film.title[:150]!r} ({film.imdb_id}), "
        f"the film's IMDb id is {due.imdb_id}"
    )


def _nearness(due: DueFilm, titles: Collection[str]) -> float:
    """How alike the most alike of our titles and theirs are, 0-100."""
    return max(
        (fuzz.ratio(ours, theirs) for ours in due.titles_normalized for theirs in titles if theirs),
        default=0.0,
    )
