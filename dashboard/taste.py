"""What a person's own films say of their taste. Everything is counted, nothing is guessed.

A film is liked with four stars or more, or with a like. "Everybody" is the visible catalogue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from django.db.models import Count, F
from django.db.models.functions import Floor
from django.utils.translation import gettext as _

from accounts.models import User
from catalog.cards import MovieCard
from catalog.filters import decade_label
from catalog.genres import genre_label
from catalog.models import Movie
from catalog.names import country_name
from dashboard.charts import BarChart, LineChart, bar_chart, line_chart
from feedback.selectors import HistoryEvent, UserFeedback, feedback_of
from ml.taste import taste_groups

LIKED_STARS = 4.0
N_LIKED = 12
N_ROWS = 8
N_LINES = 4
N_RECENT = 10
MIN_FILMS = 3  # before that there is nothing to say
MAX_PERIODS = 12


@dataclass(frozen=True)
class FilmFacts:
    """What the charts count of a film."""

    genres: tuple[str, ...]
    decade: int | None
    countries: tuple[str, ...]
    rating_count: int


@dataclass(frozen=True)
class Group:
    """One strand of somebody's taste: what marks it, and some of its films."""

    names: tuple[str, ...]
    n_films: int
    cards: tuple[MovieCard, ...]


@dataclass(frozen=True)
class Shift:
    """A genre's share of the latest films against its share of those before."""

    genre: str
    before: int
    now: int


@dataclass(frozen=True)
class CatalogueCounts:
    """How many visible films carry each genre, decade and country, by the reader's names."""

    n_films: int
    counts: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Taste:
    """Everything that the page shows of the history itself."""

    n_films: int
    n_liked: int
    mean_stars: float | None
    liked: tuple[MovieCard, ...] = ()
    profiles: tuple[BarChart, ...] = ()
    over_time: LineChart | None = None
    groups: tuple[Group, ...] = ()
    recent: tuple[Shift, ...] = ()
    facts: Mapping[int, FilmFacts] = field(default_factory=dict)
    catalogue: CatalogueCounts = field(default_factory=lambda: CatalogueCounts(0, {}))

    @property
    def is_empty(self) -> bool:
        """Whether there is too little to speak of."""
        return self.n_films < MIN_FILMS


def is_liked(event: HistoryEvent) -> bool:
    """Whether the person said that they liked it."""
    if event.stars is not None:
        return float(event.stars) >= LIKED_STARS
    return event.kind == "like"


def taste_of_person(user: User) -> Taste:
    """The page's numbers in a fixed number of queries."""
    person = feedback_of(user)
    liked = [event for event in person.history if is_liked(event)]
    stars = [float(event.stars) for event in person.history if event.stars is not None]
    mean = sum(stars) / len(stars) if stars else None
    base = Taste(len(person.history), len(liked), mean)
    if base.is_empty:
        return base
    movies = {
        movie.pk: movie for movie in Movie.objects.in_order([e.movie_id for e in person.history])
    }
    facts = {pk: facts_of(movie) for pk, movie in movies.items()}
    catalogue = catalogue_counts()
    best = sorted(liked, key=lambda e: (float(e.stars or 0), e.at), reverse=True)
    return Taste(
        n_films=base.n_films,
        n_liked=base.n_liked,
        mean_stars=mean,
        liked=tuple(
            MovieCard(movie=movies[e.movie_id], surface="taste")
            for e in best[:N_LIKED]
            if e.movie_id in movies
        ),
        profiles=_profiles([facts[e.movie_id] for e in liked if e.movie_id in facts], catalogue),
        over_time=_over_time(person, facts),
        groups=_groups(best, movies, facts),
        recent=_recent(person, facts),
        facts=facts,
        catalogue=catalogue,
    )


def facts_of(movie: Movie) -> FilmFacts:
    """Of a film whose genres were read."""
    return FilmFacts(
        genres=tuple(movie.genre_labels),
        decade=movie.year // 10 * 10 if movie.year else None,
        countries=tuple(movie.countries),
        rating_count=movie.rating_count,
    )


def shares(values: Iterable[Sequence[str]]) -> dict[str, float]:
    """The share of films that carry each value; a film may carry several."""
    rows = list(values)
    counted = Counter(value for row in rows for value in set(row))
    return {value: n / len(rows) for value, n in counted.items()} if rows else {}


def decade_name(decade: int | str | None) -> str:
    """1990 as "1990s"; "" where nobody knows."""
    return decade_label(int(decade)) if decade else ""


def catalogue_counts() -> CatalogueCounts:
    """What people's own films are held against, in four queries."""
    visible = Movie.objects.visible()
    genres = {
        genre_label(name): n
        for name, n in visible.filter(genres__isnull=False)
        .values("genres__name")
        .annotate(n=Count("pk"))
        .values_list("genres__name", "n")
    }
    decades = {
        decade_name(int(decade) * 10): n
        for decade, n in visible.filter(year__isnull=False)
        .annotate(decade=Floor(F("year") / 10))
        .values("decade")
        .annotate(n=Count("pk"))
        .values_list("decade", "n")
    }
    countries: Counter[str] = Counter()
    for codes, n in (
        visible.values("countries").annotate(n=Count("pk")).values_list("countries", "n")
    ):
        countries.update(dict.fromkeys(codes, n))
    named = {country_name(code): n for code, n in countries.items()}
    return CatalogueCounts(
        visible.count(), {"genres": genres, "decades": decades, "countries": named}
    )


