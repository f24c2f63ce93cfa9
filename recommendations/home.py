"""The rows of the front page: each has a reason, no film stands in two of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from django.contrib.auth.models import AnonymousUser
from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from catalog.cards import MovieCard, MovieRow, ReasonPart
from catalog.models import Movie
from catalog.selectors import audience_is_simulated, picks_shown
from feedback.selectors import UserFeedback, feedback_of
from ml.retrieval import top_k
from ml.types import Histories
from recommendations.cards import titles_of
from recommendations.limits import barred_for
from recommendations.pipeline import POPULAR, popular_films
from recommendations.ranked import EvidencePart, RankedFilm, RankedList
from recommendations.reasons import popularity_reason, reason_for
from recommendations.selectors import recommendations_for
from recommendations.snapshot import Snapshot, current_snapshot

ROW_FILMS = 12
HERO_FILMS = 3
MIN_ROW = 4  # fewer films are no row
# The source of films that editors picked.
EDITORS = "editors"
LOVED_STARS = 4.0
BECAUSE_ROWS = 2
# A mean of few ratings says little: Bayesian mean with this many ratings of 3.5 stars.
PRIOR_RATINGS = 25
PRIOR_STARS = 3.5
WELL_KNOWN_SHARE = 0.02  # of the most-rated film's ratings


@dataclass
class HomePage:
    """What the front page shows. ``ranked`` is the personal row of it, for the slate log."""

    hero_cards: tuple[MovieCard, ...]
    rows: list[MovieRow]
    is_personal: bool
    ranked: RankedList | None = None


@dataclass
class _Draft:
    """A row before its films were read."""

    slug: str
    title: tuple[ReasonPart, ...]
    films: list[RankedFilm]
    more_url: str = ""
    request_id: str = ""


@dataclass
class _Page:
    """Rows so far, and the films that they took."""

    taken: set[int]
    drafts: list[_Draft] = field(default_factory=list)

    def add(self, draft: _Draft) -> None:
        """Keeps the row's first films that no other row has; too few make no row."""
        # The first row also feeds the top of the page.
        n = ROW_FILMS if self.drafts else ROW_FILMS + HERO_FILMS
        films = [film for film in draft.films if film.movie_id not in self.taken][:n]
        if len(films) < MIN_ROW:
            return
        draft.films = films
        self.taken.update(film.movie_id for film in films)
        self.drafts.append(draft)


def home_page(user: User | AnonymousUser, *, request_id: str = "") -> HomePage:
    """The front page of a visitor or of somebody with an account.

    ``request_id`` names the slate that the personal row will be logged as.
    """
    person = feedback_of(user)
    snapshot = current_snapshot()
    barred = barred_for(user)
    page = _Page(taken={*person.hidden_ids, *barred})
    ranked = None
    if person.history and snapshot is not None:
        ranked = recommendations_for(user, n=40, feedback=person, snapshot=snapshot, barred=barred)
        for_you = reverse("recommendations:for_you")
        mine = _Draft("for-you", _text(_("For you, tonight")), list(ranked.films), for_you)
        mine.request_id = request_id
        page.add(mine)
        ranked = replace(ranked, films=tuple(mine.films))
        for draft in _because_rows(person, snapshot):
            page.add(draft)
    for picks in picks_shown():
        films = [RankedFilm(movie_id=pk, source=EDITORS) for pk in picks.movie_ids]
        page.add(_Draft(f"picks-{picks.slug}", _text(picks.title), films))
    for draft in _catalogue_rows(page.taken):
        page.add(draft)
    rows, hero = _with_cards(page.drafts)
    return HomePage(hero_cards=hero, rows=rows, is_personal=ranked is not None, ranked=ranked)


def _text(text: str) -> tuple[ReasonPart, ...]:
    return (ReasonPart(text),)


def _because_rows(person: UserFeedback, snapshot: Snapshot) -> list[_Draft]:
    """ "Because you gave Heat five stars": neighbours of the latest films that somebody loved."""
    loved = [e for e in person.history if e.stars is not None and float(e.stars) >= LOVED_STARS]
    loved.sort(key=lambda e: (float(e.stars or 0), e.at), reverse=True)
    titles = dict(
        Movie.objects.visible()
        .filter(pk__in=[e.movie_id for e in loved[:BECAUSE_ROWS]])
        .values_list("pk", "title")
    )
    drafts = []
    for event in loved[:BECAUSE_ROWS]:
        films = similar_by_behaviour(event.movie_id, snapshot, n=ROW_FILMS * 3)
        if films and event.movie_id in titles:
            title = (
                ReasonPart(_("Because you gave ")),
                ReasonPart(titles[event.movie_id], is_strong=True),
                ReasonPart(_(" %(stars)s stars") % {"stars": f"{float(event.stars or 0):g}"}),
            )
            more = reverse("catalog:movie", args=[event.movie_id])
            drafts.append(_Draft(f"because-{event.movie_id}", title, films, more))
    return drafts


