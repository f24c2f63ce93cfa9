"""Search that understands: conditions first, then titles, words and meaning in one order.

A request is read by the intent parser. Its hard parts become conditions in SQL that every film of
the answer meets; what words remain are looked for in titles, in all that films say (BM25), and by
meaning (vectors). A request that is a film's title is that film's title, whatever else it says.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from catalog.conditions import prepare_conditions
from catalog.embeddings.encoders import query_vectors
from catalog.embeddings.models import EncoderSpace
from catalog.embeddings.nearest import Near, film_vector
from catalog.embeddings.rough import follow_vectors
from catalog.fusion import FAIR_TITLE, FAME_WEIGHT, GOOD_TITLE, Evidence, weighted_scores
from catalog.intent import Chip, Kind, Reading
from catalog.known_names import prepare_names
from catalog.models import Movie
from catalog.reading import is_wish, read_request, tidied
from catalog.scope import Scope
from catalog.search import MAX_RESULTS, Hit, search_films
from catalog.shelf import prepare_films, search_space
from catalog.tmdb_ids import prepare_tmdb_ids
from catalog.words import films_by_words
from ml.text import unit_rows
from ml.types import FloatArray

# Each way of looking brings so many films; more moved no figure of benchmarks/search.py.
CANDIDATES = 200
# Longer requests are no titles; the longest titles in MovieLens have twenty words.
MAX_TITLE_WORDS = 20
MAX_WORDS_FOR_PARTS = 6


class Found(NamedTuple):
    """A film of an answer, and what speaks for it."""

    movie_id: int
    score: float
    is_exact: bool = False
    is_title: bool = False
    has_words: bool = False
    similarity: float | None = None
    meets_conditions: bool = False

    @property
    def why(self) -> tuple[str, ...]:
        """ "exact title" or "title", "words", "meaning 0.61", "conditions"."""
        parts = (
            "exact title" if self.is_exact else "title" if self.is_title else "",
            "words" if self.has_words else "",
            "" if self.similarity is None else f"meaning {self.similarity:.2f}",
            "conditions" if self.meets_conditions else "",
        )
        return tuple(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was understood and what was found.

    ``offered`` holds conditions that were read but not used, since the request is a title.
    ``is_meaning_missing``: the vectors could not be used; words alone decided.
    """

    reading: Reading
    found: tuple[Found, ...]
    offered: tuple[Chip, ...] = ()
    is_meaning_missing: bool = False

    @property
    def is_guess(self) -> bool:
        """Whether no title and no film has a word of the request: something is always nearest."""
        if not self.reading.text:
            return False
        return not any(film.is_exact or film.is_title or film.has_words for film in self.found)

    @property
    def exact(self) -> Found | None:
        """The film whose title was typed."""
        return self.found[0] if self.found and self.found[0].is_exact else None


def prepare() -> None:
    """Read what the first to search would wait for; what was read already is not read again.

    The encoder loads in a thread of its own.
    """
    space = search_space()
    if space is not None:
        query_vectors.prepare(space.encoder)
    prepare_conditions()
    prepare_films()
    prepare_names()
    prepare_tmdb_ids()


def follow() -> None:
    """What changes apart from the shelf: films' vectors."""
    follow_vectors(search_space())


def search(
    raw: str,
    *,
    chips: Sequence[Chip] | None = None,
    limit: int = MAX_RESULTS,
    wait_s: float = 0.0,
    reader=read_request,  # noqa: ANN001 - read_request or another parser of its shape
) -> Answer:
    """Visible films for a request, best first.

    With ``chips`` the text is taken as it is and these conditions hold: that is how chips are
    edited. ``wait_s`` is how long to wait for an encoder that is still loading.
    """
    text = tidied(raw)
    if not is_wish(text):
        text = ""
    titles = _title_hits(text)
    if chips is not None:
        reading = Reading(raw=text, chips=tuple(chips), text=text)
    elif text:
        reading = reader(text)
    else:
        reading = Reading(raw="", chips=(), text="")
    offered: tuple[Chip, ...] = ()
    if chips is None and reading.chips and _is_title(reading, titles):
        offered = reading.chips
        reading = Reading(raw=text, chips=(), text=text)
    if not reading.chips:  # no word is filler where all of them may be a title
        reading = Reading(raw=text, chips=(), text=text)
    if not reading.text and not reading.chips:
        return Answer(reading=reading, found=(), offered=offered)
    if reading.text != text:
        titles = [*(hit for hit in titles if hit.is_exact), *_title_hits(reading.text)]
    return replace(_answer(reading, titles, limit=limit, wait_s=wait_s), offered=offered)


def _title_hits(text: str) -> list[Hit]:
    if not text or len(text.split()) > MAX_TITLE_WORDS:
        return []
    return search_films(text, titles_only=True)


def _is_title(reading: Reading, titles: Sequence[Hit]) -> bool:
    """Whether the request is a film's title rather than a wish.

    A title letter for letter always is, unless it is a mere genre ("horror"). With slips it is
    where words remained that the conditions do not explain ("the italien job").
    """
    if not titles:
        return False
    best = max(titles, key=lambda hit: (hit.is_exact, hit.title_score))
    if best.is_exact:
        return bool(reading.text) or any(chip.kind is not Kind.GENRE for chip in reading.chips)
    return bool(reading.text) and best.title_score >= GOOD_TITLE


