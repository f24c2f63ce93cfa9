"""What five answers are worth, by how the films to ask about were chosen.

``python benchmarks/onboarding.py --data FOLDER`` (FOLDER a MovieLens folder, such as ml-1m): people
whom no model has seen are asked about films; a random 80 % of their ratings answers ("haven't
seen it" for everything else), the liked films among the rest are to be found. The settings of the
questions and the weights of the blend are chosen on validation people; what is printed is of test
people. All arms are judged on the same people and films, and those that ask end in the same
model, so that only the choice of questions differs.

The quiz is answered without error, from the person's own answerable films: the genres they like
most beyond what everybody likes. A real person can hardly do better.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ml import asking, metrics  # noqa: E402  needs the path above
from ml.bootstrap import Interval, mean_intervals, paired_difference  # noqa: E402
from ml.data import Dataset, load_ratings  # noqa: E402
from ml.items import load_item_features  # noqa: E402
from ml.models.genre_cosine import GenreCosine  # noqa: E402
from ml.models.hybrid import Hybrid, Part  # noqa: E402
from ml.retrieval import history_mask, top_k  # noqa: E402
from ml.types import Histories, Interactions  # noqa: E402

LIKED = 4.0
N_ANSWERS = 5
MAX_QUESTIONS = 40  # a person who knows few films is let go
K = 20
QUIZ_GENRES = 2
QUALITY_WEIGHT = 0.25  # of recommendations.tonight: what the quiz's list is made with
MIN_LIKED = 10
KNOWN_SHARE = 0.8
VALID_PEOPLE = 120
SEED = 7
#: The served sources; their weights are chosen on the validation people's own short histories.
PARTS = (
    Part("ease", "edlae", 1.0, {"l2": 200.0, "n_kept": 400, "min_rating": LIKED}),
    Part("als", "als", 1.0, {"n_factors": 64, "n_epochs": 12, "min_rating": LIKED}),
    Part("popularity", "popularity", 1.0, {"min_rating": LIKED}),
)
BLENDS = ((1.0, 0.0, 0.0), (0.7, 0.3, 0.0), (0.6, 0.2, 0.2), (0.5, 0.5, 0.0), (0.8, 0.0, 0.2))
#: Settings of the questions that are compared on the validation people.
N_ASKABLE = (50, 100, 200)
SEEN_POWER = (0.5, 1.0)
PRIOR_WEIGHT = (0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Settings:
    """How questions are chosen."""

    n_askable: int = 100
    seen_power: float = 1.0
    prior_weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Person:
    """No model has seen them. ``stars`` of films they can answer for; ``wanted`` to be found."""

    stars: dict[int, float]
    wanted: NDArray[np.int32]


@dataclass(slots=True)
class Asked:
    """What one person was asked and said: films in order, nan for "haven't seen it"."""

    films: list[int] = field(default_factory=list)
    stars: list[float] = field(default_factory=list)

    @property
    def answered(self) -> list[tuple[int, float]]:
        """(film, stars) of the films they knew."""
        return [(f, s) for f, s in zip(self.films, self.stars, strict=True) if not np.isnan(s)]


@dataclass(frozen=True, slots=True)
class World:
    """Training events of everybody else, and the people of one part."""

    train: Interactions
    counts: NDArray[np.float64]
    means: NDArray[np.float64]
    people: list[Person]


def world_of(data: Dataset, *, seed: int, part: str, max_people: int) -> World:
    """10 % of the people for ``valid`` and 10 % for ``test``, the rest to learn from."""
    events = data.interactions
    rng = np.random.default_rng(seed)
    n_liked = np.bincount(events.user_index[events.rating >= LIKED], minlength=events.n_users)
    users = rng.permutation(np.flatnonzero(n_liked >= MIN_LIKED))
    tenth = len(users) // 10
    held = {"test": users[:tenth], "valid": users[tenth : 2 * tenth]}
    is_train = ~np.isin(events.user_index, users[: 2 * tenth])
    train = events.select(is_train)
    counts = np.bincount(train.item_index, minlength=train.n_items).astype(np.float64)
    sums = np.bincount(train.item_index, weights=train.rating, minlength=train.n_items)
    means = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    is_known = rng.random(len(events)) < KNOWN_SHARE
    people = []
    for user in held[part][:max_people]:
        rows = np.flatnonzero(events.user_index == user)
        known, rest = rows[is_known[rows]], rows[~is_known[rows]]
        wanted = events.item_index[rest[events.rating[rest] >= LIKED]]
        if len(wanted) and len(known):
            stars = zip(
                events.item_index[known].tolist(), events.rating[known].tolist(), strict=True
            )
            people.append(Person(dict(stars), np.sort(wanted)))
    return World(train, counts, means, people)


def answers_to(
    person: Person, pool: asking.AskingPool, films: NDArray[np.intp], settings: Settings | None
) -> Asked:
    """Asks until N_ANSWERS films were known; ``settings`` None: the best known films in order."""
    said = Asked()
    was_asked = np.zeros(len(pool.askable), np.bool_)
    places: list[int] = []
    worths: list[float] = []
    hidden = np.zeros(len(pool.prior), np.bool_)
    while len(places) < N_ANSWERS and len(said.films) < MAX_QUESTIONS:
        if settings is None:
            place = int(np.argmin(was_asked)) if not was_asked.all() else -1
        else:
            scores = pool.scores(np.array(places, np.intp), np.array(worths))
            scores[hidden] = -np.inf
            place = asking.next_question(
                pool,
                scores,
                asked=was_asked,
                weights=asking.ANSWER_WORTHS,
                seen_power=settings.seen_power,
            )
        if place < 0:
            break
        was_asked[place] = True
        film = int(films[pool.askable[place]])
        stars = person.stars.get(film, np.nan)
        said.films.append(film)
        said.stars.append(stars)
        if not np.isnan(stars):
            places.append(place)
            worths.append(asking.star_worth(stars))
            hidden[pool.askable[place]] = True
    return said


def lists_after(model: Hybrid, said: Iterable[Asked]) -> NDArray[np.int32]:
    """int32[n, K]: the served lists, without the films that were answered for."""
    pairs = [asked.answered for asked in said]
    histories = Histories.from_lists(
        [[film for film, _ in row] for row in pairs],
        weights=[[asking.star_worth(stars) for _, stars in row] for row in pairs],
        ratings=[[stars for _, stars in row] for row in pairs],
    )
    scores = model.score(histories)
    popular = model.models["popularity"].score(histories)
    # Who answered nothing gets the popular films, as the site does.
    scores = np.where(
        np.isfinite(scores), scores, np.where(np.isfinite(popular), popular - 1e3, -np.inf)
    )
    return top_k(scores, K, exclude=history_mask(histories, model.n_items)).item_index


def quiz_lists(world: World, genres: NDArray[np.float32]) -> NDArray[np.int32]:
    """int32[n, K]: the quiz's list for the genres that each person likes beyond the usual."""
    model = GenreCosine.from_arrays({"genres": genres}, {})
    liked = world.train.rating >= LIKED
    usual = genres[world.train.item_index[liked]].mean(axis=0)
    intents = np.zeros((len(world.people), genres.shape[1]), np.float32)
    for row, person in enumerate(world.people):
        films = [film for film, stars in person.stars.items() if stars >= LIKED]
        lift = genres[films].mean(axis=0) - usual if films else np.zeros_like(usual)
        intents[row, np.argsort(-lift)[:QUIZ_GENRES]] = 2.0
    known = np.log1p(world.counts)
    bayes = (world.counts * np.nan_to_num(world.means, nan=3.5) + 25 * 3.5) / (world.counts + 25)
    quality = (bayes / 5.0 + known / known.max()) / 2.0
    fit = np.nan_to_num(model.score_intents(intents), neginf=0.0)
    scores = (fit + QUALITY_WEIGHT * quality[None, :]).astype(np.float32)
    scores[:, world.counts == 0] = -np.inf
    return top_k(scores, K).item_index


