"""One day of what people were shown: how many lists, of what kind, how varied, how well taken."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from catalog.models import Movie
from dashboard.models import ClusterMember, ShownDay, TasteCluster
from dashboard.rollup.days import end_of, start_of
from dashboard.rollup.feedback import VERDICT
from feedback.models import Impression, Interaction, Slate
from ml.metrics import gini, intra_list_diversity

ANSWERED_WITHIN = timedelta(days=7)
LIST_DEPTH = 10  # diversity is of the films that people see without scrolling
OLD_YEARS = 30
HEAD_SHARE = 0.1  # the best known tenth of the catalogue
NOBODY, NEW, LIGHT, HEAVY = "nothing known", "new", "light", "heavy"
HEAD, TAIL, OLD, FOREIGN = "well known films", "little known films", "old films", "not English"
#: Before the key of a kind of audience: what its people of today were shown.
CLUSTER_PREFIX = "taste "
PEOPLE_SLICES = (NOBODY, NEW, LIGHT, HEAVY)
FILM_SLICES = (HEAD, TAIL, OLD, FOREIGN)

_SLATES, _IMPRESSIONS = Slate._meta.db_table, Impression._meta.db_table
_LOG = Interaction._meta.db_table
# The lengths of history that the models are measured on (ml.evaluation.slice_masks).
_SLICE = f"""
    CASE WHEN coalesce((s.context->>'n_history')::int, 0) = 0 THEN '{NOBODY}'
         WHEN (s.context->>'n_history')::int <= 5 THEN '{NEW}'
         WHEN (s.context->>'n_history')::int <= 20 THEN '{LIGHT}' ELSE '{HEAVY}' END"""
# Why the card says that the film is there, the strongest claim first (services.slates).
_REASON = """
    CASE WHEN i.reason ? 'said' THEN 'what was asked for'
         WHEN jsonb_array_length(coalesce(i.reason->'evidence', '[]')) > 0 THEN 'own films'
         WHEN i.score IS NULL THEN 'popular, to fill the list'
         ELSE 'no film of one''s own' END"""
_ON_DAY = "s.created_at >= %s AND s.created_at < %s"
# Slates with what their people said of films that they showed, in time (_answer_span).
_ANSWERED = f"""
    {_SLATES} s JOIN {_LOG} e
      ON e.request_id = s.request_id AND e.created_at >= %s AND e.created_at < %s
     AND e.created_at < s.created_at + %s"""
_IS_ANSWER = f"""
    e.kind IN ('rate', 'react') AND EXISTS (
        SELECT 1 FROM {_IMPRESSIONS} i
        WHERE i.slate_id = s.request_id AND i.movie_id = e.movie_id)"""  # noqa: S608


@dataclass(frozen=True)
class Catalogue:
    """What the day's films are measured with. Positions go by ``ids``, ascending."""

    ids: NDArray[np.int64]
    rating_count: NDArray[np.int64]
    genres: NDArray[np.float32]
    is_visible: NDArray[np.bool_]
    # bool[n] by name: the best known tenth, and what is not English. Age depends on the day.
    is_head: NDArray[np.bool_]
    is_foreign: NDArray[np.bool_]
    year: NDArray[np.int64]

    def index(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The position of each id; -1 for one that is no film."""
        if not len(self.ids):
            return np.full(np.shape(ids), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[at] == ids, at, -1)

    def slices(self, day: date) -> dict[str, NDArray[np.bool_]]:
        """Which films belong to each slice on ``day``."""
        return {
            HEAD: self.is_head,
            TAIL: ~self.is_head,
            OLD: (self.year > 0) & (self.year <= day.year - OLD_YEARS),
            FOREIGN: self.is_foreign,
        }


def catalogue() -> Catalogue:
    """Read once for as many days as are counted."""
    rows = list(
        Movie.objects.order_by("pk").values_list(
            "pk", "rating_count", "is_hidden", "language", "year"
        )
    )
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    counts = np.array([row[1] for row in rows], dtype=np.int64)
    is_visible = np.array([not row[2] for row in rows], dtype=np.bool_)
    pairs = np.array(
        Movie.genres.through.objects.values_list("movie_id", "genre_id"), dtype=np.int64
    ).reshape(-1, 2)
    columns = np.unique(pairs[:, 1])
    genres = np.zeros((len(ids), max(1, len(columns))), dtype=np.float32)
    genres[np.searchsorted(ids, pairs[:, 0]), np.searchsorted(columns, pairs[:, 1])] = 1.0
    n_head = max(1, round(HEAD_SHARE * int(is_visible.sum())))
    is_head = np.zeros(len(ids), dtype=np.bool_)
    known = np.where(is_visible, counts, -1)
    is_head[np.lexsort((ids, -known))[:n_head]] = True
    return Catalogue(
        ids=ids,
        rating_count=counts,
        genres=genres,
        is_visible=is_visible,
        is_head=is_head,
        is_foreign=np.array([bool(row[3]) and row[3] != "en" for row in rows], dtype=np.bool_),
        year=np.array([row[4] or 0 for row in rows], dtype=np.int64),
    )


def shown_day_roll(day: date, films: Catalogue, *, now: datetime) -> ShownDay:
    """Counts ``day`` anew from the slates that are still kept."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    slices: dict[str, Counter[str]] = {
        name: Counter(lists=0, impressions=0, opinions=0, positive=0)
        for name in (*PEOPLE_SLICES, *FILM_SLICES)
    }
    found = ShownDay(day=day, computed_at=now)
    _lists(found, counts, slices)
    _impressions(found, counts, slices, films)
    _answers(found, slices, films)
    slices |= _cluster_slices(day)
    found.diversity = _diversity(day, films)
    found.counts = {name: dict(of_name) for name, of_name in counts.items()}
    found.slices = {name: dict(of_name) for name, of_name in slices.items()}
    found.save()
    return found


