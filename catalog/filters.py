"""What people browse by, held in the address; the page and the API read it the same way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.numbers import count_text

MIN_YEAR, MAX_YEAR = 1870, 2100
MAX_RUNTIME_MIN = 1000


class Sort(StrEnum):
    """Orders of a list of films."""

    POPULAR = "popular"
    BEST = "best"
    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"


SORT_NAMES = {
    Sort.POPULAR: gettext_lazy("Most rated"),
    Sort.BEST: gettext_lazy("Best rated"),
    Sort.NEWEST: gettext_lazy("Newest"),
    Sort.OLDEST: gettext_lazy("Oldest"),
    Sort.TITLE: gettext_lazy("Title"),
}


@dataclass(frozen=True)
class FilmFilters:
    """A film must have every genre, lie within the years and lengths, and so on."""

    genres: tuple[str, ...] = ()
    year_from: int | None = None
    year_to: int | None = None
    language: str = ""
    runtime_from: int | None = None
    runtime_to: int | None = None
    min_ratings: int | None = None
    sort: Sort | None = None
    q: str = ""

    @classmethod
    def from_query(cls, query: QueryDict) -> FilmFilters:
        """Read an address; what cannot be read is left out, as if it were not there.

        ``decade=1990`` is short for the ten years from 1990.
        """
        decade = _number(query, "decade", low=MIN_YEAR, high=MAX_YEAR)
        first = None if decade is None else decade - decade % 10
        last = None if first is None else first + 9
        year_from = _number(query, "year_from", low=MIN_YEAR, high=MAX_YEAR)
        year_to = _number(query, "year_to", low=MIN_YEAR, high=MAX_YEAR)
        sort = query.get("sort", "")
        return cls(
            genres=tuple(dict.fromkeys(slug[:40] for slug in query.getlist("genre") if slug))[:8],
            year_from=first if year_from is None else year_from,
            year_to=last if year_to is None else year_to,
            language=query.get("language", "")[:8],
            runtime_from=_number(query, "runtime_from", low=1, high=MAX_RUNTIME_MIN),
            runtime_to=_number(query, "runtime_to", low=1, high=MAX_RUNTIME_MIN),
            min_ratings=_number(query, "min_ratings", low=1, high=10**9),
            sort=Sort(sort) if sort in set(Sort) else None,
            q=" ".join(query.get("q", "").replace("\0", "").split())[:120],
        )

    @property
    def order(self) -> Sort:
        """The order asked for, or the usual one."""
        return self.sort or Sort.POPULAR

    @property
    def is_relevance(self) -> bool:
        """Whether films come in the order of a search."""
        return bool(self.q) and self.sort is None

    @property
    def is_any(self) -> bool:
        """Whether anything narrows the list."""
        return replace(self, sort=None) != FilmFilters()

    def as_query(self) -> str:
        """The address's query, in one canonical form and without what is not set."""
        query = QueryDict(mutable=True)
        query.setlist("genre", list(self.genres))
        for name in ("q", "year_from", "year_to", "language", "runtime_from", "runtime_to"):
            if value := getattr(self, name):
                query[name] = str(value)
        if self.min_ratings:
            query["min_ratings"] = str(self.min_ratings)
        if self.sort is not None:
            query["sort"] = self.sort.value
        return query.urlencode()


@dataclass(frozen=True)
class Chip:
    """One thing that narrows the list, and the query without it."""

    label: str
    query: str
    key: str = field(default="")


def chips(filters: FilmFilters, *, genre_names: dict[str, str], language: str) -> list[Chip]:
    """A chip for each thing that narrows the list; ``language`` is the chosen one's name."""
    found: list[Chip] = []

    def add(key: str, label: str, without: FilmFilters) -> None:
        found.append(Chip(label=label, query=without.as_query(), key=key))

    if filters.q:
        add("q", f"\u201c{filters.q}\u201d", replace(filters, q=""))
    for slug in filters.genres:
        rest = tuple(other for other in filters.genres if other != slug)
        add(f"genre-{slug}", genre_names.get(slug, slug), replace(filters, genres=rest))
    if filters.year_from or filters.year_to:
        label = years_label(filters.year_from, filters.year_to)
        add("years", label, replace(filters, year_from=None, year_to=None))
    if filters.language:
        add("language", language, replace(filters, language=""))
    if filters.runtime_from or filters.runtime_to:
        label = _runtime_label(filters.runtime_from, filters.runtime_to)
        add("runtime", label, replace(filters, runtime_from=None, runtime_to=None))
    if filters.min_ratings:
        label = _("%(n)s ratings or more") % {"n": count_text(filters.min_ratings)}
        add("min_ratings", label, replace(filters, min_ratings=None))
    return found


def years_label(first: int | None, last: int | None) -> str:
    """ "1990s", "1994", "1990 to 1997", "from 1990", "until 1997"."""
    if first and last:
        if first == last:
            return str(first)
        if first % 10 == 0 and last == first + 9:
            return decade_label(first)
        return _("%(first)s to %(last)s") % {"first": first, "last": last}
    if first:
        return _("from %(year)s") % {"year": first}
    return _("until %(year)s") % {"year": last}


def decade_label(decade: int) -> str:
    """1990 as "1990s"."""
    return _("%(decade)ss") % {"decade": decade}


def _runtime_label(first: int | None, last: int | None) -> str:
    if first and last:
        return _("%(low)s to %(high)s minutes") % {"low": first, "high": last}
    if first:
        return _("%(n)s minutes or more") % {"n": first}
    return _("up to %(n)s minutes") % {"n": last}


def _number(query: QueryDict, name: str, *, low: int, high: int) -> int | None:
    text = query.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    value = int(text)
    return value if low <= value <= high else None


@dataclass(frozen=True)
class DecadeLink:
    """Ten years to choose, with all else as it is."""

    label: str
    query: str
    is_chosen: bool


def decade_links(filters: FilmFilters, first: int | None, last: int | None) -> list[DecadeLink]:
    """A link for each decade from ``first`` to ``last``, newest first."""
    if first is None or last is None:
        return []
    links = []
    for year in range(last // 10 * 10, first // 10 * 10 - 1, -10):
        chosen = replace(filters, year_from=year, year_to=year + 9)
        links.append(
            DecadeLink(
                label=years_label(year, year + 9),
                query=chosen.as_query(),
                is_chosen=chosen == filters,
            )
        )
    return links
