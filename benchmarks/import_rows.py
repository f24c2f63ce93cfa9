"""Rows as people's files have them, each with the film that it means, made from facts.

Truth is TMDB's id. What the rows say is varied by rule, not by hand: another year, another script,
a slip. A part of the films is taken out of the catalogue first: their rows mean nothing here, and
the film that only shares their title must not be taken for them.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

# Thresholds of feedback.imports.matching were chosen on the rows of seeds 20 to 22.
SEED = 31
# Namesakes a year apart are 9 in 1,000 of the known films: a fifth of a kind is their share.
RARE = {"neighbour_missing": 5}
_ROMAN = {"II": "2", "III": "3", "IV": "4", "VI": "6", "VII": "7", "VIII": "8"}
_ARABIC = {value: key for key, value in _ROMAN.items()}


@dataclass(frozen=True)
class Film:
    """The facts of one film."""

    tmdb_id: int
    imdb_id: str
    title: str
    original_title: str
    year: int
    director: str
    votes: int


@dataclass(frozen=True)
class LabelledRow:
    """What a file says, and the film it means: None where no film of the catalogue is meant, or
    where the row does not tell which (``is_open``: not counted in recall)."""

    kind: str
    title: str
    year: int | None
    truth: int | None
    ids: tuple[tuple[str, str], ...] = ()
    directors: tuple[str, ...] = ()
    is_open: bool = False
    wrong_too: frozenset[int] = field(default_factory=frozenset)


@dataclass
class World:
    """All films, those with the same title, and those that are taken out."""

    films: list[Film]
    known: list[Film]
    by_title: dict[str, list[Film]]
    removed: set[int] = field(default_factory=set)

    def twins(self, film: Film) -> list[Film]:
        """Others with this title."""
        return [other for other in self.by_title[key(film.title)] if other != film]


def key(title: str) -> str:
    """Equal for titles that differ in case, accents and signs only."""
    plain = unicodedata.normalize("NFKD", title.casefold().replace("&", "and"))
    return re.sub(r"[^\w]+", "", "".join(c for c in plain if not unicodedata.combining(c)))


def world_of(table: Path) -> World:
    """All films; the year is 0 where nobody knows it.

    ``known`` are the 12,000 with the most votes that have a year and an IMDb id.
    """
    frame = pl.read_parquet(table).filter(
        pl.col("title").is_not_null() & (pl.col("title").str.strip_chars() != "")
    )
    columns = ("tmdb_id", "imdb_id", "title", "original_title", "year", "director", "vote_count")
    films = [
        Film(tmdb, imdb or "", title, original or "", year or 0, director or "", votes or 0)
        for tmdb, imdb, title, original, year, director, votes in frame.select(columns).rows()
    ]
    films.sort(key=lambda film: (-film.votes, film.tmdb_id))
    by_title: dict[str, list[Film]] = defaultdict(list)
    for film in films:
        by_title[key(film.title)].append(film)
        if film.original_title and key(film.original_title) != key(film.title):
            by_title[key(film.original_title)].append(film)
    known = [film for film in films if film.imdb_id and film.year]
    return World(films, known[:12_000], by_title)


def labelled_rows(world: World, *, n: int) -> list[LabelledRow]:
    """About ``n`` rows of each kind; the same for the same table. Fills ``world.removed``."""
    rng = random.Random(SEED)
    shuffled = rng.sample(world.known, len(world.known))
    rows: list[LabelledRow] = []
    used: set[int] = set()
    for kind, make in KINDS.items():
        made = 0
        for film in shuffled:
            if made == n // RARE.get(kind, 1):
                break
            if film.tmdb_id in used:
                continue
            row = make(world, film, rng)
            if row is None:
                continue
            rows.append(row)
            used.add(film.tmdb_id)
            used |= {twin.tmdb_id for twin in world.twins(film)}
            made += 1
        assert made, f"no row of kind {kind}"
    return rows


Maker = Callable[[World, Film, random.Random], LabelledRow | None]


def _is_only(world: World, film: Film, title: str | None = None, *, years: int = 2) -> bool:
    """No other film has this title within so many years: name and year tell which is meant."""
    others = world.by_title.get(key(title if title is not None else film.title), [])
    return all(o.tmdb_id == film.tmdb_id or abs(o.year - film.year) > years for o in others)


def _row(kind: str, film: Film, title: str, year: int | None = None) -> LabelledRow:
    return LabelledRow(kind, title, film.year if year is None else year, film.tmdb_id)


def plain(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    return _row("plain", film, film.title) if _is_only(world, film) else None


def same_title(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """Another film has this title, some years away."""
    if not world.twins(film) or not _is_only(world, film):
        return None
    return _row("same title", film, film.title)


def same_title_year_off(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    if not world.twins(film) or not _is_only(world, film, years=3):
        return None
    return _row("same title, year +-1", film, film.title, film.year + rng.choice((-1, 1)))


def remake_missing(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """The catalogue has only the other film of this title."""
    if not world.twins(film) or not _is_only(world, film, years=2):
        return None
    return _absent(world, "remake missing here", film)


def neighbour_missing(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """The same, and the other one is of the year before or after: the hardest."""
    near = [twin for twin in world.twins(film) if abs(twin.year - film.year) == 1]
    return _absent(world, "namesake a year away missing here", film) if near else None


def missing(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    return None if world.twins(film) else _absent(world, "not in the catalogue", film)


def missing_with_id(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """Id, title and year of a film that is not here; one of the same title is."""
    if not world.twins(film):
        return None
    return _absent(world, "id of a film missing here", film, (("imdb", film.imdb_id),))


def _absent(
    world: World, kind: str, film: Film, ids: tuple[tuple[str, str], ...] = ()
) -> LabelledRow | None:
    """Takes the film out of the catalogue. None where the table has it twice (0: without year)."""
    if any(twin.year in (film.year, 0) for twin in world.twins(film)):
        return None
    world.removed.add(film.tmdb_id)
    return LabelledRow(kind, film.title, film.year, None, ids)


def year_off(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    if world.twins(film):
        return None
    return _row("year +-1", film, film.title, film.year + rng.choice((-1, 1)))


def accents(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """Accents left out, or written as two characters."""
    if film.title.isascii() or not _is_only(world, film):
        return None
    apart = unicodedata.normalize("NFD", film.title)
    bare = "".join(char for char in apart if not unicodedata.combining(char))
    return _row("accents", film, rng.choice((apart, bare))) if apart != film.title else None


def original(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """The original title, in whatever script."""
    title = film.original_title
    if not title or key(title) == key(film.title) or not key(title):
        return None
    return _row("original title", film, title) if _is_only(world, film, title) else None


def ampersand(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    if not _is_only(world, film):
        return None
    if " & " in film.title:
        return _row("& and and", film, film.title.replace(" & ", " and "))
    if " and " in film.title:
        return _row("& and and", film, film.title.replace(" and ", " & "))
    return None


def numerals(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """II for 2 and 2 for II, behind the first word."""
    words = film.title.split()
    for at, word in enumerate(words[1:], start=1):
        bare = word.rstrip(":")
        other = _ROMAN.get(bare) or _ARABIC.get(bare)
        if other and _is_only(world, film):
            words[at] = word.replace(bare, other)
            return _row("numerals", film, " ".join(words))
    return None


def article(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    first, _space, rest = film.title.partition(" ")
    if first not in {"The", "A", "An"} or not rest:
        return None
    if not _is_only(world, film) or not _is_only(world, film, rest):
        return None
    return _row("article behind", film, rng.choice((f"{rest}, {first}", rest)))


def signs(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """Colons, apostrophes and dashes left out, or all in capitals."""
    bare = re.sub(r"[':\-,.!?]", lambda sign: " " if sign[0] in ":-" else "", film.title)
    if bare == film.title or not _is_only(world, film) or len(key(film.title)) < 3:
        return None
    return _row("signs and capitals", film, rng.choice((bare, bare.upper(), film.title.upper())))


def short(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """Without what follows the colon."""
    head, colon, tail = film.title.partition(": ")
    if not colon or len(head.split()) < 2 or len(head) < 8:
        return None
    if tail.casefold().startswith(("part", "chapter", "volume")) or tail[:1].isdigit():
        return None  # the number tells films apart
    is_series = sum(o.title.startswith(head) and o.year == film.year for o in world.films) > 1
    if is_series or not _is_only(world, film, head, years=3):
        return None
    return _row("without its subtitle", film, head)


def slip(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """One letter left out, doubled or changed for its neighbour."""
    letters = [i for i, char in enumerate(film.title) if char.isalpha() and char.isascii()]
    if len(letters) < 9 or not _is_only(world, film):
        return None
    at = rng.choice(letters[1:-1])
    changed = rng.choice(
        (
            film.title[:at] + film.title[at + 1 :],
            film.title[:at] + film.title[at] + film.title[at:],
            film.title[: at - 1] + film.title[at] + film.title[at - 1] + film.title[at + 1 :],
        )
    )
    return _row("a slip", film, changed) if key(changed) != key(film.title) else None


def yearless(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """No year, and no other film of that title among all 70,000."""
    if world.twins(film):
        return None
    return LabelledRow("no year", film.title, None, film.tmdb_id)


def yearless_twins(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """No year and several films of that title: nobody could say which."""
    if not any(twin.title == film.title for twin in world.twins(film)):
        return None
    return LabelledRow("no year, several films", film.title, None, None, is_open=True)


def by_director(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """No year, several films of that title, and the director."""
    twins = world.twins(film)
    if not twins or not film.director or "," in film.director:
        return None
    if any(twin.director in ("", film.director) for twin in twins):
        return None
    return LabelledRow(
        "director instead of year", film.title, None, film.tmdb_id, directors=(film.director,)
    )


def id_alone(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """An id with a title that nobody here knows."""
    return LabelledRow(
        "id, title of another language",
        f"{film.title[::-1]}",
        film.year,
        film.tmdb_id,
        (("imdb", film.imdb_id),),
    )


def wrong_id(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """TMDB's id of another film beside title and year: either is better asked about."""
    if not _is_only(world, film):
        return None
    other = rng.choice(world.known)
    if key(other.title) == key(film.title) or abs(other.year - film.year) < 5:
        return None
    ids = (("tmdb", str(other.tmdb_id)),)
    return LabelledRow("id of another film", film.title, film.year, None, ids, is_open=True)


def ids_disagree(world: World, film: Film, rng: random.Random) -> LabelledRow | None:
    """IMDb's id is right, TMDB's another film's, and the title says which."""
    if not _is_only(world, film):
        return None
    other = rng.choice(world.known)
    ids = (("imdb", film.imdb_id), ("tmdb", str(other.tmdb_id)))
    return LabelledRow("two ids disagree", film.title, film.year, film.tmdb_id, ids)


KINDS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        *(neighbour_missing, remake_missing, missing_with_id, missing),
        *(same_title, same_title_year_off, year_off, numerals, ampersand, accents),
        *(original, article, signs, short, slip, by_director, yearless_twins),
        *(plain, yearless, id_alone, wrong_id, ids_disagree),
    )
}


def counts(rows: list[LabelledRow]) -> Iterator[tuple[str, int]]:
    """(kind, rows) in their order."""
    return iter(Counter(row.kind for row in rows).items())
