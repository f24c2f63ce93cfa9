"""Names of the protocols -> the tasks they stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ml.data import Dataset
from ml.protocols_time import last_out, prequential, temporal_warm
from ml.protocols_users import Part, cold_item, ms_100k, ratio_811, sparse_history, strong
from ml.split import RankingSplit

SPARSE_LENGTHS = (1, 2, 3, 5, 10)
SPARSE_DRAWS = 4  # of validation people: a tenth of a small set is too few to choose weights on
RATING = "rating"  # predicts stars instead of ranking; see ml.evaluation_ratings

Build = Callable[[Dataset, int, Part], RankingSplit]


class UnknownProtocolError(ValueError):
    """No protocol of that name; the message lists those there are."""


@dataclass(frozen=True, slots=True)
class Task:
    """One split of a protocol: its full name and how to build it.

    ``family`` names the protocol as it is asked for; ``k`` is the length of list whose NDCG the
    protocol is judged by, and that blends are tuned on; ``needs_order``: rows whose place in a
    person's order is unknown are dropped before splitting. ``more_valid``: further draws of
    validation people, where one is too small to choose weights on.
    """

    name: str
    family: str
    build: Build
    k: int = 10
    needs_order: bool = False
    more_valid: tuple[Build, ...] = ()

    def validation(self, data: Dataset, seed: int) -> list[RankingSplit]:
        """All draws to choose on; none holds a person or a pair of the test."""
        return [build(data, seed, "valid") for build in (self.build, *self.more_valid)]


def _sparse(length: int, *, draw: int = 0) -> Build:
    return lambda data, seed, part: sparse_history(
        data, seed=seed, length=length, part=part, draw=draw
    )


def _cold(*, among_all: bool) -> Build:
    return lambda data, seed, part: cold_item(data, seed=seed, among_all=among_all, part=part)


TASKS: tuple[Task, ...] = (
    Task("strong", "strong", lambda d, s, p: strong(d, seed=s, part=p), k=100),
    Task("ratio-811", "ratio-811", lambda d, s, p: ratio_811(d, seed=s, part=p)),
    Task("ms-100k", "ms-100k", lambda d, s, p: ms_100k(d, seed=s, part=p)),
    Task("last-out", "last-out", lambda d, s, p: last_out(d, seed=s, part=p), needs_order=True),
    Task(
        "temporal", "temporal", lambda d, s, p: temporal_warm(d, seed=s, part=p), needs_order=True
    ),
    Task(
        "prequential",
        "prequential",
        lambda d, s, p: prequential(d, seed=s, part=p),
        needs_order=True,
    ),
    *(
        Task(
            f"sparse@{n}",
            "sparse",
            _sparse(n),
            more_valid=tuple(_sparse(n, draw=draw) for draw in range(1, SPARSE_DRAWS)),
        )
        for n in SPARSE_LENGTHS
    ),
    Task("cold-item", "cold-item", _cold(among_all=False)),
    Task("cold-item-all", "cold-item", _cold(among_all=True)),
)


def tasks_of(names: Sequence[str]) -> list[Task]:
    """The tasks of the named protocols (families such as "sparse", or one task's own name)."""
    found: list[Task] = []
    for name in names:
        own = [task for task in TASKS if name in (task.family, task.name)]
        if not own:
            known = sorted({t.family for t in TASKS} | {t.name for t in TASKS} | {RATING})
            raise UnknownProtocolError(f"no protocol is called {name!r}; known: {', '.join(known)}")
        found += [task for task in own if task not in found]
    return found
