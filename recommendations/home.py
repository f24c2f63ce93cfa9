"""The rows of the front page: each has a reason, no film stands in two of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from catalog.cards import MovieCard, MovieRow, ReasonPart
from catalog.models import Movie
from catalog.numbers import count_text, decimal_text, short_text
from catalog.selectors import picks_shown
from catalog.shelf import audience_is_simulated, movies_for_cards
from feedback.selectors import UserFeedback, feedback_of
from ml.retrieval import top_k
from ml.types import Histories
from recommendations.cards import titles_of
from recommendations.home_rows import ROW_FILMS, Draft, catalogue_rows, day_seed, text
from recommendations.pipeline import DEFAULT_SOURCE, POPULAR
from recommendations.ranked import EvidencePart, RankedFilm, RankedList
from recommendations.reasons import popularity_reason, reason_for
from recommendations.selectors import recommendations_for, standing_for
from recommendations.services.slates import MAX_EVIDENCE
from recommendations.snapshot import Snapshot, current_snapshot

HERO_FILMS = 3
MIN_ROW = 4  # fewer films are no row
# The source of films that editors picked.
EDITORS = "editors"
LOVED_STARS = 4.0
BECAUSE_ROWS = 2
LOVED_LOOKED_AT = 6  # of the films that somebody loved, two a day have a row
READ = 100  # of the personal list: its first films are a row, unusual ones further down another
UNUSUAL = 0.25  # of the genre mix: films that cover less of it are out of the usual
MIN_HISTORY_FOR_UNUSUAL = 5


@dataclass
class HomePage:
    """What the front page shows. ``ranked`` is the personal row of it, for the slate log."""

    hero_cards: tuple[MovieCard, ...]
    rows: list[MovieRow]
    is_personal: bool
    ranked: RankedList | None = None


@dataclass
class _Page:
    """Rows so far, and the films that they took."""

    taken: set[int]
    drafts: list[Draft] = field(default_factory=list)

    def add(self, draft: Draft) -> None:
        """Keeps the row's first films that no other row has; too few make no row."""
        # The first row also feeds the top of the page.
        n = ROW_FILMS if self.drafts else ROW_FILMS + HERO_FILMS
        films = [film for film in draft.films if film.movie_id not in self.taken][:n]
        if len(films) < MIN_ROW:
            return
        draft.films = films
        self.taken.update(film.movie_id for film in films)
        self.drafts.append(draft)


def home_page(
    user: User | AnonymousUser, *, request_id: str = "", now: datetime | None = None
) -> HomePage:
    """The front page of a visitor or of somebody with an account.

    ``request_id`` names the slate that the personal row will be logged as. The same page all day:
    what is shuffled is shuffled by the person and the day.
    """
    person = feedback_of(user)
    snapshot = current_snapshot()
    standing = standing_for(
        user, snapshot, source=DEFAULT_SOURCE, n=READ, generation=person.generation
    )
    barred = standing.barred
    day = (now or timezone.now()).astimezone(UTC).date()
    seed = day_seed(user.pk, day)
    page = _Page(taken={*person.hidden_ids, *barred})
    ranked = None
    if person.history and snapshot is not None:
        found = recommendations_for(
            user,
            n=READ,
            feedback=person,
            snapshot=snapshot,
            standing=standing,
            max_parts=MAX_EVIDENCE,
            request_id=uuid.UUID(request_id) if request_id else None,
        )
        for_you = reverse("recommendations:for_you")
        mine = Draft("for-you", text(_("For you, tonight")), list(found.films), for_you)
        mine.request_id = request_id
        page.add(mine)
        ranked = replace(found, films=tuple(mine.films))
        for draft in _because_rows(person, snapshot, day=day):
            page.add(draft)
        if len(person.history) >= MIN_HISTORY_FOR_UNUSUAL:
            page.add(_unusual_row(found))
    picks = _picked_rows()
    picked = {film.movie_id for draft in picks for film in draft.films}
    catalogue = catalogue_rows(page.taken | picked, seed=seed)
    # The first row feeds the top of the page, for which a collection may be too short.
    n_first = 0 if page.drafts else 1
    for draft in (*catalogue[:n_first], *picks, *catalogue[n_first:]):
        page.add(draft)
    if ranked is not None:
        shown = {d.slug: [film.movie_id for film in d.films] for d in page.drafts}
        ranked = replace(ranked, context=ranked.context | {"seed": seed, "rows": shown})
    rows, hero = _with_cards(page.drafts)
    return HomePage(hero_cards=hero, rows=rows, is_personal=ranked is not None, ranked=ranked)


