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
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
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
VALID_SHARE, TEST_SHARE = 0.1, 0.3
N_POPULAR = 200
SEED = 11
#: The served sources; their weights are chosen on the validation people's own short histories.
PARTS = (
    Part("ease", "edlae", 1.0, {"l2": 200.0, "n_kept": 400, "min_rating": LIKED}),
    Part("als", "als", 1.0, {"n_factors": 64, "n_epochs": 12, "min_rating": LIKED}),
    Part("popularity", "popularity", 1.0, {"min_rating": LIKED}),
)
BLENDS = ((1.0, 0.0, 0.0), (0.7, 0.3, 0.0), (0.6, 0.2, 0.2), (0.5, 0.5, 0.0), (0.8, 0.0, 0.2))
#: Settings of the questions that are compared on the validation people.
TRIED = (
    asking.Asking(100, heard_seen=1, heard_stars=0, damping=1, depth=20, measure="places"),
    asking.Asking(200, heard_seen=1, heard_stars=0, damping=1, depth=100),
    asking.Asking(200, heard_seen=6, heard_stars=0, damping=1, depth=100),
    asking.Asking(200, heard_seen=6, heard_stars=4, damping=1, depth=100),
    asking.Asking(200, heard_seen=6, heard_stars=4, damping=0.5, depth=300),
    asking.Asking(200, heard_seen=10, heard_stars=4, damping=0.5, depth=300),
    asking.Asking(300, heard_seen=10, heard_stars=4, damping=0.5, depth=300),
    asking.Asking(200, heard_seen=10, heard_stars=4, damping=0.25, depth=300),
    asking.Asking(200, heard_seen=10, heard_stars=0, damping=0.0, depth=300),
)


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
    """What everybody else did, and the people of one part."""

    train: Interactions
    counts: NDArray[np.float64]
    means: NDArray[np.float64]
    people: list[Person]


def worlds_of(data: Dataset, *, seed: int) -> tuple[World, World]:
    """VALID_SHARE of the people to choose by, TEST_SHARE to report on, the rest to learn from."""
    events = data.interactions
    rng = np.random.default_rng(seed)
    n_liked = np.bincount(events.user_index[events.rating >= LIKED], minlength=events.n_users)
    users = rng.permutation(np.flatnonzero(n_liked >= MIN_LIKED))
    n_valid, n_test = int(VALID_SHARE * len(users)), int(TEST_SHARE * len(users))
    train = events.select(~np.isin(events.user_index, users[: n_valid + n_test]))
    counts = np.bincount(train.item_index, minlength=train.n_items).astype(np.float64)
    sums = np.bincount(train.item_index, weights=train.rating, minlength=train.n_items)
    means = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    is_known = rng.random(len(events)) < KNOWN_SHARE

    def world(part: NDArray[np.intp]) -> World:
        found = [_person(events, user, is_known) for user in part.tolist()]
        return World(train, counts, means, [person for person in found if person is not None])

    return world(users[:n_valid]), world(users[n_valid : n_valid + n_test])


def _person(events: Interactions, user: int, is_known: NDArray[np.bool_]) -> Person | None:
    rows = np.flatnonzero(events.user_index == user)
    known, rest = rows[is_known[rows]], rows[~is_known[rows]]
    wanted = events.item_index[rest[events.rating[rest] >= LIKED]]
    if not len(wanted) or not len(known):
        return None
    stars = zip(events.item_index[known].tolist(), events.rating[known].tolist(), strict=True)
    return Person(dict(stars), np.sort(wanted))