def _profiles(liked: Sequence[FilmFacts], theirs: CatalogueCounts) -> tuple[BarChart, ...]:
    """Genres, decades and countries of the liked films against the whole catalogue."""
    own: dict[str, list[tuple[str, ...]]] = {
        "genres": [film.genres for film in liked],
        "decades": [(decade_name(film.decade),) if film.decade else () for film in liked],
        "countries": [tuple(map(country_name, film.countries)) for film in liked],
    }
    titles = {"genres": _("Genres"), "decades": _("Decades"), "countries": _("Countries")}
    charts = []
    for slug, title in titles.items():
        rows = _against(shares(own[slug]), theirs.counts[slug], theirs.n_films)
        if slug == "decades":
            rows.sort()
        if rows:
            charts.append(
                bar_chart(slug, title, rows, mine=_("Films you like"), theirs=_("All films here"))
            )
    return tuple(charts)


def _against(
    own: Mapping[str, float], theirs: Mapping[str, int], n_visible: int
) -> list[tuple[str, float, float]]:
    best = sorted(own.items(), key=lambda item: (-item[1], item[0]))[:N_ROWS]
    return [(name, share, theirs.get(name, 0) / max(n_visible, 1)) for name, share in best]


def _over_time(person: UserFeedback, facts: Mapping[int, FilmFacts]) -> LineChart | None:
    """The share of the favourite genres among the liked films of each month, or of each year."""
    liked = [
        (e.at, facts[e.movie_id]) for e in person.history if is_liked(e) and e.movie_id in facts
    ]
    if not liked:
        return None
    is_monthly = (liked[-1][0] - liked[0][0]).days <= 31 * MAX_PERIODS
    periods: dict[str, list[FilmFacts]] = {}
    for at, film in liked:
        periods.setdefault(_period(at, is_monthly=is_monthly), []).append(film)
    if len(periods) < 2:
        return None
    names = list(periods)[-MAX_PERIODS:]
    overall = shares([film.genres for _, film in liked])
    favourites = sorted(overall, key=lambda genre: (-overall[genre], genre))[:N_LINES]
    by_period = [shares([film.genres for film in periods[name]]) for name in names]
    series = [(genre, [period.get(genre, 0.0) for period in by_period]) for genre in favourites]
    return line_chart("time", _("Favourite genres over time"), names, series)


def _period(at: datetime, *, is_monthly: bool) -> str:
    return f"{at:%Y-%m}" if is_monthly else f"{at:%Y}"


def _groups(
    best: Sequence[HistoryEvent], movies: Mapping[int, Movie], facts: Mapping[int, FilmFacts]
) -> tuple[Group, ...]:
    """Strands of the liked films by their genres; empty where they are all of one piece."""
    films = [movies[e.movie_id] for e in best if e.movie_id in movies and facts[e.movie_id].genres]
    names = sorted({genre for film in films for genre in facts[film.pk].genres})
    if not films:
        return ()
    column = {name: i for i, name in enumerate(names)}
    vectors = np.zeros((len(films), len(names)), dtype=np.float32)
    for row, film in enumerate(films):
        vectors[row, [column[name] for name in facts[film.pk].genres]] = 1.0
    label = taste_groups(vectors)
    if not label.any():
        return ()
    overall = vectors.mean(axis=0)
    groups = []
    for group in range(int(label.max()) + 1):
        rows = np.flatnonzero(label == group)
        share = vectors[rows].mean(axis=0)
        # What marks a group: common in it, and commoner than in the rest.
        marks = np.argsort(-(share * (share - overall)), kind="stable")[:2]
        groups.append(
            Group(
                names=tuple(names[i] for i in marks if share[i] > overall[i]),
                n_films=len(rows),
                cards=tuple(MovieCard(movie=films[row], surface="taste") for row in rows[:4]),
            )
        )
    return tuple(groups)


def _recent(person: UserFeedback, facts: Mapping[int, FilmFacts]) -> tuple[Shift, ...]:
    """The genres whose share moved most with the latest films, liked or not."""
    seen = [facts[e.movie_id].genres for e in person.history if e.movie_id in facts]
    if len(seen) < 2 * N_RECENT:
        return ()
    before, now = shares(seen[:-N_RECENT]), shares(seen[-N_RECENT:])
    moved = sorted(
        before.keys() | now.keys(),
        key=lambda genre: (-abs(now.get(genre, 0.0) - before.get(genre, 0.0)), genre),
    )
    return tuple(
        Shift(genre, round(100 * before.get(genre, 0.0)), round(100 * now.get(genre, 0.0)))
        for genre in moved[:N_LINES]
    )
