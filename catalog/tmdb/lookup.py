"""Finding a film at TMDB: by the id that somebody gave, by IMDb's, last by title and year.

Nothing is guessed in silence: how a film was found and how sure that is gets recorded, and a film
that could be two is left with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def look_up(client: TmdbClient, due: DueFilm, *, region: str) -> Found:
    """TMDB's answer about ``due``.

    Raises ``NotFoundError``, ``UnsureError`` and whatever the client raises.
    """
    if due.tmdb_id is not None:
        try:
            details = client.movie(due.tmdb_id, etag=due.etag)
        except NotFoundError:
            # Links age: TMDB merges and deletes entries. The other ways may still lead there.
            pass
        else:
            found = _found(due.tmdb_id, Method.LINK, 1.0, details, region)
            _check_link(due, found.film)
            return found
    if due.imdb_id:
        ids = {item.get("id") for item in client.find_by_imdb(due.imdb_id)} - {due.tmdb_id}
        if len(ids) == 1 and isinstance(tmdb_id := ids.pop(), int):
            return _found(tmdb_id, Method.IMDB, 1.0, client.movie(tmdb_id), region)
    choice = _search(client, due)
    details = client.movie(choice.tmdb_id)
    return _found(choice.tmdb_id, Method.SEARCH, choice.confidence, details, region)


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
    near = max(
        (fuzz.ratio(ours, theirs) for ours in due.titles_normalized for theirs in titles),
        default=0.0,
    )
    return 0.8 if near >= _NEAR_TITLE and year == due.year else 0.0


def _found(
    tmdb_id: int,
    method: EnrichmentState.Method,
    confidence: float,
    details: Details,
    region: str,
) -> Found:
    film = None
    if details.data is not None:
        film = read_film(details.data, tmdb_id=tmdb_id, region=region)
    return Found(tmdb_id, method, confidence, details, film)


def _check_link(due: DueFilm, film: Film | None) -> None:
    """Links in data sets are sometimes wrong: another IMDb id and another title is another film."""
    if film is None or not film.imdb_id or not due.imdb_id or film.imdb_id == due.imdb_id:
        return
    titles = {normalize_title(film.title), normalize_title(film.original_title)}
    if titles & set(due.titles_normalized):
        return
    raise UnsureError(
        f"the link leads to {film.title!r} ({film.imdb_id}), the film's IMDb id is {due.imdb_id}"[
            :300
        ]
    )
