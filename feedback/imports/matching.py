"""Which of our films a row speaks of, how sure that is, and why.

Wrong is worse than unsure: a wrong film teaches every list something that nobody said, and nobody
sees it; an unsure one waits in the repair queue. Thresholds were set on the rows of
``benchmarks/imports.py``, which prints precision and recall for every reason.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from catalog.models import Credit, ExternalId, Movie
from catalog.search import search_films
from catalog.titles import article_first, normalize_title
from feedback.imports.likeness import MARGIN, SIMILAR, likeness
from feedback.imports.models import ImportFilm
from feedback.imports.records import FilmRef
from feedback.portable import SITE

State = ImportFilm.State

MAX_CANDIDATES = 6
_SEARCHED = 15
# Below it, a film is no candidate even to be looked at by a person.
WORTH_A_LOOK = 72.0
# An id is believed unless title and year both say that it is something else.
UNLIKE = 55.0
NEAR_YEARS = 1
LOOK_YEARS = 3

# A year apart, a title is taken for a film that somebody knows; a short one for a known film only:
# else it may be the namesake that is not here ("Whiplash", the film of 2014 and the short of 2013).
SOME_VOTES, MANY_VOTES = 200, 500
SOME_RATINGS, MANY_RATINGS = 1, 5
TELLING_LETTERS = 9

_ANY_WORD = "zz"
_ARTICLES = frozenset({"the", "a", "an"})
_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*")


class Reason(StrEnum):
    """Why a film was found, or why not."""

    ID = "id"
    TITLE_YEAR = "title_year"
    TITLE_NEAR_YEAR = "title_near_year"
    TITLE_ALONE = "title_alone"
    LONGER_TITLE = "longer_title"
    SIMILAR_TITLE = "similar_title"
    DIRECTOR = "director"
    ID_DISAGREES = "id_disagrees"
    SEVERAL = "several"
    OTHER_YEAR = "other_year"
    NOT_SURE = "not_sure"
    NOTHING = "nothing"
    BY_HAND = "by_hand"


#: What pages say.
REASON_TEXT = {
    Reason.ID: _("The same id"),
    Reason.TITLE_YEAR: _("The same title and year"),
    Reason.TITLE_NEAR_YEAR: _("The same title, a year apart"),
    Reason.TITLE_ALONE: _("The only film with this title"),
    Reason.LONGER_TITLE: _("The same year, and one title begins with the other"),
    Reason.SIMILAR_TITLE: _("The same year and nearly the same title"),
    Reason.DIRECTOR: _("The same title and director"),
    Reason.ID_DISAGREES: _("The id says another film than title and year"),
    Reason.SEVERAL: _("Several films have this title"),
    Reason.OTHER_YEAR: _("A film with this title is from another year"),
    Reason.NOT_SURE: _("Films with similar titles"),
    Reason.NOTHING: _("No film here has a title like this"),
    Reason.BY_HAND: _("You chose it"),
}

#: How sure each way is, 0 to 1: from the shares that were right in ``benchmarks/imports.py``.
CONFIDENCE = {
    Reason.ID: 1.0,
    Reason.DIRECTOR: 0.99,
    Reason.TITLE_YEAR: 0.99,
    Reason.TITLE_NEAR_YEAR: 0.98,
    Reason.LONGER_TITLE: 0.97,
    Reason.SIMILAR_TITLE: 0.97,
    Reason.TITLE_ALONE: 0.95,
}
UNSURE = 0.5


@dataclass(frozen=True)
class Match:
    """The film, or candidates for it. ``confidence`` from 0 to 1."""

    state: ImportFilm.State
    reason: Reason
    movie_id: int | None = None
    confidence: float = 0.0
    candidate_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Film:
    """What is known of a candidate."""

    movie_id: int
    titles: tuple[str, ...]
    year: int | None
    rating_count: int
    votes: int
    # (article, title without it) of every title as it is written.
    written: frozenset[tuple[str, str]]

    @property
    def is_known(self) -> bool:
        """Somebody rated it."""
        return self.rating_count >= SOME_RATINGS or self.votes >= SOME_VOTES

    @property
    def is_well_known(self) -> bool:
        """Many did."""
        return self.rating_count >= MANY_RATINGS or self.votes >= MANY_VOTES


def films_match(refs: Sequence[FilmRef]) -> list[Match]:
    """One match per film named, in order; a fixed number of queries, and one per title in doubt."""
    return _Batch(refs).matches()


class _Batch:
    def __init__(self, refs: Sequence[FilmRef]) -> None:
        self.refs = refs
        self.typed = [typed_titles(ref) for ref in refs]
        self.by_id = _films_by_id(refs)
        wanted = {title for titles in self.typed for title in titles}
        rows = Movie.objects.visible().filter(titles_normalized__overlap=sorted(wanted))
        self.films = _films(rows)
        missing = {pk for found in self.by_id.values() for pk in found} - set(self.films)
        self.films |= _films(Movie.objects.visible().filter(pk__in=missing))
        self.by_title: dict[str, list[_Film]] = defaultdict(list)
        for film in self.films.values():
            for title in film.titles:
                if title in wanted:
                    self.by_title[title].append(film)
        self.their_ids = _ids_of(self.films)

    def matches(self) -> list[Match]:
        return [self._match(i, ref) for i, ref in enumerate(self.refs)]

    def _match(self, i: int, ref: FilmRef) -> Match:
        typed = self.typed[i]
        known = [self.films[pk] for pk in self.by_id.get(i, ()) if pk in self.films]
        same_title = _distinct(film for title in typed for film in self.by_title.get(title, ()))
        if known:
            return _by_id(ref, typed, known, same_title)
        same_title = [film for film in same_title if not self._is_another(ref, film)] or same_title
        found = self._by_title(ref, same_title)
        if found.state == State.FOUND:
            assert found.movie_id is not None  # noqa: S101 - that is what found means
            if self._is_another(ref, self.films[found.movie_id]):
                return _check(Reason.ID_DISAGREES, same_title)
            return found
        is_left = found.reason in (Reason.NOTHING, Reason.OTHER_YEAR)
        return self._searched(ref, typed, found) if is_left else found

    def _by_title(self, ref: FilmRef, films: list[_Film]) -> Match:
        """Among the films that have exactly this title."""
        if not films:
            return Match(State.UNKNOWN, Reason.NOTHING)
        if ref.year is None:
            is_main = films[0].titles[0] in typed_titles(ref)
            if len(films) == 1 and (is_main or _is_telling(ref)):
                return _found(films[0], Reason.TITLE_ALONE)
            return self._by_director(ref, films) or _check(
                Reason.SEVERAL if len(films) > 1 else Reason.NOT_SURE, films
            )
        for away, reason in ((0, Reason.TITLE_YEAR), (NEAR_YEARS, Reason.TITLE_NEAR_YEAR)):
            near = [f for f in films if f.year is not None and abs(f.year - ref.year) == away]
            if len(near) > 1:
                # "The Ritual" and "Ritual" of one year: as it is written, then.
                near = [film for film in near if _is_written(ref, film)] or near
            if len(near) == 1 and _is_enough(ref, near[0], away):
                return _found(near[0], reason)
            if near:
                return self._by_director(ref, near) or _check(
                    Reason.SEVERAL if len(near) > 1 else Reason.NOT_SURE, near
                )
        dateless = [film for film in films if film.year is None and _is_written(ref, film)]
        if len(dateless) == 1 == len(films):
            return _found(dateless[0], Reason.TITLE_ALONE)
        return self._by_director(ref, films) or _check(Reason.OTHER_YEAR, films)

    def _by_director(self, ref: FilmRef, films: list[_Film]) -> Match | None:
        """The one of them that a director of the row made, no more than some years away."""
        if not ref.directors:
            return None
        theirs = {normalize_title(name) for name in ref.directors}
        credits = Credit.objects.filter(
            role=Credit.Role.DIRECTOR, movie_id__in=[film.movie_id for film in films]
        ).values_list("movie_id", "person__name")
        made = {pk for pk, name in credits if normalize_title(name) in theirs}
        near = [
            film
            for film in films
            if film.movie_id in made
            and (ref.year is None or film.year is None or abs(film.year - ref.year) <= LOOK_YEARS)
        ]
        return _found(near[0], Reason.DIRECTOR) if len(near) == 1 else None

    def _searched(self, ref: FilmRef, typed: tuple[str, ...], before: Match) -> Match:
        """Among films whose titles are like this one. ``before`` is what exact titles gave."""
        query = f"{ref.title} ({ref.year})" if ref.year else ref.title
        hits = search_films(query, limit=_SEARCHED, titles_only=True) if ref.title else []
        lacking = [hit.movie_id for hit in hits if hit.movie_id not in self.films]
        found = _films(Movie.objects.visible().filter(pk__in=lacking))
        self.films |= found
        self.their_ids |= _ids_of(found)
        scored = sorted(
            (
                (likeness(typed, film.titles), film)
                for film in (self.films[hit.movie_id] for hit in hits if hit.movie_id in self.films)
                if not self._is_another(ref, film)
            ),
            key=lambda pair: (-pair[0].score, -pair[1].rating_count, pair[1].movie_id),
        )
        same_year = [(like, film) for like, film in scored if _is_year(film, ref, 0)]
        if same_year:
            like, film = same_year[0]
            runner_up = same_year[1][0].score if len(same_year) > 1 else 0.0
            is_free = before.reason == Reason.NOTHING or like.is_longer
            if is_free and like.score >= SIMILAR and like.score - runner_up >= MARGIN:
                reason = Reason.LONGER_TITLE if like.is_longer else Reason.SIMILAR_TITLE
                return _found(film, reason)
        likely = [
            film
            for like, film in scored
            if like.score >= WORTH_A_LOOK and (ref.year is None or _is_year(film, ref, LOOK_YEARS))
        ]
        pks = [*before.candidate_ids, *(film.movie_id for film in likely)]
        if not pks:
            return Match(State.UNKNOWN, Reason.NOTHING)
        reason = before.reason if before.candidate_ids else Reason.NOT_SURE
        kept = tuple(dict.fromkeys(pks))[:MAX_CANDIDATES]
        return Match(State.CHECK, reason, confidence=UNSURE / len(kept), candidate_ids=kept)

    def _is_another(self, ref: FilmRef, film: _Film) -> bool:
        """The row has an id of a kind that the film has, too, and it is not the film's."""
        ours = self.their_ids.get(film.movie_id, {})
        return any(source in ours and value not in ours[source] for source, value in ref.ids)