def _answer(reading: Reading, hits: Sequence[Hit], *, limit: int, wait_s: float) -> Answer:
    scope = Scope.of(reading)
    liked = [int(chip.value) for chip in reading.chips if chip.kind is Kind.LIKE]
    space = search_space()
    vector = _request_vector(reading.text, liked, space, wait_s=wait_s)
    words: dict[int, float] = {}
    if reading.text:
        ids, scores = films_by_words(reading.text, n=CANDIDATES, among=scope.few)
        words = dict(zip(ids.tolist(), scores.tolist(), strict=True))
        if not words and space is None:  # a catalogue that was not indexed yet
            words = {hit.movie_id: hit.score for hit in search_films(reading.text)}
    near = Near((), ())
    if vector is not None and space is not None:
        near = scope.nearest(vector, space, CANDIDATES, also=words)
    # In a long request a part of a title is chance; a whole one is not.
    least = FAIR_TITLE if len(reading.text.split()) <= MAX_WORDS_FOR_PARTS else GOOD_TITLE
    titles = {hit.movie_id: hit.title_score for hit in hits if hit.title_score >= least}
    exact = {hit.movie_id for hit in hits if hit.is_exact}
    evidence = Evidence(words=words, meaning=near.as_dict(), titles=titles)
    wants_meaning = bool(reading.text or liked)
    if not wants_meaning:
        found = _popular(reading, scope, limit=limit)
    else:
        n = limit + len(liked)
        found = _fused(
            reading, evidence, scope=scope, exact=exact, hits=hits, hidden=near.hidden, limit=n
        )
    found = [film for film in found if film.movie_id not in liked][:limit]
    return Answer(
        reading=reading,
        found=tuple(found),
        is_meaning_missing=wants_meaning and vector is None,
    )


def _request_vector(
    text: str, liked: Sequence[int], space: EncoderSpace | None, *, wait_s: float
) -> FloatArray | None:
    """The direction to look in: the words', the liked films', or half of each."""
    if space is None:
        return None
    parts: list[FloatArray] = []
    if text:
        vector = query_vectors.get(text, encoder=space.encoder, wait_s=wait_s)
        if vector is not None:
            parts.append(vector)
    films = [vector for pk in liked if (vector := film_vector(pk, space)) is not None]
    if films:
        parts.append(unit_rows(np.mean(films, axis=0, keepdims=True))[0])
    if not parts or not np.any(parts):
        return None
    return unit_rows(np.sum(parts, axis=0, keepdims=True))[0]


def _fused(
    reading: Reading,
    evidence: Evidence,
    *,
    scope: Scope,
    exact: set[int],
    hits: Sequence[Hit],
    hidden: Collection[int] | None,
    limit: int,
) -> list[Found]:
    # Words and titles are looked for everywhere; what may not be shown goes here.
    everything = {*evidence.words, *evidence.meaning, *evidence.titles}
    ratings = scope.keep(sorted(everything), hidden=hidden)
    shown = sorted(ratings)
    evidence = replace(evidence, ratings=ratings, taste=_taste(reading, set(shown)))
    # Who asks for films like one wants to discover; who tells a plot, to remember.
    fame_weight = FAME_WEIGHT if reading.text else 0.0
    is_exact = np.array([pk in exact for pk in shown], dtype=bool)
    scores = weighted_scores(shown, evidence, fame_weight=fame_weight) + 1000.0 * is_exact
    scores = scores.round(6)
    # Titles that come near keep the order of the search for titles, above all the rest: among
    # titles as good as each other fame decides.
    titles, meaning, words = evidence.titles, evidence.meaning, evidence.words
    is_named = np.array([titles.get(pk, 0.0) >= GOOD_TITLE for pk in shown], dtype=bool)
    found_by_title = {hit.movie_id: hit.score for hit in hits}
    title_score = np.array([found_by_title.get(pk, 0.0) for pk in shown]) * is_named
    order = np.lexsort((-scores, -title_score, ~is_exact, ~(is_named | is_exact)))[:limit]
    has_conditions = bool(reading.hard)
    return [
        Found(
            pk := shown[at],
            score,
            is_exact=is_first,
            is_title=is_near,
            has_words=pk in words,
            similarity=meaning.get(pk),
            meets_conditions=has_conditions,
        )
        for at, score, is_first, is_near in zip(
            order.tolist(),
            scores[order].tolist(),
            is_exact[order].tolist(),
            is_named[order].tolist(),
            strict=True,
        )
    ]


def _taste(reading: Reading, movie_ids: set[int]) -> dict[int, float]:
    """+1 for each genre of which more is wanted, -1 for less; one query where anything is."""
    steps = {
        chip.value: 1.0 if chip.kind is Kind.MORE else -1.0
        for chip in reading.chips
        if chip.kind in {Kind.MORE, Kind.LESS}
    }
    if not steps:
        return {}
    rows = Movie.genres.through.objects.filter(
        movie_id__in=movie_ids, genre__name__in=list(steps)
    ).values_list("movie_id", "genre__name")
    taste: dict[int, float] = {}
    for movie_id, genre in rows:
        taste[movie_id] = taste.get(movie_id, 0.0) + steps[genre]
    return taste


def _popular(reading: Reading, scope: Scope, *, limit: int) -> list[Found]:
    """Conditions alone: the films that most people rated, those of the wanted taste first."""
    ids = scope.most_rated(limit)
    taste = _taste(reading, set(ids))
    ranked = sorted(range(len(ids)), key=lambda place: (-taste.get(ids[place], 0.0), place))
    n = max(1, len(ids))
    return [
        Found(ids[place], round(1 - rank / n, 6), meets_conditions=True)
        for rank, place in enumerate(ranked)
    ]
