"""Re-ranking: from the ranked pool to the list, with every term of it in the evidence.

One place between ranking and explanation. The served policy is blended with the person's own taste,
calibrated, varied and kept fresh (:mod:`ml.shortlist`); the dials turn any source's list. Facts of
the pool's films come from :mod:`catalog.shelf`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accounts.models import User
from accounts.selectors import tastes_of
from accounts.services import Taste
from catalog.facts import FilmFacts
from catalog.shelf import film_facts
from feedback.models import Slate
from feedback.selectors import UserFeedback
from ml.dials import Dials
from ml.idmap import IdMap
from ml.models.hybrid import Hybrid
from ml.reranking import genre_mix
from ml.shortlist import NEUTRAL, Pool, Shortlist, Strengths, shortlist
from recommendations.preferences import event_weight
from recommendations.ranked import EvidencePart, RankedFilm, SourcePart, TermPart
from recommendations.ranking import RankedPool
from recommendations.snapshot import Snapshot
from recommendations.sources import HYBRID
from recommendations.standing import Standing
from recommendations.strengths import FINGERPRINT, SERVED
from recommendations.visits import NOTHING_SHOWN, Shown, shown_to

POOL_FILMS = 200  # re-ranked; what the model put behind them follows as it was
OFF = Strengths()
LIKED_STARS = 4.0
RERANKING = "re-ranking"


@dataclass(frozen=True)
class ListContext:
    """What shapes a person's list beside the model: where the dials stand, what was shown."""

    dials: Dials = NEUTRAL
    shown: Shown = field(default_factory=lambda: NOTHING_SHOWN)

    def to_json(self) -> dict[str, Any]:
        """As a slate keeps it: with the day of the slate it makes the same context again."""
        last = self.shown.last_visit_on
        return {
            "dials": asdict(self.dials),
            "last_visit_on": last.isoformat() if last else None,
            "strengths": FINGERPRINT,
        }

    @classmethod
    def of_slate(cls, slate: Slate) -> ListContext:
        """The context that ``slate`` was made in; dials of an older Marquee are neutral."""
        dials = Dials(**slate.context.get("dials", {}))
        if slate.user_id is None:
            return cls(dials=dials)
        shown = shown_to([slate.user_id], now=slate.created_at)
        return cls(dials=dials, shown=shown.get(slate.user_id, NOTHING_SHOWN))


PLAIN = ListContext()


def dials_of(taste: Taste) -> Dials:
    """The dials of a person's settings."""
    return Dials(
        surprise=taste.surprise, era=taste.era, length=taste.length, diversity=taste.diversity
    )


def contexts_of(users: Sequence[User]) -> list[ListContext]:
    """One per person, in at most four queries for all of them."""
    tastes, shown = tastes_of(users), shown_to([user.pk for user in users])
    return [
        ListContext(
            dials=dials_of(tastes.get(user.pk, Taste())),
            shown=shown.get(user.pk, NOTHING_SHOWN),
        )
        for user in users
    ]


def context_of(user: object, *, taste: Taste | None = None) -> ListContext:
    """One person's, whose ``taste`` may have been read already; nobody's is plain."""
    if not isinstance(user, User):
        return PLAIN
    if taste is None:
        return contexts_of([user])[0]
    shown = shown_to([user.pk]).get(user.pk, NOTHING_SHOWN)
    return ListContext(dials=dials_of(taste), shown=shown)


def context_standing(user_id: int, standing: Standing) -> ListContext:
    """The same from what was read already; two queries for who came before today, else none."""
    last = standing.last_visit_on
    shown = NOTHING_SHOWN if last is None else shown_to([user_id], visited={user_id: last})[user_id]
    return ListContext(dials=dials_of(standing.taste), shown=shown)


