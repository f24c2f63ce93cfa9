"""The feature store of the rankers: one code path offline and online, and nothing from the future.

Everything is computed for a moment ``now`` from events before it: in training ``now`` is the
moment of the example, in serving it is now. The order of :data:`BASE_FEATURES` is locked; the
manifest of a ranker stores the full list of names, and a ranker refuses other names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.models._side_info import centered_text
from ml.text import unit_rows
from ml.types import FloatArray, Histories, Interactions, ItemFeatures, LongArray

DAY_S = 86_400
WINDOWS_DAYS = (7, 30, 90, 365)
HALF_LIFE_DAYS = 30.0
MAX_STARS = 5.0
# A constant, not the data's own mean: that would know the future.
PRIOR_STARS, PRIOR_RATINGS = 3.5, 5.0
NEVER_DAYS = 3650.0  # days since the last event of someone or something without any
SECONDS_PER_YEAR = 365.25 * DAY_S
LIKED_RECENTLY = 10  # events of the history that "recent" crosses look at

USER_FEATURES = (
    "user_interactions",
    "user_conf_sum",
    "user_conf_decay_sum",
    "user_days_since_last",
    "user_mean_rating",
    "user_mean_popularity",
)
ITEM_FEATURES = (
    "item_interactions",
    "item_conf_sum",
    "item_conf_decay_sum",
    "item_days_since_last",
    "item_mean_rating",
    *(f"item_log_popularity_{days}d" for days in WINDOWS_DAYS),
    "item_age_years",
)
CROSS_FEATURES = (
    "user_genre_affinity",
    "user_genre_affinity_recent",
    "user_year_distance",
    "semantic_similarity",
    "semantic_similarity_recent",
    "last_genre_similarity",
    "last_semantic_similarity",
    "last_year_distance",
    "last_popularity_distance",
    "last_gap_log_s",
    "hour_sin",
    "hour_cos",
)
BASE_FEATURES = USER_FEATURES + ITEM_FEATURES + CROSS_FEATURES


def feature_names(sources: Sequence[str]) -> tuple[str, ...]:
    """The locked order: the base features, then score and rank of each source."""
    return BASE_FEATURES + tuple(f"{name}_{what}" for name in sources for what in ("score", "rank"))


def confidence(rating: NDArray[np.floating]) -> FloatArray:
    """How much an event says that the film was wanted, 0.1 to 1: the stars as a share of 5."""
    return (np.nan_to_num(rating, nan=MAX_STARS) / MAX_STARS).astype(np.float32)


@dataclass(frozen=True, slots=True)
class FeatureStore:
    """Events sorted by (film, time), with running sums, so that any past moment can be asked.

    ``key`` is film * span + (time - first). Entry e + 1 of ``conf_sum`` and ``star_sum`` is the sum
    of all events up to e; of ``decayed`` it is the film's decayed confidence right after event e.
    """

    key: LongArray
    start: LongArray  # [n_items + 1] where each film's events begin
    conf_sum: NDArray[np.float64]
    decayed: NDArray[np.float64]
    star_sum: NDArray[np.float64]
    first: int
    span: int
    year: FloatArray
    genres: FloatArray
    text: FloatArray

    @classmethod
    def build(cls, events: Interactions, features: ItemFeatures | None = None) -> FeatureStore:
        """From the training events; missing facts become empty columns."""
        n = events.n_items
        order = np.lexsort((events.timestamp, events.item_index))
        item, time = events.item_index[order].astype(np.int64), events.timestamp[order]
        first = int(time.min()) if len(time) else 0
        span = int(time.max()) - first + 2 if len(time) else 2
        conf = confidence(events.rating[order]).astype(np.float64)
        counts = np.bincount(item, minlength=n)
        given = features or ItemFeatures(n_items=n)
        none = np.zeros((n, 0), dtype=np.float32)
        return cls(
            key=item * span + (time - first),
            start=np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]),
            conf_sum=_running(conf),
            decayed=_decayed(conf, time, counts),
            star_sum=_running(events.rating[order].astype(np.float64)),
            first=first,
            span=span,
            year=np.full(n, np.nan, np.float32) if given.year is None else given.year,
            genres=none if given.genres is None else unit_rows(given.genres),
            text=none if given.text is None else unit_rows(centered_text(given.text)),
        )

    @property
    def n_items(self) -> int:
        """How many films the store knows."""
        return len(self.start) - 1

    def count_before(self, items: NDArray[np.integer], when: NDArray[np.integer]) -> LongArray:
        """int64, shape of ``items``: positions after the film's last event before ``when``."""
        offset = np.clip(when - self.first, 0, self.span - 1)
        at = np.searchsorted(self.key, items.astype(np.int64) * self.span + offset, side="left")
        return at.astype(np.int64)

    def item_table(self, items: NDArray[np.integer], now: NDArray[np.integer]) -> FloatArray:
        """float32[..., len(ITEM_FEATURES)] of films [...] at moments [...], events before only."""
        begin = self.start[items]
        end = self.count_before(items, now)
        count = end - begin
        conf = self.conf_sum[end] - self.conf_sum[begin]
        last = self.key[np.maximum(end - 1, 0)] % self.span + self.first if len(self.key) else now
        days = np.where(count > 0, (now - last) / DAY_S, NEVER_DAYS)
        decayed = np.where(count > 0, self.decayed[end] * np.exp2(-days / HALF_LIFE_DAYS), 0.0)
        stars = self.star_sum[end] - self.star_sum[begin]
        mean = (stars + PRIOR_RATINGS * PRIOR_STARS) / (count + PRIOR_RATINGS)
        windows = [
            np.log1p(end - self.count_before(items, now - days_back * DAY_S))
            for days_back in WINDOWS_DAYS
        ]
        film_age = 1970.0 + now / SECONDS_PER_YEAR - self.year[items]
        columns = [
            np.log1p(count),
            np.log1p(conf),
            np.log1p(decayed),
            days,
            mean,
            *windows,
            film_age,
        ]
        return np.stack(np.broadcast_arrays(*columns), axis=-1).astype(np.float32)

    def user_table(self, histories: Histories, now: NDArray[np.integer]) -> FloatArray:
        """float32[n, len(USER_FEATURES)]; ValueError for an event after its ``now``.

        Events on films that the store does not know do not count: training never sees them.
        """
        n = len(histories)
        histories = known_events(histories, self.n_items)
        rows = np.repeat(np.arange(n), np.diff(histories.indptr))
        if np.any(histories.timestamp > now[rows]):
            raise ValueError("a history holds an event later than the moment it is asked for")
        conf = confidence(histories.rating)
        age = (now[rows] - histories.timestamp) / (HALF_LIFE_DAYS * DAY_S)
        count = np.bincount(rows, minlength=n)
        some = np.maximum(count, 1)
        decayed = np.bincount(rows, conf * np.exp2(-age), minlength=n)
        last = np.full(n, -1, dtype=np.int64)
        np.maximum.at(last, rows, histories.timestamp)
        items = histories.item_index
        fame = np.log1p(self.count_before(items, now[rows]) - self.start[items])
        stars = np.where(np.isfinite(histories.rating), histories.rating, MAX_STARS)
        columns = [
            np.log1p(count),
            np.log1p(np.bincount(rows, conf, minlength=n)),
            np.log1p(decayed),
            np.where(count > 0, (now - last) / DAY_S, NEVER_DAYS),
            np.bincount(rows, stars, minlength=n) / some,
            np.bincount(rows, fame, minlength=n) / some,
        ]
        return np.stack(columns, axis=-1).astype(np.float32)

    def cross_table(
        self, histories: Histories, items: NDArray[np.integer], now: NDArray[np.integer]
    ) -> FloatArray:
        """float32[n, c, len(CROSS_FEATURES)] for candidates [n, c]."""
        n, c = items.shape
        histories = known_events(histories, self.n_items)
        out = np.zeros((n, c, len(CROSS_FEATURES)), dtype=np.float32)
        for i in range(n):
            row = histories.row(i)
            seen, weight = histories.item_index[row], confidence(histories.rating[row])
            if len(seen):
                out[i, :, :5] = self._taste(seen, weight, items[i])
                out[i, :, 5:9] = self._step(int(seen[-1]), items[i], int(now[i]))
                out[i, :, 9] = _last_gap(histories.timestamp[row])
        hour = (now % DAY_S) / DAY_S * 2 * np.pi
        out[:, :, 10], out[:, :, 11] = np.sin(hour)[:, None], np.cos(hour)[:, None]
        return out

    def _step(self, last: int, items: NDArray[np.integer], now: int) -> FloatArray:
        """float32[c, 4]: how far each candidate is from the last film."""
        moment = np.full(len(items), now)
        fame = np.log1p(self.count_before(items, moment) - self.start[items])
        own = np.log1p(self.count_before(np.array([last]), moment[:1])[0] - self.start[last])
        columns = [
            self.genres[items] @ self.genres[last],
            self.text[items] @ self.text[last],
            np.abs(self.year[items] - self.year[last]),
            fame - own,
        ]
        return np.stack(columns, axis=-1).astype(np.float32)

    def _taste(
        self, seen: NDArray[np.integer], weight: FloatArray, items: NDArray[np.integer]
    ) -> FloatArray:
        share = weight / weight.sum()
        tail = slice(-LIKED_RECENTLY, None)
        recent = weight[tail] / weight[tail].sum()
        genre, text = self.genres[items], self.text[items]
        year = self.year[seen]
        center = np.average(year[np.isfinite(year)]) if np.isfinite(year).any() else np.nan
        columns = [
            genre @ (share @ self.genres[seen]),
            genre @ (recent @ self.genres[seen[tail]]),
            np.abs(self.year[items] - center),
            text @ (share @ self.text[seen]),
            text @ (recent @ self.text[seen[tail]]),
        ]
        return np.stack(columns, axis=-1).astype(np.float32)

    def matrix(
        self,
        histories: Histories,
        items: NDArray[np.integer],
        *,
        now: LongArray,
        sources: Mapping[str, tuple[NDArray, NDArray]],
    ) -> FloatArray:
        """float32[n * c, len(feature_names(sources))] for candidates ``items`` [n, c].

        ``now`` int64[n] is each person's moment; ``sources`` maps a source's name to the scores
        and ranks [n, c] of the candidates (nan where it has no opinion).
        """
        n, c = items.shape
        if len(histories) != n or len(now) != n:
            raise ValueError(f"{len(histories)} histories and {len(now)} moments for {n} rows")
        user = np.repeat(self.user_table(histories, now)[:, None], c, axis=1)
        item = self.item_table(items, now[:, None])
        cross = self.cross_table(histories, items, now)
        own = [part[..., None].astype(np.float32) for pair in sources.values() for part in pair]
        return np.concatenate([user, item, cross, *own], axis=-1).reshape(n * c, -1)

    def to_arrays(self) -> dict[str, NDArray]:
        """Everything, for the artifact of the ranker that goes with it."""
        names = ("key", "start", "conf_sum", "decayed", "star_sum", "year", "genres", "text")
        scalars = np.array([self.first, self.span], dtype=np.int64)
        return {**{f"store_{n}": getattr(self, n) for n in names}, "store_time": scalars}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> FeatureStore:
        """The store that ``to_arrays`` describes."""
        own = {k.removeprefix("store_"): v for k, v in arrays.items() if k.startswith("store_")}
        first, span = own.pop("time").tolist()
        return cls(**own, first=first, span=span)