def _unusual_row(found: RankedList) -> Draft:
    """What the list has further down that is not of the person's genres."""
    films = [
        film
        for film in found.films
        if film.score is not None and film.genre_match is not None and film.genre_match < UNUSUAL
    ]
    return Draft("unusual", text(_("Out of your usual, and still likely to please")), films)


def _picked_rows() -> list[Draft]:
    """Editors' collections; one query."""
    return [
        Draft(
            f"picks-{picks.slug}",
            text(picks.title),
            [RankedFilm(movie_id=pk, source=EDITORS) for pk in picks.movie_ids],
        )
        for picks in picks_shown()
    ]


def _because_rows(person: UserFeedback, snapshot: Snapshot, *, day: date) -> list[Draft]:
    """ "Because you gave Heat five stars": neighbours of films that somebody loved, two a day."""
    loved = [e for e in person.history if e.stars is not None and float(e.stars) >= LOVED_STARS]
    loved.sort(key=lambda e: (float(e.stars or 0), e.at), reverse=True)
    loved = loved[:LOVED_LOOKED_AT]
    turn = day.toordinal() * BECAUSE_ROWS % max(1, len(loved))
    loved = [*loved[turn:], *loved[:turn]][:BECAUSE_ROWS]
    titles = dict(
        Movie.objects.visible()
        .filter(pk__in=[e.movie_id for e in loved])
        .values_list("pk", "title")
    )
    drafts = []
    for event in loved:
        films = similar_by_behaviour(event.movie_id, snapshot, n=ROW_FILMS * 3)
        if films and event.movie_id in titles:
            title = (
                ReasonPart(_("Because you gave ")),
                ReasonPart(titles[event.movie_id], is_strong=True),
                ReasonPart(_(" %(stars)s stars") % {"stars": short_text(float(event.stars or 0))}),
            )
            more = reverse("catalog:movie", args=[event.movie_id])
            drafts.append(Draft(f"because-{event.movie_id}", title, films, more))
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


def _with_cards(drafts: list[Draft]) -> tuple[list[MovieRow], tuple[MovieCard, ...]]:
    """All films of the page in two queries, whatever the number of rows."""
    everything = [film for draft in drafts for film in draft.films]
    movies = movies_for_cards([film.movie_id for film in everything])
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
    draft: Draft,
    film: RankedFilm,
    *,
    movie: Movie,
    titles: dict[int, str],
    is_simulated: bool,
) -> tuple[ReasonPart, ...]:
    if draft.slug == "new":
        return text(_("New in the catalogue"))
    if draft.slug.startswith("because-"):
        return ()  # the row's title is the reason
    if film.source in {"loved", "gentle", "old"} and movie.rating_mean is not None:
        stars = decimal_text(movie.rating_mean)
        count = count_text(movie.rating_count)
        said = _("%(stars)s from %(n)s people")
        if is_simulated:
            said = _("%(stars)s from %(n)s simulated ratings")
        return (ReasonPart(said % {"stars": stars, "n": count}),)
    if film.source == POPULAR or not film.evidence:
        return popularity_reason(movie, is_simulated=is_simulated)
    return reason_for(film, movie, titles, is_simulated=is_simulated)
