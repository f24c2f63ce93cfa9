"""What a web process knows of the films without asking: facts of all, cards of those shown lately.

Re-ranking looks at some 250 films a list and a page shows twenty of a few thousand; asking for them
anew cost a list a third of its processor time. A thread looks every second whether the catalogue
was written to, and puts a new shelf in the place of the old by one assignment: readers take no lock
and wait for nothing.

How old it may be: Postgres counts rows written per table and makes the counts known within 10 s of
the commit; a look a second, and at most a reading every five, while somebody writes on and
on. Together 16 s. Where nobody could look for ``MAX_AGE_S`` (no database, no counts) there is no
shelf, and everybody asks the database. Nothing that must not be shown depends on it: which films
are hidden is asked with every list (recommendations.limits).

Only a web process has one (``catalog.shelf_keeper``); elsewhere the functions here read the
database.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from accounts.prepared import prepared_cursor
from catalog.card_films import CardFilm, read_card_films
from catalog.embeddings.models import EncoderSpace
from catalog.embeddings.nearest import active_space
from catalog.facts import FilmFacts, read_facts
from catalog.marks import rows_written
from catalog.models import Dataset, Movie
from catalog.titles import variants_of

T = TypeVar("T")

MAX_AGE_S = 15.0
# Some 5 KB each; then the memory is begun anew.
MAX_CARDS = 10_000
# What cards and lines of an answer say of a film is a tenth of that.
MAX_FILMS = 40_000
FIRST_FILMS = 10_000
# Some .3 KB each.
MAX_TITLE_ROWS = 50_000
# What a new shelf begins with: what was shown last, or the films that most people rated.
FIRST_CARDS = 2000
_BATCH = 500
# Of 70,000 films all terms are 60 MB, those that people search for a fraction.
MAX_TERMS = 40_000
# No lexeme begins so: trigrams of titles and the note on the newest film live in the same table.
GRAM_MARK = "\u00a73:"
NEWEST_TERM = "\u00a7newest"


class Postings(NamedTuple):
    """The films of a term of the search index: int32[n] ids, ascending, and float16[n] impacts."""

    movie_ids: NDArray[np.int32]
    impacts: NDArray[np.float16]


class TitleRow(NamedTuple):
    """What a film's titles are compared by: as search spells them, its year, how many rated it.

    ``variants`` are the titles and shorter ways to write them; the longest has ``longest`` letters.
    """

    movie_id: int
    titles: tuple[str, ...]
    year: int | None
    rating_count: int
    variants: tuple[str, ...]
    longest: int

    @classmethod
    def of(cls, movie_id: int, titles: Sequence[str], year: int | None, count: int) -> TitleRow:
        """The row of a film."""
        variants = variants_of(titles)
        longest = max(map(len, variants), default=0)
        return cls(movie_id, tuple(titles), year, count, variants, longest)


_NO_FILMS, _NO_IMPACTS = np.empty(0, dtype="<i4"), np.empty(0, dtype="<f2")


@dataclass(frozen=True)
class Shelf:
    """One reading of the catalogue.

    ``cards``, ``films``, ``titles``, ``title_rows``, ``postings`` and ``answers`` remember what was
    asked for. Of the postings the note on the newest film that they know is always there, and never
    newer than they are.
    """

    mark: int
    facts: FilmFacts
    is_audience_simulated: bool
    space: EncoderSpace | None = None
    cards: dict[int, Movie] = field(default_factory=dict)
    films: dict[int, CardFilm] = field(default_factory=dict)
    titles: dict[int, str] = field(default_factory=dict)
    title_rows: dict[int, TitleRow] = field(default_factory=dict)
    postings: dict[str, Postings] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)


_shelf: Shelf | None = None
_looked_at = 0.0


def current_shelf() -> Shelf | None:
    """The shelf of this process; None where it has none, or none that is young enough."""
    shelf = _shelf
    return shelf if shelf is not None and monotonic() - _looked_at < MAX_AGE_S else None


def remembered(name: str, read: Callable[[], T]) -> T:
    """``read()``, an answer about all films, or what it was when the shelf was asked before."""
    shelf = current_shelf()
    if shelf is None:
        return read()
    if name not in shelf.answers:
        shelf.answers[name] = read()
    return shelf.answers[name]


def film_facts(movie_ids: Iterable[int]) -> FilmFacts:
    """Facts of these films at least; without a shelf one query."""
    shelf = current_shelf()
    return read_facts(movie_ids) if shelf is None else shelf.facts


def movies_for_cards(movie_ids: Sequence[int]) -> dict[int, Movie]:
    """The visible films among ``movie_ids``, with what a card shows: to be read, not written to.

    Two queries where some are not on the shelf.
    """
    shelf = current_shelf()
    if shelf is None:
        return {movie.pk: movie for movie in Movie.objects.in_order(movie_ids)}
    found = {pk: shelf.cards.get(pk) for pk in movie_ids}
    missing = [pk for pk, movie in found.items() if movie is None]
    if missing:
        found |= {movie.pk: movie for movie in Movie.objects.in_order(missing)}
        if len(shelf.cards) > MAX_CARDS:
            shelf.cards.clear()
        shelf.cards.update({pk: m for pk in missing if (m := found[pk]) is not None})
    return {pk: movie for pk, movie in found.items() if movie is not None}


def films_for_cards(movie_ids: Sequence[int]) -> dict[int, CardFilm]:
    """As ``movies_for_cards`` where a card's facts are all that is asked for; at most one query."""
    shelf = current_shelf()
    known = {} if shelf is None else shelf.films
    if shelf is not None:
        cards = [(pk, shelf.cards.get(pk)) for pk in movie_ids if pk not in known]
        known.update({pk: CardFilm.of(movie) for pk, movie in cards if movie is not None})
    found = {pk: film for pk in movie_ids if (film := known.get(pk)) is not None}
    if missing := [pk for pk in movie_ids if pk not in found]:
        read = read_card_films(missing)
        found |= read
        if len(known) > MAX_FILMS:
            known.clear()
        known.update(read)
    return found