def known_events(histories: Histories, n_items: int) -> Histories:
    """The same people without events on films outside 0..n_items - 1."""
    known = (histories.item_index >= 0) & (histories.item_index < n_items)
    if known.all():
        return histories
    rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
    counts = np.bincount(rows[known], minlength=len(histories))
    return Histories(
        indptr=np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]),
        item_index=histories.item_index[known],
        weight=histories.weight[known],
        rating=histories.rating[known],
        timestamp=histories.timestamp[known],
    )


def _running(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros(1), np.cumsum(values)])


def _decayed(
    conf: NDArray[np.float64], time: LongArray, counts: NDArray[np.integer]
) -> NDArray[np.float64]:
    """[n + 1]: sum of conf * 2^-(age / half-life) over the film's events up to each event.

    Sums of rising powers film by film: late terms dominate, so nothing cancels.
    """
    out = np.zeros(len(conf) + 1)
    begin = 0
    for count in counts.tolist():
        if count:
            part = slice(begin, begin + count)
            age = (time[part] - time[begin]) / (HALF_LIFE_DAYS * DAY_S)
            growth = np.exp2(np.minimum(age, 900.0))
            out[begin + 1 : begin + count + 1] = np.cumsum(conf[part] * growth) / growth
            begin += count
    return out


def _last_gap(timestamp: LongArray) -> float:
    """log(1 + seconds) between the last two events; -1 where there is one only."""
    return float(np.log1p(timestamp[-1] - timestamp[-2])) if len(timestamp) > 1 else -1.0


def last_moment(histories: Histories) -> LongArray:
    """int64[n]: each history's latest event, 0 where there is none."""
    out = np.zeros(len(histories), dtype=np.int64)
    rows = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
    np.maximum.at(out, rows, histories.timestamp)
    return out
