"""Chips as conditions on films in SQL, and as words for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from catalog.facts import read_origins
from catalog.filters import years_label
from catalog.genres import genre_in_sentence, genre_label
from catalog.intent import Chip, Kind
from catalog.intent.words import CERTIFICATIONS
from catalog.models import Credit, Genre, Movie, Person
from catalog.names import country_name, language_name
from catalog.querysets import MovieQuerySet
from catalog.shelf import current_shelf, remembered
from ml.idmap import IdMap

_ORIGINS = {Kind.LANGUAGE: "language", Kind.COUNTRY: "country"}
_CERTIFICATION = "certification"
_NO_FILMS = np.empty(0, dtype=np.int64)


def films_meeting(chips: Iterable[Chip]) -> MovieQuerySet:
    """Visible films that meet every hard chip. What is unknown of a film meets nothing."""
    films: MovieQuerySet = Movie.objects.visible()
    for chip in chips:
        if chip.is_hard:
            films = films.filter(_condition(chip))
    return films


def prepare_conditions() -> None:
    """Where films come from, for whoever asks first; nothing without a shelf."""
    if current_shelf() is not None:
        _origins()


def _origins() -> dict[tuple[str, str], NDArray[np.int64]]:
    return remembered("origins", read_origins)


def ids_meeting(chips: Iterable[Chip]) -> NDArray[np.int64] | None:
    """The films that meet every hard chip, hidden ones among them: int64[n] ids, ascending.

    As far as the shelf knows: some seconds old. One query for each person that is named and one,
    once, for origins; None without a shelf.
    """
    shelf = current_shelf()
    if shelf is None:
        return None
    facts = shelf.facts
    meets = np.ones(len(facts.films), dtype=bool)
    for chip in chips:
        if not chip.is_hard:
            continue
        if chip.kind is Kind.GENRE:
            named = set(chip.value.split("|"))
            columns = [at for at, name in enumerate(facts.genre_names) if name in named]
            meets &= facts.genres[:, columns].any(axis=1) != chip.is_negated
        elif chip.kind in {Kind.YEARS, Kind.RUNTIME}:
            low, high = chip.bounds
            values = facts.year if chip.kind is Kind.YEARS else facts.runtime
            # What is unknown is nan, and no comparison with it holds.
            meets &= values >= (-np.inf if low is None else low)
            meets &= values <= (np.inf if high is None else high)
        elif chip.kind in _ORIGINS:
            # "Not French" leaves out what nobody knows the origin of, too.
            codes = (chip.value, "") if chip.is_negated else (chip.value,)
            of = _ORIGINS[chip.kind]
            meets &= _are_among(_of_origin(of, *codes), facts.films) != chip.is_negated
        elif chip.kind is Kind.PERSON:
            meets &= _are_among(_films_with(chip.value), facts.films) != chip.is_negated
        else:
            meets &= _are_among(_of_origin(_CERTIFICATION, *_allowed(chip)), facts.films)
    return facts.films.ids[meets]


def _of_origin(of: str, *codes: str) -> NDArray[np.int64]:
    origins = _origins()
    return np.concatenate([_NO_FILMS, *(origins.get((of, code), _NO_FILMS) for code in codes)])


def _films_with(name: str) -> NDArray[np.int64]:
    rows = Credit.objects.filter(person__name=name).values_list("movie_id", flat=True)
    return np.array(list(rows), dtype=np.int64)


def _are_among(ids: NDArray[np.int64], films: IdMap) -> NDArray[np.bool_]:
    """bool[n_films]: which of the ``films`` these are."""
    found = np.zeros(len(films), dtype=np.bool_)
    at = films.index(ids)
    found[at[at >= 0]] = True
    return found


def _condition(chip: Chip) -> Q:
    if chip.kind is Kind.GENRE:
        return _related(Movie.genres.through.objects.filter(genre_id__in=_genre_ids(chip)), chip)
    if chip.kind is Kind.PERSON:
        people = Person.objects.filter(name=chip.value).values_list("pk", flat=True)
        return _related(Credit.objects.filter(person_id__in=list(people)), chip)
    if chip.kind is Kind.YEARS:
        return _within("year", chip)
    if chip.kind is Kind.RUNTIME:
        return _within("runtime_min", chip)
    if chip.kind is Kind.LANGUAGE:
        is_it = Q(language=chip.value)
        return ~Q(language="") & ~is_it if chip.is_negated else is_it
    if chip.kind is Kind.COUNTRY:
        is_from = Q(countries__contains=[chip.value])
        return ~Q(countries=[]) & ~is_from if chip.is_negated else is_from
    return Q(certification__in=_allowed(chip))


def _allowed(chip: Chip) -> tuple[str, ...]:
    return CERTIFICATIONS[: CERTIFICATIONS.index(chip.value) + 1] if is_known(chip) else ()


def _related(rows, chip: Chip) -> Q:  # noqa: ANN001 - any queryset with movie_id
    # Not "id not in (...)": that lists all films of a genre before the first one is looked at.
    meets = Exists(rows.filter(movie_id=OuterRef("pk")))
    return Q(~meets if chip.is_negated else meets)


def _genre_ids(chip: Chip) -> list[int]:
    return list(Genre.objects.filter(name__in=chip.value.split("|")).values_list("pk", flat=True))


def _within(field: str, chip: Chip) -> Q:
    low, high = chip.bounds
    condition = Q(**{f"{field}__isnull": False})
    if low is not None:
        condition &= Q(**{f"{field}__gte": low})
    if high is not None:
        condition &= Q(**{f"{field}__lte": high})
    return condition


def is_known(chip: Chip) -> bool:
    """Whether the chip's value means something here; an address may hold anything."""
    return chip.kind is not Kind.CERTIFICATION or chip.value in CERTIFICATIONS


