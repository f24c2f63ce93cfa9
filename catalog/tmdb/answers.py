"""TMDB's answer about a film, checked field by field: nothing unchecked reaches the catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from catalog.tmdb.errors import BadAnswerError

_IMAGE_PATH = re.compile(r"/[A-Za-z0-9_-]{1,100}\.(?:jpg|jpeg|png|webp)", re.ASCII)
_IMDB_ID = re.compile(r"tt\d{7,10}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_OFFERS = ("flatrate", "free", "ads", "rent", "buy")
# Jobs that TMDB lists under "Writing" and that mean authorship.
_WRITING_JOBS = frozenset({"Writer", "Screenplay", "Story", "Author"})
MAX_CAST = 10
MAX_KEYWORDS = 60


@dataclass(frozen=True)
class Part:
    """One person's part: director, writer or cast, in billing order within the part."""

    name: str
    role: str
    character: str = ""


@dataclass(frozen=True)
class Film:
    """A film as TMDB tells it; None or empty where it says nothing."""

    tmdb_id: int
    title: str
    original_title: str
    imdb_id: str | None
    released_on: date | None
    runtime_min: int | None
    language: str | None
    countries: tuple[str, ...]
    genres: tuple[str, ...]
    keywords: tuple[str, ...]
    tagline: str | None
    synopsis: str | None
    certification: str | None
    poster_path: str | None
    backdrop_path: str | None
    parts: tuple[Part, ...]
    franchise: tuple[int, str] | None
    vote_average: float | None
    vote_count: int | None
    popularity: float | None
    watch_providers: Mapping[str, Mapping[str, list[str]]] = field(default_factory=dict)


def read_film(data: Mapping[str, Any], *, tmdb_id: int, region: str) -> Film:
    """Check and take apart the answer of ``/3/movie/{tmdb_id}`` with everything appended.

    ``region`` is the country (ISO 3166-1) whose age rating counts. Raises ``BadAnswerError``,
    which names the field, for anything of another type than documented.
    """
    answer = _Reader(data)
    if answer.whole("id") != tmdb_id:
        raise BadAnswerError(f"the answer is about {data.get('id')!r}, not {tmdb_id}")
    title = answer.text("title")
    if not title:
        raise BadAnswerError("title is missing")
    imdb_id = answer.text("imdb_id")
    return Film(
        tmdb_id=tmdb_id,
        title=title[:300],
        original_title=(answer.text("original_title") or "")[:300],
        imdb_id=imdb_id if imdb_id and _IMDB_ID.fullmatch(imdb_id) else None,
        released_on=_date(answer.text("release_date")),
        runtime_min=_within(answer.whole("runtime"), 1, 1500),
        language=_matching(answer.text("original_language"), _LANGUAGE),
        countries=_distinct(
            code
            for item in answer.objects("production_countries")
            if (code := _matching(item.text("iso_3166_1"), _COUNTRY))
        ),
        genres=_names(answer.objects("genres"), 40),
        keywords=_names(answer.inner("keywords").objects("keywords"), 120)[:MAX_KEYWORDS],
        tagline=(answer.text("tagline") or "")[:300] or None,
        synopsis=(answer.text("overview") or "")[:5000] or None,
        certification=_certification(answer.inner("release_dates"), region),
        poster_path=_matching(answer.text("poster_path"), _IMAGE_PATH),
        backdrop_path=_matching(answer.text("backdrop_path"), _IMAGE_PATH),
        parts=_parts(answer.inner("credits")),
        franchise=_franchise(answer.inner("belongs_to_collection")),
        vote_average=answer.number("vote_average"),
        vote_count=_within(answer.whole("vote_count"), 0, (1 << 31) - 1),
        popularity=answer.number("popularity"),
        watch_providers=_providers(answer.inner("watch/providers")),
    )