def typed_titles(ref: FilmRef) -> tuple[str, ...]:
    """The titles that a row gives a film, normalised: whole, without brackets, and the original."""
    names: list[str] = []
    for raw in (ref.title, ref.original_title):
        if not any(char.isalnum() for char in raw):
            continue
        names.append(article_first(raw))
        inside = _BRACKETS.findall(raw)
        if inside:
            names += [article_first(_BRACKETS.sub(" ", raw)), *inside]
    named = [name for name in names if any(char.isalnum() for char in name)]
    # "A-Team" begins with no article where "The A-Team" has another one before it.
    whole = [
        normalize_title(f"{_ANY_WORD} {name}").removeprefix(f"{_ANY_WORD} ")
        for name in named
        if normalize_title(name).split()[0] not in name.casefold().split()[:1]
    ]
    titles = (*(normalize_title(name) for name in named), *whole)
    return tuple(dict.fromkeys(title for title in titles if title))


def _by_id(
    ref: FilmRef, typed: tuple[str, ...], known: list[_Film], same_title: list[_Film]
) -> Match:
    """Ids decide where they agree with each other and the title does not name another film."""
    if len(known) > 1:
        # TMDB's ids in MovieLens' links are sometimes another film's: the title decides.
        agreeing = [film for film in known if film in same_title and _is_year(film, ref, 1)]
        if len(agreeing) == 1:
            return _found(agreeing[0], Reason.ID)
        return _check(Reason.ID_DISAGREES, known)
    film = known[0]
    alike = likeness(typed, film.titles).score if typed else 100.0
    better = [other for other in same_title if other is not film and _is_year(other, ref, 1)]
    is_far = not _is_year(film, ref, LOOK_YEARS)
    if (alike < UNLIKE and better) or (alike < SIMILAR and is_far):
        return _check(Reason.ID_DISAGREES, [film, *better])
    return _found(film, Reason.ID)