def prepare_films() -> None:
    """What cards say of the films that most people rated; nothing without a shelf."""
    shelf = current_shelf()
    if shelf is None:
        return
    facts = shelf.facts
    first = facts.films.ids[np.argsort(-facts.popularity, kind="stable")[:FIRST_FILMS]].tolist()
    for start in range(0, len(first), _BATCH):
        films_for_cards(first[start : start + _BATCH])


def film_titles(movie_ids: Iterable[int]) -> dict[int, str]:
    """Titles by film id, of hidden films too; one query where some are not on the shelf."""
    wanted = set(movie_ids)
    shelf = current_shelf()
    known = {} if shelf is None else shelf.titles
    found = {pk: title for pk in wanted if (title := known.get(pk)) is not None}
    if missing := wanted - found.keys():
        read = dict(Movie.objects.filter(pk__in=missing).values_list("pk", "title"))
        found |= read
        if shelf is not None:
            if len(known) > MAX_CARDS:
                known.clear()
            known.update(read)
    return found


def title_rows() -> dict[int, TitleRow]:
    """Those that were looked at before, by film id, to be added to; without a shelf none."""
    shelf = current_shelf()
    if shelf is None:
        return {}
    if len(shelf.title_rows) > MAX_TITLE_ROWS:
        shelf.title_rows.clear()
    return shelf.title_rows


def audience_is_simulated() -> bool:
    """Whether the ratings shown were given by nobody; one query without a shelf."""
    shelf = current_shelf()
    return _is_simulated() if shelf is None else shelf.is_audience_simulated


def _is_simulated() -> bool:
    return Dataset.objects.filter(is_simulated=True).exists()


def search_space() -> EncoderSpace | None:
    """The encoder whose vectors search uses; one query without a shelf."""
    shelf = current_shelf()
    return active_space() if shelf is None else shelf.space


def postings_of(terms: Collection[str]) -> dict[str, Postings]:
    """The lists of these terms of the search index, by term; absent where it has none.

    One query where some are not on the shelf.
    """
    shelf = current_shelf()
    known = {} if shelf is None else shelf.postings
    # One look at each: another thread may empty the shelf between two.
    found = {term: postings for term in terms if (postings := known.get(term)) is not None}
    missing = [term for term in terms if term not in found]
    if missing:
        read = _read_postings(missing)
        found |= read
        if shelf is not None:
            if len(known) > MAX_TERMS:
                newest = found.get(NEWEST_TERM) or known.get(NEWEST_TERM)
                known.clear()
                known.update({} if newest is None else {NEWEST_TERM: newest})
            nothing = Postings(_NO_FILMS, _NO_IMPACTS)
            known.update({term: read.get(term, nothing) for term in missing})
    # In the order asked for, whatever was known: sums over them round alike.
    return {term: found[term] for term in terms if term in found and len(found[term].movie_ids)}