def truth_of(world: World) -> sparse.csr_matrix:
    """csr bool [n, n_items] of what is to be found."""
    indptr = np.concatenate([[0], np.cumsum([len(p.wanted) for p in world.people])])
    indices = np.concatenate([p.wanted for p in world.people])
    shape = (len(world.people), world.train.n_items)
    return sparse.csr_matrix((np.ones(len(indices), np.bool_), indices, indptr), shape=shape)


def pool_of(world: World, model: Hybrid, settings: Settings) -> tuple[asking.AskingPool, NDArray]:
    """The pool of the served item-to-item source."""
    return asking.asking_pool(
        model.models["ease"].table,  # type: ignore[attr-defined]
        counts=world.counts,
        means=world.means,
        n_askable=settings.n_askable,
        n_films=asking.POOL_FILMS,
        n_people=float(len(np.unique(world.train.user_index))),
        prior_weight=settings.prior_weight,
    )


def recall(model: Hybrid, said: list[Asked], truth: sparse.csr_matrix) -> NDArray[np.float64]:
    """Per person."""
    return metrics.recall_at_k(lists_after(model, said), truth, K)


def ask_all(world: World, model: Hybrid, settings: Settings | None) -> list[Asked]:
    """Everybody's answers."""
    pool, films = pool_of(world, model, settings or Settings(n_askable=max(N_ASKABLE)))
    return [answers_to(person, pool, films, settings) for person in world.people]


