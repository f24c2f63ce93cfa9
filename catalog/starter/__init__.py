"""The bundled starter catalogue: what a machine without network and without MovieLens shows.

The films lie beside this module as ``films-*.jsonl``, one JSON object a line. Titles, years,
runtimes, directors, countries and ids are facts; genres use MovieLens' names; every synopsis and
keyword was written for this project. The audience that rates them is simulated (``audience``).
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GENRES = frozenset(
    {
        "Action",
        "Adventure",
        "Animation",
        "Children",
        "Comedy",
        "Crime",
        "Documentary",
        "Drama",
        "Fantasy",
        "Film-Noir",
        "Horror",
        "Musical",
        "Mystery",
        "Romance",
        "Sci-Fi",
        "Thriller",
        "War",
        "Western",
    }
)
CERTIFICATIONS = frozenset({"G", "PG", "PG-13", "R", "NC-17"})

_STARTER_DIR = Path(__file__).resolve().parent
_SENTENCE_END = re.compile(r"[.!?][\"'”’)]*(?=\s|$)")


class StarterCatalogueError(ValueError):
    """A line of a starter file is broken; the message names the file, the line and the field."""


@dataclass(frozen=True, slots=True)
class StarterFilm:
    """One film of the starter catalogue; ``runtime`` is in minutes, ``language`` ISO 639-1."""

    slug: str
    title: str
    original_title: str
    year: int
    runtime: int
    genres: tuple[str, ...]
    directors: tuple[str, ...]
    language: str
    countries: tuple[str, ...]
    tmdb_id: int | None
    imdb_id: str
    movielens_id: int | None
    synopsis: str
    keywords: tuple[str, ...]
    certification: str | None

    @property
    def decade(self) -> int:
        """The first year of the film's decade: 1995 gives 1990."""
        return self.year // 10 * 10


def load_starter_films(paths: Iterable[Path] | None = None) -> list[StarterFilm]:
    """Read and check the starter files, oldest film first.

    ``paths`` defaults to the bundled files. Raises ``StarterCatalogueError`` at the first line that
    is not JSON, lacks a field, has an unknown one or a value out of range, or repeats an id.
    """
    files = sorted(_STARTER_DIR.glob("films-*.jsonl")) if paths is None else list(paths)
    if not files:
        raise StarterCatalogueError(f"no films-*.jsonl in {_STARTER_DIR}")
    films: list[StarterFilm] = []
    seen: dict[tuple[str, object], str] = {}
    for path in files:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            where = f"{path.name}, line {number}"
            film = _parse_film(line, where=where)
            _refuse_repeats(film, where=where, seen=seen)
            films.append(film)
    return sorted(films, key=lambda film: (film.year, film.slug))


def _parse_film(line: str, *, where: str) -> StarterFilm:
    try:
        raw = json.loads(line)
    except json.JSONDecodeError as error:
        raise StarterCatalogueError(f"{where}: not valid JSON ({error.msg})") from error
    if not isinstance(raw, dict):
        raise StarterCatalogueError(f"{where}: expected a JSON object")
    for name in _CHECKS:
        if name not in raw:
            raise StarterCatalogueError(f"{where}: field {name!r} is missing")
    for name, value in raw.items():
        check = _CHECKS.get(name)
        if check is None:
            raise StarterCatalogueError(f"{where}: field {name!r} is unknown")
        problem = check(value)
        if problem:
            raise StarterCatalogueError(f"{where}: field {name!r} {problem}, got {value!r}")
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
    return StarterFilm(**fields)


def _refuse_repeats(film: StarterFilm, *, where: str, seen: dict[tuple[str, object], str]) -> None:
    for name in ("slug", "imdb_id", "tmdb_id", "movielens_id"):
        value = getattr(film, name)
        if value is None:
            continue
        if (name, value) in seen:
            first = seen[name, value]
            raise StarterCatalogueError(f"{where}: field {name!r} repeats {value!r} of {first}")
        seen[name, value] = where


class _Text:
    """The whole value must match ``pattern``; ``None`` passes where ``optional``."""

    def __init__(self, pattern: str, says: str, *, optional: bool = False) -> None:
        self.pattern, self.says, self.is_optional = re.compile(pattern), says, optional

    def __call__(self, value: Any) -> str:
        if value is None and self.is_optional:
            return ""
        matches = isinstance(value, str) and self.pattern.fullmatch(value)
        return "" if matches else f"must be {self.says}"


class _Number:
    """An integer between ``low`` and ``high``, both included."""

    def __init__(self, low: int, high: int, *, optional: bool = False) -> None:
        self.low, self.high, self.is_optional = low, high, optional

    def __call__(self, value: Any) -> str:
        if value is None and self.is_optional:
            return ""
        # bool is an int to Python, and is none to a reader of the file.
        if (
            isinstance(value, int)
            and not isinstance(value, bool)
            and self.low <= value <= self.high
        ):
            return ""
        return f"must be a whole number from {self.low} to {self.high}"


class _Names:
    """A list of ``low`` to ``high`` different strings, each accepted by ``one``."""

    def __init__(self, one: _Text, *, low: int = 1, high: int = 20) -> None:
        self.one, self.low, self.high = one, low, high

    def __call__(self, value: Any) -> str:
        if not isinstance(value, list) or not self.low <= len(value) <= self.high:
            return f"must be a list of {self.low} to {self.high} entries"
        problem = next((found for entry in value if (found := self.one(entry))), "")
        if problem:
            return f"has an entry that {problem}"
        return "" if len(set(value)) == len(value) else "repeats an entry"


def _check_synopsis(value: Any) -> str:
    if not isinstance(value, str):
        return "must be text"
    if len(_SENTENCE_END.findall(value)) != 2 or not _SENTENCE_END.search(value[-2:]):
        return "must be exactly two sentences"
    return "" if 25 <= len(value.split()) <= 60 else "must have 25 to 60 words"


_NAME = _Text(r"\S(.*\S)?", "text without blanks at its ends")
_MAX_ID = 2**31 - 1
# Each check returns what is wrong with a value, or nothing.
_CHECKS: dict[str, Callable[[Any], str]] = {
    "slug": _Text(r"[a-z0-9]+(-[a-z0-9]+)*", "lower-case words joined by hyphens"),
    "title": _NAME,
    "original_title": _NAME,
    "year": _Number(1895, 2100),
    "runtime": _Number(1, 900),
    "genres": _Names(_Text("|".join(sorted(GENRES)), "one of MovieLens' genres")),
    "directors": _Names(_NAME),
    "language": _Text(r"[a-z]{2}", "an ISO 639-1 code"),
    "countries": _Names(_Text(r"[A-Z]{2}", "an ISO 3166 alpha-2 code")),
    "tmdb_id": _Number(1, _MAX_ID, optional=True),
    "imdb_id": _Text(r"tt\d{7,9}", "an IMDb id such as tt0113277"),
    "movielens_id": _Number(1, _MAX_ID, optional=True),
    "synopsis": _check_synopsis,
    "keywords": _Names(_Text(r"[^\sA-Z]([^A-Z]*[^\sA-Z])?", "lower-case words"), low=3, high=6),
    "certification": _Text("|".join(sorted(CERTIFICATIONS)), "a US certificate", optional=True),
}