def _is_enough(ref: FilmRef, film: _Film, away: int) -> bool:
    """Whether the same title is enough to take the film, so many years apart."""
    if not _is_written(ref, film) and _article_of(ref.title)[0]:
        return False  # the article says another title: "The Photograph" is not "Photograph"
    if not away:
        # Many leave an article out; for a film that nobody knows it may be another film's title.
        return film.is_known or _is_written(ref, film)
    if film.is_well_known:
        return True
    return film.is_known and _is_telling(ref)


def _is_telling(ref: FilmRef) -> bool:
    """Long enough not to be the title of many films."""
    return len(_article_of(ref.title)[1]) >= TELLING_LETTERS


def _is_written(ref: FilmRef, film: _Film) -> bool:
    """The film has a title of the row with the very same article, or none."""
    return any(_article_of(title) in film.written for title in (ref.title, ref.original_title))


def _article_of(title: str) -> tuple[str, str]:
    """("the", "matrix") of "The Matrix" and of "Matrix, The"."""
    title = article_first(_BRACKETS.sub(" ", title))
    first, _space, rest = title.strip().casefold().partition(" ")
    if first in _ARTICLES and rest:
        return first, normalize_title(rest)
    return "", normalize_title(title) if any(char.isalnum() for char in title) else ""


def _is_year(film: _Film, ref: FilmRef, away: int) -> bool:
    """No more than ``away`` years apart; a year that is not known is no objection beyond 0."""
    if film.year is None or ref.year is None:
        return away > 0
    return abs(film.year - ref.year) <= away


