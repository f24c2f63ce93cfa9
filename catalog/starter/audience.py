"""A simulated audience for the starter catalogue.

Nobody real rated these films: people with latent tastes are drawn from a seeded generator, so that
a machine without network has something to learn from. Wherever its numbers are shown they must be
marked with ``SOURCE``. The shape follows what MovieLens' READMEs and papers describe (half stars,
mean near 3.5, mode 4, long-tailed activity, at least twenty ratings a person); no value of theirs
is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.starter import StarterFilm

SOURCE = "simulated"

# 1 January 2025, 00:00 UTC: every rating lies before it unless the caller gives another date.
REFERENCE_TIMESTAMP = 1_735_689_600

_DAY_S = 86_400
_HISTORY_DAYS = 6 * 365
_OWN_FACTORS = 6
_SHARED_DIRECTIONS, _SHARED_TASTE = 14, 0.75
_MIN_RATINGS, _MEDIAN_RATINGS, _ACTIVITY_SIGMA = 20, 75, 0.85
# The most active people see at most this share of the catalogue, so that each has films left.
_MAX_SHARE = 0.6
_MEAN_RATING, _USER_MEAN_SIGMA, _NOISE_SIGMA = 3.47, 0.38, 0.6

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedRatings:
    """Parallel arrays, one entry per rating, in order of time within each user.

    ``user_index`` counts from 0; ``item_index`` is a position in the films given; ``rating`` is on
    the half-star grid from 0.5 to 5; ``timestamp`` is in seconds since 1970, int64. A pair of user
    and item occurs at most once.
    """

    user_index: IntArray
    item_index: IntArray
    rating: FloatArray
    timestamp: IntArray
    n_users: int
    n_items: int

    def __len__(self) -> int:
        return int(self.rating.size)


def simulate_audience(
    films: Sequence[StarterFilm],
    *,
    n_users: int = 800,
    seed: int = 20_250_101,
    reference_timestamp: int = REFERENCE_TIMESTAMP,
) -> SimulatedRatings:
    """Ratings of ``n_users`` invented people for ``films``: the same for the same arguments.

    A person's liking of a film is the product of latent taste and what is known of the film
    (genres, era, countries, keywords) plus hidden factors. What they watch follows liking and the
    film's fame; what they rate follows liking, the film's quality, their own mean and spread, noise
    and a slow change of taste. Raises ``ValueError`` below 50 films or one user.
    """
    if len(films) < 50 or n_users < 1:
        raise ValueError(f"need 50 films and 1 user, got {len(films)} and {n_users}")
    rng = np.random.default_rng(seed)
    factors = _film_factors(films, rng=rng)
    quality = rng.normal(0.0, 0.38, len(films))
    fame = _fame(films, quality=quality, rng=rng)
    directions = rng.normal(size=(_SHARED_DIRECTIONS, factors.shape[1]))
    early = _tastes(n_users, directions, rng=rng)
    # Taste drifts: what somebody likes at the end is mostly, not wholly, what they liked at first.
    late = 0.85 * early + np.sqrt(1 - 0.85**2) * _tastes(n_users, directions, rng=rng)
    counts = _activity(n_users, n_items=len(films), rng=rng)

    parts = []
    for user in range(n_users):
        liking = np.stack([factors @ early[user], factors @ late[user]])
        items = _watched(liking.mean(axis=0), fame=fame, count=int(counts[user]), rng=rng)
        seconds = _session_seconds(items.size, reference_timestamp=reference_timestamp, rng=rng)
        progress = np.linspace(0.0, 1.0, items.size)
        felt = (1 - progress) * liking[0, items] + progress * liking[1, items]
        stars = _stars(felt, quality=quality[items], rng=rng)
        parts.append((np.full(items.size, user, dtype=np.int64), items, stars, seconds))
    user_index, item_index, rating, timestamp = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    return SimulatedRatings(
        user_index=user_index,
        item_index=item_index,
        rating=rating,
        timestamp=timestamp,
        n_users=n_users,
        n_items=len(films),
    )


def _film_factors(films: Sequence[StarterFilm], *, rng: np.random.Generator) -> FloatArray:
    """One row per film; each block is scaled so that its share of the taste is its weight."""
    eras = [[_era(film.year)] for film in films]
    blocks = [
        (1.0, _indicator([film.genres for film in films])),
        (0.65, _indicator(eras)),
        (0.55, _indicator([film.countries for film in films])),
        (0.75, _indicator([film.keywords for film in films])),
        (0.8, rng.normal(size=(len(films), _OWN_FACTORS))),
    ]
    scaled = []
    for weight, block in blocks:
        centred = block - block.mean(axis=0)
        norm = np.sqrt((centred**2).sum(axis=1).mean())
        scaled.append(weight * centred / norm)
    joined = np.hstack(scaled)
    scale = float(np.sqrt((joined**2).sum(axis=1).mean()))
    return np.asarray(joined / scale, dtype=np.float64)


def _era(year: int) -> str:
    edges = (1930, 1950, 1965, 1980, 1995, 2010)
    return str(sum(year >= edge for edge in edges))


def _indicator(labels: Sequence[Sequence[str]]) -> FloatArray:
    """Films x labels, 1 where the film carries the label; labels of a single film are left out."""
    counts: dict[str, int] = {}
    for row in labels:
        for label in row:
            counts[label] = counts.get(label, 0) + 1
    column = {label: i for i, label in enumerate(sorted(x for x, n in counts.items() if n > 1))}
    block = np.zeros((len(labels), max(len(column), 1)))
    for i, row in enumerate(labels):
        for label in row:
            if label in column:
                block[i, column[label]] = 1.0
    return block


def _fame(
    films: Sequence[StarterFilm], *, quality: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Log of how likely a film is to be watched at all, whoever watches.

    The starter files hold no counts of viewers, so fame is invented too: newer films, films in
    English and better films are seen more, and chance makes the tail long.
    """
    year = np.array([film.year for film in films], dtype=np.float64)
    english = np.array([film.language == "en" for film in films], dtype=np.float64)
    recency = np.clip((year - 1920) / 80, 0.0, 1.0)
    luck = rng.normal(0.0, 0.9, len(films))
    return np.asarray(1.1 * recency + 0.7 * english + 1.1 * quality + luck, dtype=np.float64)


