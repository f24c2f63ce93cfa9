"""A month of simulated people on the running server, held against a frozen popularity list.

The API takes no times, so a day is a round: everything happens now. In every visit the person also
looks, in the simulator only, at the list that was the most popular at the start: the same person,
the same taste, the same day, in a life of their own where that list is all they ever saw. What
they liked or refused in it is not in it again, as in the server's.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accounts.models import User
from ml.simulation import Behaviour, People, clicks, people_of
from recommendations.snapshot import Snapshot
from recommendations.traffic.client import Act, ApiClient, session_of
from recommendations.traffic.world import real_leanings, world_of

DOMAIN = "simulated.invalid"  # never a real address: RFC 2606
DISLIKED = -0.5  # liking below which a film that was looked at may be refused
REFUSES = 0.3
Tell = Callable[[str, float], None]


@dataclass(frozen=True)
class Month:
    """How many people and rounds; ``visits`` is the share of people who come in a round."""

    n_people: int = 1000
    n_rounds: int = 30
    visits: float = 0.2
    n_shown: int = 10
    keep: float = 0.97  # of each taste from round to round
    n_first: int = 10  # films that everybody rates on the first day
    seed: int = 0
    n_threads: int = 4


@dataclass(frozen=True)
class Day:
    """One round: shares of shown films that were liked, and of the catalogue that was shown."""

    number: int
    n_lists: int
    positive_rate: float
    frozen_rate: float
    coverage: float
    frozen_coverage: float
    n_recorded: int
    model_versions: list[str]

    def to_json(self) -> dict[str, Any]:
        """As a record."""
        return asdict(self)


@dataclass
class _Person:
    """One simulated person: the log-in, and what they said something of in the frozen life."""

    session: str
    known: set[int] = field(default_factory=set)
    n_visits: int = 0


@dataclass(frozen=True, slots=True)
class Lead:
    """How far ahead of the frozen list, in the share that was liked, people's ``nth`` visits were.

    ``mean`` over ``n`` people and ``sem``, its standard error.
    """

    nth: int
    n: int
    mean: float
    sem: float

    def to_json(self) -> dict[str, Any]:
        """As a record."""
        return asdict(self)


def people_make(month: Month) -> list[User]:
    """The accounts of this seed, made or found: a second run goes on with the same people."""
    emails = [f"person-{month.seed}-{i}@{DOMAIN}" for i in range(month.n_people)]
    User.objects.bulk_create(
        [User(email=email, password="!", display_name="Simulated") for email in emails],  # noqa: S106 - unusable
        ignore_conflicts=True,
    )
    found = {user.email: user for user in User.objects.filter(email__in=emails)}
    return [found[email] for email in emails]


def people_forget() -> int:
    """Deletes all simulated people with everything that was theirs; how many."""
    n = 0
    for user in User.objects.filter(email__endswith=f"@{DOMAIN}").iterator():
        user.delete()
        n += 1
    return n


class Simulation:
    """One month: ``day()`` by ``day()``."""

    def __init__(self, month: Month, snapshot: Snapshot, client: ApiClient) -> None:
        self.month, self.client = month, client
        self.world, self.ids = world_of(snapshot)
        self.index = {int(pk): i for i, pk in enumerate(self.ids)}
        self.popular = np.argsort(-self.world.fame, kind="stable")
        self.behaviour = Behaviour()
        self.rng = np.random.default_rng(month.seed)
        directions, self.n_real = real_leanings(snapshot)
        self.people: People = people_of(self.world, month.n_people, self.rng, directions=directions)
        self.persons = [_Person(session_of(user)) for user in people_make(month)]
        self._leads: dict[int, list[float]] = {}

    def leads(self) -> list[Lead]:
        """By the number of people's visits: the first is of those who have hardly said anything."""
        return [
            Lead(
                nth, len(gaps), float(np.mean(gaps)), float(np.std(gaps, ddof=1) / len(gaps) ** 0.5)
            )
            for nth, gaps in sorted(self._leads.items())
            if len(gaps) > 1
        ]

    def first_day(self, tell: Tell) -> int:
        """Everybody rates a few films that they know; how many ratings were recorded."""
        liking = self.people.liking()
        gumbel = self.rng.gumbel(size=liking.shape)
        order = np.argsort(-(1.5 * liking + self.world.fame + gumbel), axis=1)
        seen = order[:, : self.month.n_first]
        stars = np.clip(np.round(2 * (3.3 + 0.6 * np.take_along_axis(liking, seen, 1))) / 2, 0.5, 5)

        self.client.check(self.persons[0].session)

        def begin(i: int) -> int:
            acts = [
                Act(int(self.ids[film]), "rate", float(stars[i, at]))
                for at, film in enumerate(seen[i])
            ]
            self.persons[i].known.update(int(film) for film in seen[i])
            return self.client.feedback(self.persons[i].session, acts)

        return sum(self._all(begin, range(len(self.persons)), tell, "first ratings"))

    def day(self, number: int, tell: Tell) -> Day:
        """Who comes looks at the server's list, answers, and looks at the frozen one, too."""
        rows = np.flatnonzero(self.rng.random(len(self.persons)) < self.month.visits)
        self.people = self.people.drifted(self.rng, keep=self.month.keep)
        liking = self.people.liking(rows)
        seeds = self.rng.integers(2**32, size=len(rows))

        def visit(at: int) -> _Visit:
            chance = np.random.default_rng(int(seeds[at]))
            return self._visit(self.persons[int(rows[at])], liking[at], chance)

        visits = self._all(visit, range(len(rows)), tell, f"day {number}")
        for row, v in zip(rows, visits, strict=True):
            self.persons[row].n_visits += 1
            gap = v.n_liked / max(1, len(v.shown)) - v.n_frozen_liked / max(1, len(v.frozen))
            self._leads.setdefault(self.persons[row].n_visits, []).append(gap)
        n_shown = max(1, sum(len(v.shown) for v in visits))
        n_frozen = max(1, sum(len(v.frozen) for v in visits))
        return Day(
            number=number,
            n_lists=len(visits),
            positive_rate=sum(v.n_liked for v in visits) / n_shown,
            frozen_rate=sum(v.n_frozen_liked for v in visits) / n_frozen,
            coverage=len({film for v in visits for film in v.shown}) / len(self.ids),
            frozen_coverage=len({film for v in visits for film in v.frozen}) / len(self.ids),
            n_recorded=sum(v.n_recorded for v in visits),
            model_versions=sorted({v.model_version for v in visits}),
        )

    def _visit(
        self, person: _Person, liking: NDArray[np.float64], chance: np.random.Generator
    ) -> _Visit:
        frozen = self._unknown(person)
        is_frozen_liked, is_frozen_refused = self._answers(liking[frozen], chance)
        person.known.update(frozen[is_frozen_liked | is_frozen_refused].tolist())
        found = self.client.recommendations(person.session, n=self.month.n_shown)
        # A film that came after the start has no place in the simulated tastes: it is passed over.
        places = [(at, self.index[pk]) for at, pk in enumerate(found.movie_ids) if pk in self.index]
        shown = np.array([film for _, film in places], dtype=np.int64)
        is_liked, is_refused = self._answers(liking[shown], chance)
        acts = [
            Act(int(self.ids[film]), "like" if liked else "dislike", None, found.request_id, at)
            for (at, film), liked, no in zip(places, is_liked, is_refused, strict=True)
            if liked or no
        ]
        n_recorded = self.client.feedback(person.session, acts) if acts else 0
        return _Visit(
            shown=shown.tolist(),
            frozen=frozen.tolist(),
            n_liked=int(is_liked.sum()),
            n_frozen_liked=int(is_frozen_liked.sum()),
            n_recorded=n_recorded,
            model_version=found.model_version,
        )

    def _answers(
        self, liking: NDArray[np.float64], chance: np.random.Generator
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which films of a list with these likings are liked, and which refused."""
        is_liked = clicks(liking, self.behaviour, chance)
        is_refused = (liking < DISLIKED) & (chance.random(len(liking)) < REFUSES)
        return is_liked, is_refused & ~is_liked

    def _unknown(self, person: _Person) -> NDArray[np.int64]:
        """The frozen list less what the person said something of."""
        found: list[int] = []
        for film in self.popular:
            if int(film) not in person.known:
                found.append(int(film))
                if len(found) == self.month.n_shown:
                    break
        return np.array(found, dtype=np.int64)

    def _all(self, work: Callable[[int], Any], over: range, tell: Tell, what: str) -> list[Any]:
        """``work`` by all threads; the first error ends it."""
        found = []
        with ThreadPoolExecutor(self.month.n_threads) as threads:
            try:
                for n, done in enumerate(threads.map(work, over), start=1):
                    found.append(done)
                    tell(what, n / max(1, len(over)))
            except BaseException:
                threads.shutdown(wait=True, cancel_futures=True)
                raise
        return found


@dataclass(frozen=True)
class _Visit:
    shown: list[int]
    frozen: list[int]
    n_liked: int
    n_frozen_liked: int
    n_recorded: int
    model_version: str