def blended(model: Hybrid, weights: tuple[float, ...]) -> Hybrid:
    """The same fitted sources under other weights."""
    return Hybrid.of(model.models, dict(zip(model.models, weights, strict=True)))


def choose(world: World) -> tuple[Settings, tuple[float, ...], list[dict]]:
    """The best settings and blend on validation people, and what was tried.

    The blend is chosen on the answers to popular questions: it must not favour the other arm.
    """
    model = Hybrid(parts=PARTS).fit(world.train, seed=0)
    truth = truth_of(world)
    popular = ask_all(world, model, None)
    weights = max(BLENDS, key=lambda w: recall(blended(model, w), popular, truth).mean())
    served = blended(model, weights)
    tried: list[tuple[float, Settings, dict]] = []
    for n_askable, power, prior in itertools.product(N_ASKABLE, SEEN_POWER, PRIOR_WEIGHT):
        settings = Settings(n_askable, power, prior)
        said = ask_all(world, model, settings)
        row = {
            "n_askable": n_askable,
            "seen_power": power,
            "prior_weight": prior,
            "recall": float(recall(served, said, truth).mean()),
            "questions": float(np.mean([len(asked.films) for asked in said])),
        }
        tried.append((float(row["recall"]), settings, row))
        print(
            f"  askable {n_askable:>3}, seen^{power:g}, prior {prior:g}: "
            f"recall@{K} {row['recall']:.4f}, {row['questions']:.1f} questions",
            flush=True,
        )
    best = max(tried, key=lambda found: found[0])
    return best[1], weights, [row for _recall, _settings, row in tried]


def report(values: dict[str, NDArray[np.float64]]) -> dict[str, dict]:
    """Means and paired differences with 95 % bootstrap intervals, printed and returned."""
    means = mean_intervals(values)
    for name, interval in means.items():
        print(f"{name:<22} {_text(interval)}")
    pairs = [("adaptive", "popular five"), ("popular five", "quiz"), ("adaptive", "quiz")]
    differences = {f"{a} - {b}": paired_difference(values[a], values[b]) for a, b in pairs}
    for name, interval in differences.items():
        says = "better" if interval.lo > 0 else "not shown to be better"
        print(f"{name:<22} {_text(interval, sign=True)}  {says}")
    return {
        "means": {name: _json(interval) for name, interval in means.items()},
        "differences": {name: _json(interval) for name, interval in differences.items()},
    }