def _tastes(n_users: int, directions: FloatArray, *, rng: np.random.Generator) -> FloatArray:
    """Users x factors: a few shared leanings each, plus likings of their own.

    Who likes Westerns often likes deserts and the 1950s too: the shared directions make tastes go
    together as they do among people, without which nobody's taste would say anything of another's.
    Heavy tails, because most people care little for most things and a lot for a few.
    """
    leanings = rng.standard_t(4, size=(n_users, directions.shape[0]))
    own = rng.standard_t(4, size=(n_users, directions.shape[1]))
    shared = leanings @ directions / np.sqrt(directions.shape[0])
    tastes = np.sqrt(_SHARED_TASTE) * shared + np.sqrt(1 - _SHARED_TASTE) * own
    # Student's t with 4 degrees of freedom has variance 2.
    return np.asarray(tastes / np.sqrt(2.0), dtype=np.float64)


def _activity(n_users: int, *, n_items: int, rng: np.random.Generator) -> IntArray:
    most = int(_MAX_SHARE * n_items)
    drawn = rng.lognormal(np.log(_MEDIAN_RATINGS), _ACTIVITY_SIGMA, n_users)
    return np.clip(drawn, min(_MIN_RATINGS, most), most).astype(np.int64)


def _watched(
    liking: FloatArray, *, fame: FloatArray, count: int, rng: np.random.Generator
) -> IntArray:
    """``count`` different films, drawn without return in proportion to exp(score).

    Adding Gumbel noise and taking the largest is such a draw, and gives the order of watching.
    """
    score = 1.4 * liking + fame + rng.gumbel(size=fame.size)
    return np.argsort(-score, kind="stable")[:count].astype(np.int64)


def _session_seconds(count: int, *, reference_timestamp: int, rng: np.random.Generator) -> IntArray:
    """Increasing moments: a few evenings over months or years, ratings minutes apart."""
    n_sessions = min(count, 1 + int(rng.poisson(count / 12)))
    span_days = _HISTORY_DAYS * rng.beta(0.8, 1.6)
    last_day = rng.uniform(0.0, _HISTORY_DAYS - span_days)
    days_ago = last_day + span_days * np.sort(rng.uniform(size=n_sessions))[::-1]
    # One session holds all its ratings within the hours before the next can begin.
    session = np.sort(rng.integers(0, n_sessions, count))
    start = reference_timestamp - _DAY_S - (days_ago[session] * _DAY_S).astype(np.int64)
    pause = np.cumsum(rng.integers(20, 240, count))
    first = np.searchsorted(session, session, side="left")
    return np.sort(start + pause - pause[first]).astype(np.int64)


def _stars(felt: FloatArray, *, quality: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Half stars of one person: own mean and spread, and for some the habit of whole stars."""
    mean = rng.normal(_MEAN_RATING, _USER_MEAN_SIGMA)
    spread = rng.lognormal(-0.5, 0.25)
    # People choose what they like, so liking is centred on what was chosen, not on all films.
    value = mean + spread * (felt - felt.mean()) + quality
    value = value + rng.normal(0.0, _NOISE_SIGMA, felt.size)
    step = 1.0 if rng.uniform() < 0.45 else 0.5
    return np.asarray(np.clip(np.round(value / step) * step, 0.5, 5.0), dtype=np.float64)