def _read_postings(terms: Collection[str]) -> dict[str, Postings]:
    # A long request has a hundred terms: the ORM would make a parameter of each.
    with prepared_cursor() as cursor:
        cursor.execute(
            "SELECT term, movie_ids, impacts FROM catalog_searchterm WHERE term = ANY (%s)",
            [list(terms)],
        )
        return {
            term: Postings(np.frombuffer(ids, dtype="<i4"), np.frombuffer(impacts, dtype="<f2"))
            for term, ids, impacts in cursor.fetchall()
        }


def rating_counts(
    movie_ids: Sequence[int], *, hidden: Collection[int] | None = None
) -> dict[int, int]:
    """How many people rated each of the visible films among these.

    One query where it is not given which films are ``hidden``, or where some are not known here.
    """
    shelf = current_shelf()
    if shelf is not None:
        at = shelf.facts.films.index(movie_ids)
        if (at >= 0).all():
            if hidden is None:
                hidden = _hidden_films()
            counts = shelf.facts.popularity[at].astype(int).tolist()
            pairs = zip(movie_ids, counts, strict=True)
            return {pk: count for pk, count in pairs if pk not in hidden}
    films = Movie.objects.visible().filter(pk__in=list(movie_ids))
    return dict(films.values_list("pk", "rating_count"))


def most_rated(movie_ids: NDArray[np.int64], n: int) -> list[int] | None:
    """The ``n`` visible ones that most people rated, ties by id, of ascending ``movie_ids``.

    One query; None where the shelf does not know them all.
    """
    shelf = current_shelf()
    at = None if shelf is None else shelf.facts.films.index(movie_ids)
    if shelf is None or at is None or (at < 0).any():
        return None
    hidden = np.fromiter(_hidden_films(), dtype=np.int64)
    is_shown = ~np.isin(movie_ids, hidden)
    ids, counts = movie_ids[is_shown], shelf.facts.popularity[at[is_shown]]
    if len(ids) > n:  # what is certainly not among the first is not sorted
        near = counts >= np.partition(counts, len(counts) - n)[len(counts) - n]
        ids, counts = ids[near], counts[near]
    return ids[np.argsort(-counts, kind="stable")[:n]].tolist()


def _hidden_films() -> set[int]:
    with prepared_cursor() as cursor:
        cursor.execute("SELECT id FROM catalog_movie WHERE is_hidden")
        return {movie_id for (movie_id,) in cursor.fetchall()}


_TABLES = (
    *("catalog_movie", "catalog_movie_genres", "catalog_genre"),
    *("catalog_dataset", "catalog_encoderspace", "catalog_searchterm", "catalog_externalid"),
)


def look_for_changes() -> Shelf | None:
    """Reads the catalogue where it was written to since, and swaps the new shelf in."""
    global _shelf, _looked_at  # noqa: PLW0603 - one reference assignment is the whole swap
    mark, shelf = rows_written(_TABLES), _shelf
    if mark is None:
        _shelf = None
        return None
    if shelf is None or shelf.mark != mark:
        # The mark was read first: what is written meanwhile makes the next one differ.
        shelf = _read(mark, before=shelf)
    _shelf, _looked_at = shelf, monotonic()
    return shelf


def _read(mark: int, *, before: Shelf | None) -> Shelf:
    facts = read_facts()
    shelf = Shelf(mark, facts, _is_simulated(), active_space())
    shelf.postings.update(_read_postings([NEWEST_TERM]))
    first = list(before.cards)[-FIRST_CARDS:] if before is not None else []
    first = first or facts.films.ids[np.argsort(-facts.popularity)[:FIRST_CARDS]].tolist()
    for start in range(0, len(first), _BATCH):
        films = Movie.objects.in_order(first[start : start + _BATCH])
        shelf.cards.update({movie.pk: movie for movie in films})
    shelf.titles.update({pk: movie.title for pk, movie in shelf.cards.items()})
    return shelf


def forget_shelf() -> None:
    """As in a process that keeps none (tests)."""
    global _shelf  # noqa: PLW0603 - see above
    _shelf = None