def exposure_of(exposure: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids of the films shown on a day and how often each was, from its row's ``exposure``."""
    values = np.frombuffer(exposure, dtype=np.int64)
    return values[: len(values) // 2], values[len(values) // 2 :]


def exposure_over(days: Iterable[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same of several days together. Ids count from 1: an array up to the last is small."""
    parts = [exposure_of(exposure) for exposure in days]
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    counts = np.bincount(
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
    ).astype(np.int64)
    ids = np.flatnonzero(counts)
    return ids, counts[ids]


def exposure_gini(counts: NDArray[np.int64], n_catalogue: int) -> float | None:
    """Gini of exposure with the films that nobody was shown; None where nothing was."""
    if not len(counts):
        return None
    silent = max(0, n_catalogue - len(counts))
    return gini(np.concatenate([np.zeros(silent), counts]))


def _rows(sql: str, params: list[Any]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def _span(day: date) -> list[object]:
    return [start_of(day), end_of(day)]


def _answer_span(day: date) -> list[object]:
    return [start_of(day), end_of(day) + ANSWERED_WITHIN, ANSWERED_WITHIN]


def _lists(
    found: ShownDay, counts: defaultdict[str, Counter[str]], slices: dict[str, Counter[str]]
) -> None:
    span = _span(found.day)
    rows = _rows(
        f"""SELECT s.surface, s.policy, s.model_version, s.fallback, {_SLICE},
            coalesce((s.context->>'is_stored')::bool, false), count(*)
        FROM {_SLATES} s WHERE {_ON_DAY} GROUP BY 1, 2, 3, 4, 5, 6""",  # noqa: S608
        span,
    )
    for surface, policy, version, fallback, slice_name, is_stored, n in rows:
        found.n_lists += n
        found.n_cold += n if slice_name == NOBODY else 0
        found.n_fallback += n if fallback else 0
        found.n_stored += n if is_stored else 0
        counts["surface"][surface] += n
        counts["policy"][policy] += n
        counts["model_version"][version or "none"] += n
        counts["fallback"][fallback or "none"] += n
        slices[slice_name]["lists"] += n
    [(found.n_people,)] = _rows(
        f"SELECT count(DISTINCT s.user_id) FROM {_SLATES} s WHERE {_ON_DAY}",  # noqa: S608
        span,
    )
    skipped = _rows(
        f"""SELECT t.key || ': ' || t.value, count(*)
        FROM {_SLATES} s, jsonb_each_text(s.context->'skipped') t
        WHERE {_ON_DAY} AND jsonb_typeof(s.context->'skipped') = 'object' GROUP BY 1""",  # noqa: S608
        span,
    )
    counts["skipped"].update(dict(skipped))


def _impressions(
    found: ShownDay,
    counts: defaultdict[str, Counter[str]],
    slices: dict[str, Counter[str]],
    films: Catalogue,
) -> None:
    joined = f"FROM {_IMPRESSIONS} i JOIN {_SLATES} s ON s.request_id = i.slate_id WHERE {_ON_DAY}"
    span = _span(found.day)
    for source, reason, slice_name, n in _rows(
        f"SELECT i.source, {_REASON}, {_SLICE}, count(*) {joined} GROUP BY 1, 2, 3",  # noqa: S608
        span,
    ):
        found.n_impressions += n
        counts["source"][source] += n
        counts["reason"][reason] += n
        slices[slice_name]["impressions"] += n
    rows = _rows(
        f"SELECT i.movie_id, count(*) {joined} GROUP BY 1 ORDER BY 1",  # noqa: S608
        span,
    )
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    shown = np.array([row[1] for row in rows], dtype=np.int64)
    found.exposure = np.concatenate([ids, shown]).tobytes()
    found.n_films = len(ids)
    found.n_catalogue = int(films.is_visible.sum())
    found.gini = exposure_gini(shown, found.n_catalogue)
    at = films.index(ids)
    if len(ids):
        bits = np.log2((films.rating_count.max() + 1) / (films.rating_count[at] + 1))
        found.novelty = float(bits @ shown / shown.sum())
    for name, is_in in films.slices(found.day).items():
        slices[name]["impressions"] = int(shown[is_in[at]].sum())


def _answers(found: ShownDay, slices: dict[str, Counter[str]], films: Catalogue) -> None:
    """What people said of films that the day's lists showed them, within a week of the list."""
    rows = _rows(
        f"""SELECT {_SLICE}, e.movie_id, {VERDICT} AS verdict, count(*)
        FROM {_ANSWERED} WHERE {_ON_DAY} AND {_IS_ANSWER} GROUP BY 1, 2, 3""",  # noqa: S608
        [*_answer_span(found.day), *_span(found.day)],
    )
    members = films.slices(found.day)
    for slice_name, movie_id, verdict, n in rows:
        if verdict is None:
            continue
        at = films.index(np.array([movie_id]))[0]
        for name in (slice_name, *(name for name, is_in in members.items() if is_in[at])):
            slices[name]["opinions"] += n
            slices[name]["positive"] += n if verdict else 0


def _cluster_slices(day: date) -> dict[str, Counter[str]]:
    """By kind of audience, as people belong to them when the day is counted."""
    members, clusters = ClusterMember._meta.db_table, TasteCluster._meta.db_table
    of_cluster = f"""
        JOIN {members} m ON m.user_id = s.user_id JOIN {clusters} c ON c.id = m.cluster_id
        WHERE {_ON_DAY}"""
    span = _span(day)
    found: defaultdict[str, Counter[str]] = defaultdict(
        lambda: Counter(lists=0, impressions=0, opinions=0, positive=0)
    )
    for what, source in (
        ("lists", f"{_SLATES} s"),
        ("impressions", f"{_IMPRESSIONS} i JOIN {_SLATES} s ON s.request_id = i.slate_id"),
    ):
        for key, n in _rows(
            f"SELECT c.key, count(*) FROM {source} {of_cluster} GROUP BY 1",  # noqa: S608
            span,
        ):
            found[CLUSTER_PREFIX + key][what] += n
    rows = _rows(
        f"""SELECT c.key, {VERDICT} AS verdict, count(*) FROM {_ANSWERED} {of_cluster}
        AND {_IS_ANSWER} GROUP BY 1, 2""",  # noqa: S608
        [*_answer_span(day), *span],
    )
    for key, verdict, n in rows:
        if verdict is not None:
            found[CLUSTER_PREFIX + key]["opinions"] += n
            found[CLUSTER_PREFIX + key]["positive"] += n if verdict else 0
    return dict(found)


def _diversity(day: date, films: Catalogue) -> float | None:
    """Mean over lists of the mean genre distance between two films of the first LIST_DEPTH."""
    rows = _rows(
        f"""SELECT array_agg(i.movie_id ORDER BY i.position)
        FROM {_IMPRESSIONS} i JOIN {_SLATES} s ON s.request_id = i.slate_id
        WHERE {_ON_DAY} AND i.position < %s GROUP BY s.request_id HAVING count(*) > 1""",  # noqa: S608
        [*_span(day), LIST_DEPTH],
    )
    if not rows:
        return None
    lists = np.full((len(rows), LIST_DEPTH), -1, dtype=np.int32)
    for row, (ids,) in enumerate(rows):
        lists[row, : len(ids)] = films.index(np.array(ids, dtype=np.int64))
    # In parts: thousands of lists by ten films by twenty genres at once would be a lot of memory.
    parts = [
        intra_list_diversity(lists[start : start + 2000], films.genres)
        for start in range(0, len(lists), 2000)
    ]
    return float(np.concatenate(parts).mean())