def _found(film: _Film, reason: Reason) -> Match:
    return Match(State.FOUND, reason, film.movie_id, CONFIDENCE[reason], (film.movie_id,))


def _check(reason: Reason, films: Iterable[_Film]) -> Match:
    ranked = sorted(_distinct(films), key=lambda film: (-film.rating_count, film.movie_id))
    kept = tuple(film.movie_id for film in ranked[:MAX_CANDIDATES])
    return Match(State.CHECK, reason, confidence=UNSURE / len(kept), candidate_ids=kept)


def _distinct(films: Iterable[_Film]) -> list[_Film]:
    return list({film.movie_id: film for film in films}.values())


def _films(rows: QuerySet[Movie]) -> dict[int, _Film]:
    values = rows.values_list(
        *("pk", "titles_normalized", "year", "rating_count", "tmdb_facts__vote_count"),
        *("title", "original_title", "alternative_titles"),
    )
    return {
        pk: _Film(
            movie_id=pk,
            titles=tuple(titles),
            year=year,
            rating_count=n_ratings,
            votes=n_votes or 0,
            written=frozenset(_article_of(name) for name in (title, original, *others) if name),
        )
        for pk, titles, year, n_ratings, n_votes, title, original, others in values
    }


def _ids_of(films: Iterable[int]) -> dict[int, dict[str, set[str]]]:
    found: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    rows = ExternalId.objects.filter(movie_id__in=list(films))
    for movie_id, source, value in rows.values_list("movie_id", "source", "value"):
        found[movie_id][source].add(value)
    return found


def _films_by_id(refs: Sequence[FilmRef]) -> dict[int, list[int]]:
    """Films by the position of the row that has one of their ids."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for ref in refs:
        for source, value in ref.ids:
            wanted[source].add(value)
    owner: dict[tuple[str, str], int] = {}
    for source, values in wanted.items():
        if source == SITE:
            pks = Movie.objects.filter(pk__in=[int(value) for value in values])
            # A duplicate that editors merged is the film that it leads to.
            owner |= {
                (SITE, str(pk)): merged or pk for pk, merged in pks.values_list("pk", "merged_into")
            }
            continue
        rows = ExternalId.objects.filter(source=source, value__in=values)
        owner |= {(source, value): pk for value, pk in rows.values_list("value", "movie_id")}
    found: dict[int, list[int]] = {}
    for i, ref in enumerate(refs):
        pks_of = [owner[key] for key in ref.ids if key in owner]
        if pks_of:
            # Our own id is beyond doubt.
            is_own = ref.ids[0][0] == SITE and ref.ids[0] in owner
            found[i] = pks_of[:1] if is_own else list(dict.fromkeys(pks_of))
    return found