def answers_to(
    person: Person, pool: asking.AskingPool, films: NDArray[np.intp], settings: asking.Asking | None
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
            place = asking.next_question(pool, scores, asked=was_asked, asking=settings)
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


def pool_of(world: World, model: Hybrid, n_askable: int) -> tuple[asking.AskingPool, NDArray]:
    """The pool of the served item-to-item source."""
    return asking.asking_pool(
        model.models["ease"].table,  # type: ignore[attr-defined]
        counts=world.counts,
        means=world.means,
        n_askable=n_askable,
        n_films=asking.POOL_FILMS,
        n_people=float(len(np.unique(world.train.user_index))),
    )


def recall(model: Hybrid, said: list[Asked], truth: sparse.csr_matrix) -> NDArray[np.float64]:
    """Per person."""
    return metrics.recall_at_k(lists_after(model, said), truth, K)


def ask_all(world: World, model: Hybrid, settings: asking.Asking | None) -> list[Asked]:
    """Everybody's answers."""
    pool, films = pool_of(world, model, settings.n_askable if settings else N_POPULAR)
    return [answers_to(person, pool, films, settings) for person in world.people]


def blended(model: Hybrid, weights: tuple[float, ...]) -> Hybrid:
    """The same fitted sources under other weights."""
    return Hybrid.of(model.models, dict(zip(model.models, weights, strict=True)))


def choose(world: World, model: Hybrid) -> tuple[asking.Asking, tuple[float, ...], list[dict]]:
    """The best settings and blend on validation people, and what was tried.

    The blend is chosen on the answers to popular questions: it must not favour the other arm.
    """
    truth = truth_of(world)
    popular = ask_all(world, model, None)
    weights = max(BLENDS, key=lambda w: recall(blended(model, w), popular, truth).mean())
    served = blended(model, weights)
    print(f"  popular five: recall@{K} {recall(served, popular, truth).mean():.4f}")
    tried: list[tuple[float, asking.Asking, dict]] = []
    for settings in TRIED:
        said = ask_all(world, model, settings)
        found = float(recall(served, said, truth).mean())
        n_questions = float(np.mean([len(asked.films) for asked in said]))
        row = {**asdict(settings), "recall": found, "questions": n_questions}
        tried.append((found, settings, row))
        print(f"  {settings}: recall@{K} {found:.4f}, {n_questions:.1f} questions", flush=True)
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


def question_times(world: World, model: Hybrid, settings: asking.Asking) -> dict[str, float]:
    """Milliseconds to choose the sixth question, over a hundred draws of five answers."""
    pool, _ = pool_of(world, model, settings.n_askable)
    rng = np.random.default_rng(SEED)
    times = []
    for _draw in range(100):
        places = rng.choice(len(pool.askable), N_ANSWERS, replace=False)
        asked = np.isin(np.arange(len(pool.askable)), places)
        start = time.perf_counter()
        scores = pool.scores(places, rng.choice(asking.ANSWER_WORTHS, N_ANSWERS))
        asking.next_question(pool, scores, asked=asked, asking=settings)
        times.append(1000 * (time.perf_counter() - start))
    return {"p50_ms": float(np.quantile(times, 0.5)), "p95_ms": float(np.quantile(times, 0.95))}


def measured(options: argparse.Namespace) -> dict:
    """Chooses on validation people and reports on test people: the record that is written."""
    data = load_ratings(options.data)
    genres = load_item_features(options.data, data.items).genres
    if genres is None:
        raise SystemExit("the folder has no genres: the quiz cannot be measured")
    valid, test = worlds_of(data, seed=SEED)
    model = Hybrid(parts=PARTS).fit(valid.train, seed=0)
    print(f"{data.name}: choosing on {len(valid.people)} validation people")
    settings, weights, tried = choose(valid, model)
    blend = dict(zip((part.label for part in PARTS), weights, strict=True))
    print(f"chosen: {settings}, blend {blend}")
    if settings != asking.Asking():
        print("these are not the settings that are served: change ml.asking.Asking")
    served, truth = blended(model, weights), truth_of(test)
    arms = {
        "adaptive": ask_all(test, served, settings),
        "popular five": ask_all(test, served, None),
    }
    print(f"\nrecall@{K} after {N_ANSWERS} answers, {len(test.people)} test people, 95 % intervals")
    values = {name: recall(served, said, truth) for name, said in arms.items()}
    values["quiz"] = metrics.recall_at_k(quiz_lists(test, genres), truth, K)
    found = report(values)
    asked = {}
    for name, said in arms.items():
        n_answers = float(np.mean([len(one.answered) for one in said]))
        n_questions = float(np.mean([len(one.films) for one in said]))
        asked[name] = {"questions": n_questions, "answers": n_answers}
        print(f"{name:<22} {n_answers:.2f} answers from {n_questions:.1f} questions")
    speed = question_times(test, served, settings)
    print(f"one question is chosen in {speed['p50_ms']:.1f} ms (p95 {speed['p95_ms']:.1f} ms)")
    return {
        "benchmark": "onboarding",
        "dataset": data.name,
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "protocol": f"held-out people, {KNOWN_SHARE:.0%} of ratings answer, recall@{K} of the "
        f"liked rest after {N_ANSWERS} answers, at most {MAX_QUESTIONS} questions",
        "n_people": len(test.people),
        "n_validation_people": len(valid.people),
        "seed": SEED,
        "settings": asdict(settings),
        "blend": blend,
        "validation": tried,
        **found,
        "asked": asked,
        "question": speed,
    }


def main() -> int:
    """Measures, prints and writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a MovieLens folder")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/onboarding.json")
    options = parser.parse_args()
    record = measured(options)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"written to {options.out.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