def chip_label(chip: Chip, *, titles: dict[str, str]) -> str:
    """ "Comedy", "no horror", "up to 119 minutes"; ``titles`` names films by id."""
    if chip.kind is Kind.LIKE:
        return _("like %(title)s") % {"title": titles.get(chip.value, "?")}
    if chip.kind is Kind.MORE:
        return _("more %(genre)s") % {"genre": genre_in_sentence(chip.value)}
    if chip.kind is Kind.LESS:
        return _("less %(genre)s") % {"genre": genre_in_sentence(chip.value)}
    if chip.kind is Kind.YEARS:
        return years_label(*chip.bounds)
    if chip.kind is Kind.RUNTIME:
        return _minutes_label(*chip.bounds)
    if chip.kind is Kind.CERTIFICATION:
        return _("rated %(mark)s or milder") % {"mark": chip.value}
    names = {
        Kind.LANGUAGE: _("in %(name)s") % {"name": language_name(chip.value)},
        Kind.COUNTRY: _("from %(name)s") % {"name": country_name(chip.value)},
        Kind.PERSON: _("with %(name)s") % {"name": chip.value},
    }
    label = names.get(chip.kind) or _(" or ").join(map(genre_label, chip.value.split("|")))
    return _("not %(label)s") % {"label": label} if chip.is_negated else label


def _minutes_label(low: int | None, high: int | None) -> str:
    if low and high:
        return _("%(low)s to %(high)s minutes") % {"low": low, "high": high}
    if low:
        return _("%(n)s minutes or more") % {"n": low}
    return _("up to %(n)s minutes") % {"n": high}


def liked_titles(chips: Sequence[Chip]) -> dict[str, str]:
    """Titles of the films that "like" chips name; one query where there are any."""
    ids = [int(chip.value) for chip in chips if chip.kind is Kind.LIKE]
    if not ids:
        return {}
    films = Movie.objects.visible().filter(pk__in=ids).values_list("pk", "title")
    return {str(pk): title for pk, title in films}