@dataclass(frozen=True)
class Reranked:
    """One person's list in order. ``terms`` and ``taste`` belong to its films, place by place.

    ``terms`` [n] by name; ``taste`` [m, n] is each of ``liked_ids``' part of the taste term.
    """

    pool: RankedPool
    scores: NDArray[np.float64]
    terms: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    taste: NDArray[np.float64] | None = None
    liked_ids: tuple[int, ...] = ()
    # [n]: how much of the person's genre mix each film's genres cover; None where nobody looked.
    genre_match: NDArray[np.float64] | None = None
    cost: float = 0.0
    kept: float = 1.0

    def first(self, n: int) -> Reranked:
        """The first ``n`` films."""
        return self.select(np.arange(min(n, len(self.scores))))

    def select(self, at: NDArray[np.integer]) -> Reranked:
        """The films at these places."""
        return replace(
            self,
            pool=self.pool.select(at),
            scores=self.scores[at],
            terms={name: values[at] for name, values in self.terms.items()},
            taste=None if self.taste is None else self.taste[:, at],
            genre_match=None if self.genre_match is None else self.genre_match[at],
        )

    def taste_of(self, event_ids: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The taste term as each event's part float64[n_events, n], and the rest of it float64[n].

        ``event_ids`` are the films of the history, oldest first; zeros where there is no such term.
        """
        n = len(self.scores)
        parts, rest = np.zeros((len(event_ids), n)), np.zeros(n)
        if "taste" in self.terms and self.taste is not None:
            place = {movie_id: at for at, movie_id in enumerate(event_ids)}
            at = [place[movie_id] for movie_id in self.liked_ids]
            parts[at] = self.taste  # a film is in a history once
            rest = self.terms["taste"] - self.taste.sum(axis=0)
        return parts, rest

    def explained(self, films: Sequence[RankedFilm]) -> tuple[RankedFilm, ...]:
        """The model's explanation of these films, with the terms of re-ranking beside it."""
        if self.genre_match is not None:
            films = [
                replace(film, genre_match=float(match))
                for film, match in zip(films, self.genre_match, strict=True)
            ]
        if not self.terms:
            return tuple(films)
        return tuple(self._explained(film, at) for at, film in enumerate(films))

    def _explained(self, film: RankedFilm, at: int) -> RankedFilm:
        gained: dict[int, float] = {}
        shift = 0.0
        for name, values in self.terms.items():
            if name == "taste" and self.taste is not None:
                own = self.taste[:, at]
                gained = dict(zip(self.liked_ids, own.tolist(), strict=True))
                shift = float(values[at]) - float(own.sum())
        known = {part.movie_id: part.contribution for part in film.evidence}
        for movie_id, value in gained.items():
            known[movie_id] = known.get(movie_id, 0.0) + value
        terms = tuple(
            TermPart(name, float(values[at]))
            for name, values in self.terms.items()
            if name != "taste" and values[at]
        )
        added = shift + sum(gained.values()) + sum(term.contribution for term in terms)
        by_source = (*film.by_source, SourcePart(RERANKING, added)) if film.by_source else ()
        return replace(
            film,
            baseline=film.baseline + shift,
            evidence=tuple(EvidencePart(pk, value, 0.0) for pk, value in known.items() if value),
            terms=terms,
            by_source=by_source,
        ).with_shares()


def rerank(
    pools: Sequence[RankedPool],
    people: Sequence[UserFeedback],
    contexts: Sequence[ListContext],
    *,
    snapshot: Snapshot,
    source: str,
    movie_ids: Sequence[NDArray[np.integer]],
) -> list[Reranked]:
    """Everybody's list. ``movie_ids`` are the film ids of ``pools``, place by place."""
    strengths = SERVED if source == HYBRID else OFF
    is_plain = [strengths == OFF and context.dials == NEUTRAL for context in contexts]
    if all(is_plain):
        return [Reranked(pool, pool.scores) for pool in pools]
    liked = [liked_films(person) for person in people]
    heads: list[list[int]] = [ids[:POOL_FILMS].tolist() for ids in movie_ids]
    facts = film_facts(set(chain(*heads, (pk for own in liked for pk, _ in own))))
    vectors = Vectors(snapshot.hybrid, snapshot.items)
    return [
        Reranked(pool, pool.scores)
        if is_plain[i]
        else _one(
            pool,
            pool_of(
                pool.scores[:POOL_FILMS],
                heads[i],
                liked[i],
                shown=contexts[i].shown,
                facts=facts,
                vectors=vectors,
            ),
            strengths=strengths,
            dials=contexts[i].dials,
            liked_ids=tuple(pk for pk, _ in liked[i]),
        )
        for i, pool in enumerate(pools)
    ]


def liked_films(person: UserFeedback) -> list[tuple[int, float]]:
    """(film id, weight) of what the person wants more of, oldest first."""
    return [
        (event.movie_id, event_weight(event))
        for event in person.history
        if event.kind == "like" or (event.stars is not None and float(event.stars) >= LIKED_STARS)
    ]


class Vectors:
    """Film vectors of the policy's first model that has any: films liked by the same people."""

    def __init__(self, policy: Hybrid, items: IdMap) -> None:
        self.items = items
        self.table: NDArray[np.float32] | None = next(
            (
                model.item_factors
                for model in policy.models.values()
                if hasattr(model, "item_factors")
            ),
            None,
        )

    def of(self, movie_ids: Sequence[int]) -> NDArray[np.floating] | None:
        """[n, d]; zero rows for films that the model does not know; None without such a model."""
        if self.table is None:
            return None
        index = self.items.index(np.array(movie_ids, dtype=np.int64))
        found = self.table[np.maximum(index, 0)].astype(np.float64)
        found[index < 0] = 0.0
        return found


def pool_of(
    scores: NDArray[np.floating],
    movie_ids: Sequence[int],
    liked: Sequence[tuple[int, float]],
    *,
    shown: Shown,
    facts: FilmFacts,
    vectors: Vectors,
) -> Pool:
    """What re-ranking knows of the films ``movie_ids`` for somebody who liked ``liked``."""
    liked_ids, weight = [pk for pk, _ in liked], np.array([w for _, w in liked])
    own = facts.select(movie_ids)
    return Pool(
        model_score=scores,
        vectors=vectors.of(movie_ids),
        liked_vectors=vectors.of(liked_ids),
        liked_weight=weight,
        genres=own.genres.astype(np.float64),
        genre_target=genre_mix(facts.multi_hot(liked_ids), weight=weight),
        ignored=_looked_up(shown.times, movie_ids),
        ignored_days=_looked_up(shown.days, movie_ids),
        is_repeat=_among(shown.last, movie_ids),
        is_pinned=_among(shown.pinned, movie_ids),
        popularity=own.popularity,
        year=own.year,
        runtime=own.runtime,
    )


def _looked_up(known: Mapping[int, int], movie_ids: Sequence[int]) -> NDArray[np.float64]:
    if not known:  # most people have been shown nothing yet
        return np.zeros(len(movie_ids))
    return np.array([known.get(pk, 0) for pk in movie_ids], dtype=np.float64)


def _among(known: frozenset[int], movie_ids: Sequence[int]) -> NDArray[np.bool_]:
    if not known:
        return np.zeros(len(movie_ids), dtype=np.bool_)
    return np.array([pk in known for pk in movie_ids], dtype=np.bool_)


def _one(
    pool: RankedPool,
    head: Pool,
    *,
    strengths: Strengths,
    dials: Dials,
    liked_ids: tuple[int, ...],
) -> Reranked:
    """The films behind the re-ranked ones follow with the model's score and no terms."""
    found: Shortlist = shortlist(head, strengths, dials=dials)
    match = np.zeros(len(found.score))
    if head.genres is not None and head.genre_target is not None:
        match = np.asarray(head.genres, dtype=np.float64) @ np.asarray(head.genre_target)
    n_head, n_tail = len(found.score), len(pool.items) - len(found.score)
    order = np.concatenate([found.order, np.arange(n_head, len(pool.items))])

    def padded(values: NDArray[np.float64]) -> NDArray[np.float64]:
        rest = np.zeros((*values.shape[:-1], n_tail))
        return np.concatenate([values, rest], axis=-1)[..., order]

    scores = np.concatenate([found.score, pool.scores[n_head:]])[order]
    return Reranked(
        pool=pool.select(order),
        scores=scores,
        terms={name: padded(values) for name, values in found.terms.items()},
        taste=None if found.taste_events is None else padded(found.taste_events),
        liked_ids=liked_ids,
        genre_match=padded(match),
        cost=found.cost,
        kept=found.kept,
    )