def _text(interval: Interval, *, sign: bool = False) -> str:
    form = "+.4f" if sign else ".4f"
    return f"{interval.mean:{form}} [{interval.lo:{form}}, {interval.hi:{form}}]"


def _json(interval: Interval) -> dict[str, float]:
    return {"mean": interval.mean, "lo": interval.lo, "hi": interval.hi}


def question_times(world: World, model: Hybrid, settings: Settings) -> dict[str, float]:
    """Milliseconds to choose the sixth question, over a hundred draws of five answers."""
    pool, _ = pool_of(world, model, settings)
    rng = np.random.default_rng(SEED)
    times = []
    for _draw in range(100):
        places = rng.choice(len(pool.askable), N_ANSWERS, replace=False)
        asked = np.isin(np.arange(len(pool.askable)), places)
        start = time.perf_counter()
        scores = pool.scores(places, rng.choice(asking.ANSWER_WORTHS, N_ANSWERS))
        asking.next_question(pool, scores, asked=asked, weights=asking.ANSWER_WORTHS)
        times.append(1000 * (time.perf_counter() - start))
    return {"p50_ms": float(np.quantile(times, 0.5)), "p95_ms": float(np.quantile(times, 0.95))}


def main() -> int:
    """Choose on validation people, report on test people, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a MovieLens folder")
    parser.add_argument("--people", type=int, default=600, help="test people at most")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/onboarding.json")
    options = parser.parse_args()
    data = load_ratings(options.data)
    print(f"{data.name}: choosing on at most {VALID_PEOPLE} validation people")
    valid = world_of(data, seed=SEED, part="valid", max_people=VALID_PEOPLE)
    settings, weights, tried = choose(valid)
    print(f"chosen: {settings}, blend {dict(zip((p.label for p in PARTS), weights, strict=True))}")
    world = world_of(data, seed=SEED, part="test", max_people=options.people)
    model = blended(Hybrid(parts=PARTS).fit(world.train, seed=0), weights)
    truth = truth_of(world)
    genres = load_item_features(options.data, data.items).genres
    if genres is None:
        parser.error("the folder has no genres")
    arms = {
        "adaptive": ask_all(world, model, settings),
        "popular five": ask_all(world, model, None),
    }
    print(
        f"\nrecall@{K} after {N_ANSWERS} answers, {len(world.people)} test people, 95 % intervals"
    )
    values = {name: recall(model, said, truth) for name, said in arms.items()}
    values["quiz"] = metrics.recall_at_k(quiz_lists(world, genres), truth, K)
    found = report(values)
    questions = {
        name: {
            "questions": float(np.mean([len(asked.films) for asked in said])),
            "answers": float(np.mean([len(asked.answered) for asked in said])),
        }
        for name, said in arms.items()
    }
    for name, row in questions.items():
        print(f"{name:<22} {row['answers']:.2f} answers from {row['questions']:.1f} questions")
    speed = question_times(world, model, settings)
    print(f"one question is chosen in {speed['p50_ms']:.1f} ms (p95 {speed['p95_ms']:.1f} ms)")
    record = {
        "benchmark": "onboarding",
        "dataset": data.name,
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "protocol": f"held-out people, {KNOWN_SHARE:.0%} of ratings answer, recall@{K} of the "
        f"liked rest after {N_ANSWERS} answers, at most {MAX_QUESTIONS} questions",
        "n_people": len(world.people),
        "seed": SEED,
        "settings": {
            "n_askable": settings.n_askable,
            "seen_power": settings.seen_power,
            "prior_weight": settings.prior_weight,
        },
        "blend": dict(zip((part.label for part in PARTS), weights, strict=True)),
        "validation": tried,
        **found,
        "asked": questions,
        "question": speed,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"written to {options.out.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