class _Reader:
    """An object of an answer; each reader raises ``BadAnswerError`` for a wrong type."""

    def __init__(self, data: Mapping[str, Any], path: str = "") -> None:
        self._data = data
        self._path = path

    def text(self, name: str) -> str | None:
        value = self._value(name, str)
        if value is None:
            return None
        # Postgres holds neither NUL nor half a surrogate pair; nothing that people read does.
        return value.replace("\0", "").encode("utf-8", "ignore").decode().strip()

    def whole(self, name: str) -> int | None:
        return self._value(name, int)

    def number(self, name: str) -> float | None:
        value = self._value(name, (int, float))
        return None if value is None else float(value)

    def inner(self, name: str) -> _Reader:
        return _Reader(self._value(name, dict) or {}, f"{self._path}{name}.")

    def objects(self, name: str) -> list[_Reader]:
        items = self._value(name, list) or []
        if not all(isinstance(item, dict) for item in items):
            raise BadAnswerError(f"{self._path}{name} holds something else than objects")
        return [_Reader(item, f"{self._path}{name}[].") for item in items]

    def names(self) -> list[str]:
        return [name for name in self._data if isinstance(name, str)]

    def _value(self, name: str, kind: type | tuple[type, ...]) -> Any:
        value = self._data.get(name)
        # True is an int to Python; to TMDB it is not.
        if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
            return value
        raise BadAnswerError(f"{self._path}{name} is {type(value).__name__} {str(value)[:40]!r}")


def _date(value: str | None) -> date | None:
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise BadAnswerError(f"release_date is {value[:40]!r}") from error


def _within(value: int | None, low: int, high: int) -> int | None:
    """TMDB writes 0 for what it does not know."""
    return value if value is not None and low <= value <= high else None


def _matching(value: str | None, shape: re.Pattern[str]) -> str | None:
    return value if value and shape.fullmatch(value) else None


def _distinct(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _names(items: list[_Reader], longest: int) -> tuple[str, ...]:
    return _distinct(name[:longest] for item in items if (name := item.text("name")))


def _certification(releases: _Reader, region: str) -> str | None:
    """The first age rating of the region, that of the cinema (type 3) before others."""
    found: list[tuple[bool, str]] = []
    for country in releases.objects("results"):
        if country.text("iso_3166_1") == region:
            found += [
                (release.whole("type") != 3, rating[:16])
                for release in country.objects("release_dates")
                if (rating := release.text("certification"))
            ]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _parts(credits: _Reader) -> tuple[Part, ...]:
    directors, writers = [], []
    for member in credits.objects("crew"):
        name, job = member.text("name"), member.text("job")
        if name and job == "Director":
            directors.append(Part(name[:200], "director"))
        elif name and job in _WRITING_JOBS:
            writers.append(Part(name[:200], "writer"))
    billed = sorted(
        credits.objects("cast"),
        key=lambda player: order if (order := player.whole("order")) is not None else 1 << 30,
    )
    cast = [
        Part(name[:200], "cast", (player.text("character") or "")[:200])
        for player in billed
        if (name := player.text("name"))
    ]
    return (*directors, *writers, *cast[:MAX_CAST])


def _franchise(collection: _Reader) -> tuple[int, str] | None:
    number, name = collection.whole("id"), collection.text("name")
    return (number, name[:200]) if number is not None and number > 0 and name else None


def _providers(answer: _Reader) -> dict[str, dict[str, list[str]]]:
    results = answer.inner("results")
    found: dict[str, dict[str, list[str]]] = {}
    for country in results.names():
        if not _COUNTRY.fullmatch(country):
            continue
        offers = results.inner(country)
        kinds = {
            kind: list(
                _distinct(
                    name[:100]
                    for offer in offers.objects(kind)
                    if (name := offer.text("provider_name"))
                )
            )
            for kind in _OFFERS
        }
        if kinds := {kind: names for kind, names in kinds.items() if names}:
            found[country] = kinds
    return found