def similar_by_behaviour(movie_id: int, snapshot: Snapshot, *, n: int) -> list[RankedFilm]:
    """Films that the same people liked; empty for a film without enough ratings."""
    serving = snapshot.serving("item_item")
    index = serving.items.index([movie_id])
    best = top_k(serving.model.score(Histories.from_lists([index])), n)
    return [
        RankedFilm(
            movie_id=int(serving.items.ids[i]),
            source="item_item",
            score=float(score),
            evidence=(EvidencePart(movie_id=movie_id, contribution=float(score), share=1.0),),
        )
        for i, score in zip(best.item_index[0], best.score[0], strict=True)
        if i >= 0 and score > 0 and serving.items.ids[i] != movie_id
    ]


def _catalogue_rows(taken: Iterable[int]) -> list[_Draft]:
    """Rows that need no history."""
    browse = reverse("catalog:browse")
    visible = Movie.objects.visible().exclude(pk__in=list(taken))
    top = visible.order_by("-rating_count").values_list("rating_count", flat=True).first() or 0
    bayes = (F("rating_count") * F("rating_mean") + PRIOR_RATINGS * PRIOR_STARS) / (
        F("rating_count") + PRIOR_RATINGS
    )
    known = visible.filter(rating_count__gte=max(1, top * WELL_KNOWN_SHARE))
    loved = known.filter(rating_mean__isnull=False).annotate(bayes=bayes)
    wide = ROW_FILMS * 5  # enough to remain a row after the films of other rows are gone

    def films(queryset: object, source: str) -> list[RankedFilm]:
        return [RankedFilm(movie_id=pk, source=source) for pk in queryset]  # type: ignore[attr-defined]

    def ids(queryset: object) -> object:
        return queryset.values_list("pk", flat=True)[:wide]  # type: ignore[attr-defined]

    return [
        _Draft(
            "popular",
            _text(_("What people here watch")),
            popular_films(n=wide, without=frozenset(taken)),
            f"{browse}?sort=popular",
        ),
        _Draft(
            "loved",
            _text(_("Rated highest by those who saw them")),
            films(ids(loved.order_by("-bayes", "pk")), "loved"),
            f"{browse}?sort=best",
        ),
        _Draft(
            "short",
            _text(_("Under an hour and a half")),
            films(ids(loved.filter(runtime_min__range=(40, 90)).order_by("-bayes", "pk")), "short"),
            f"{browse}?runtime_to=90&sort=best",
        ),
        _Draft(
            "newest",
            _text(_("The latest films in the catalogue")),
            films(
                ids(visible.filter(year__isnull=False).order_by("-year", "-rating_count", "pk")),
                "newest",
            ),
            f"{browse}?sort=newest",
        ),
        _Draft(
            "old",
            _text(_("Before 1960, and still loved")),
            films(ids(loved.filter(year__lt=1960).order_by("-bayes", "pk")), "old"),
            f"{browse}?year_to=1959&sort=best",
        ),
    ]


def _with_cards(drafts: list[_Draft]) -> tuple[list[MovieRow], tuple[MovieCard, ...]]:
    """All films of the page in two queries, whatever the number of rows."""
    everything = [film for draft in drafts for film in draft.films]
    movies = {m.pk: m for m in Movie.objects.in_order([film.movie_id for film in everything])}
    titles = titles_of(everything)
    is_simulated = audience_is_simulated()
    rows = []
    for draft in drafts:
        cards = tuple(
            MovieCard(
                movie=movies[film.movie_id],
                reason=_card_reason(
                    draft,
                    film,
                    movie=movies[film.movie_id],
                    titles=titles,
                    is_simulated=is_simulated,
                ),
                source=film.source,
                score=film.score,
                request_id=draft.request_id,
                position=position,
                surface="home",
            )
            for position, film in enumerate(draft.films)
            if film.movie_id in movies
        )
        rows.append(MovieRow(draft.slug, draft.title, cards, draft.more_url))
    return rows, _take_hero(rows)


def _take_hero(rows: list[MovieRow]) -> tuple[MovieCard, ...]:
    """The first films of the first row, for the top of the page: they leave the row.

    A row that would be left with too few keeps them, and the top goes without.
    """
    if not rows or len(rows[0].cards) < HERO_FILMS + MIN_ROW:
        return ()
    cards = rows[0].cards
    rows[0] = replace(rows[0], cards=cards[HERO_FILMS:])
    return cards[:HERO_FILMS]


def _card_reason(
    draft: _Draft,
    film: RankedFilm,
    *,
    movie: Movie,
    titles: dict[int, str],
    is_simulated: bool,
) -> tuple[ReasonPart, ...]:
    if draft.slug.startswith("because-"):
        return ()  # the row's title is the reason
    if film.source in {"loved", "short", "old"} and movie.rating_mean is not None:
        stars = f"{movie.rating_mean:.1f}"
        count = f"{movie.rating_count:,}"
        said = _("%(stars)s from %(n)s people")
        if is_simulated:
            said = _("%(stars)s from %(n)s simulated ratings")
        return (ReasonPart(said % {"stars": stars, "n": count}),)
    if film.source == POPULAR or not film.evidence:
        return popularity_reason(movie, is_simulated=is_simulated)
    return reason_for(film, movie, titles, is_simulated=is_simulated)
