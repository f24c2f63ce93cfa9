"""How well search finds: misspelt titles, films told by their plots, conditions in sentences."""

from __future__ import annotations

import json
import random
import unicodedata
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.fusion import Evidence

QUERIES = Path(__file__).resolve().parent / "queries"
WEIGHTS = tuple(round(0.05 * step, 2) for step in range(21))
WAIT_S = 120.0
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def read_lines(name: str) -> list[dict]:
    """A frozen file of queries."""
    text = (QUERIES / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


# --- (a) titles ---------------------------------------------------------------------------------


def misspelt(title: str, rng: random.Random) -> str:
    """A title as people type it: no article, no or wrong accents, one slip (two in long ones)."""
    words = title.split()
    if len(words) > 1 and words[0].lower() in {"the", "a", "an"}:
        words = words[1:]
    text = " ".join(words)
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    if plain == text and rng.random() < 0.2:
        plain = plain.replace("e", "\u00e9", 1)
    for _ in range(1 if len(plain) < 14 else 2):
        plain = _slip(plain, rng)
    return plain


def _slip(text: str, rng: random.Random) -> str:
    places = [i for i, char in enumerate(text) if char.isalpha() and i > 0]
    if not places:
        return text
    at = rng.choice(places)
    kind = rng.choice(("swap", "drop", "double", "replace"))
    if kind == "swap" and at + 1 < len(text):
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == "drop":
        return text[:at] + text[at + 1 :]
    if kind == "double":
        return text[:at] + text[at] + text[at:]
    return text[:at] + rng.choice(LETTERS) + text[at + 1 :]


def titles(*, n: int = 500, seed: int = 4) -> dict:
    """Share of misspelt titles whose film is among the first three."""
    from django.db.models import Count

    from catalog.hybrid import search
    from catalog.models import Movie

    # A film that shares its title with four others cannot be meant by the title alone.
    single = (
        Movie.objects.visible()
        .values("title_normalized")
        .annotate(n=Count("pk"))
        .filter(n=1)
        .values("title_normalized")
    )
    films = list(
        Movie.objects.visible()
        .filter(title_normalized__in=single, title__regex=r"[A-Za-z]{4}")
        .order_by("pk")
        .values_list("pk", "title")
    )
    rng = random.Random(seed)
    sample = rng.sample(films, n)
    misses = []
    for movie_id, title in sample:
        typed = misspelt(title, rng)
        found = [film.movie_id for film in search(typed, limit=3, wait_s=WAIT_S).found]
        if movie_id not in found:
            misses.append({"title": title, "typed": typed})
    return {"n": n, "seed": seed, "top3": 1 - len(misses) / n, "misses": misses[:40]}


# --- (b) meaning --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A query, its film, and what speaks for which films."""

    target: int
    is_validation: bool
    evidence: Evidence
    served: tuple[int, ...]


def cases() -> list[Case]:
    """Evidence for every known-item query; films are found by their IMDb id."""
    from catalog.embeddings.encoders import query_vectors
    from catalog.embeddings.nearest import active_space, nearest_among, nearest_films
    from catalog.fusion import Evidence
    from catalog.hybrid import CANDIDATES, search
    from catalog.models import ExternalId, Movie
    from catalog.words import films_by_words

    space = active_space()
    assert space is not None, "no vectors: run manage.py embed_movies first"
    ids = dict(ExternalId.objects.filter(source="imdb").values_list("value", "movie_id"))
    out = []
    for line in read_lines("known_items.jsonl"):
        query = line["query"]
        vector = query_vectors.get(query, encoder=space.encoder, wait_s=WAIT_S)
        assert vector is not None, "the encoder cannot be loaded"
        found, scores = films_by_words(query, n=CANDIDATES)
        words = dict(zip(found.tolist(), scores.tolist(), strict=True))
        near = nearest_films(vector, space, films=Movie.objects.visible(), n=CANDIDATES)
        missing = sorted(set(words) - set(near.movie_ids))
        more = nearest_among(vector, space, movie_ids=missing, n=max(1, len(missing)))
        out.append(
            Case(
                target=ids[line["imdb_id"]],
                is_validation=zlib.crc32(line["imdb_id"].encode()) % 2 == 0,
                evidence=Evidence(words, near.as_dict() | more.as_dict(), {}, {}),
                served=tuple(f.movie_id for f in search(query, limit=10, wait_s=WAIT_S).found),
            )
        )
    return out


def first_ten(scores: Mapping[int, float]) -> tuple[int, ...]:
    """The ten best, ties by id."""
    return tuple(sorted(scores, key=lambda pk: (-scores[pk], pk))[:10])


def figures(cases: Sequence[Case], answer: Callable[[Case], Sequence[int]]) -> dict[str, float]:
    """MRR@10 and recall@10."""
    ranks = [
        answer(case).index(case.target) + 1 if case.target in answer(case) else 0 for case in cases
    ]
    return {
        "mrr@10": sum(1 / rank for rank in ranks if rank) / len(ranks),
        "recall@10": sum(rank > 0 for rank in ranks) / len(ranks),
    }


def meaning() -> dict:
    """Each way alone and together; the weight is chosen on one half, the other reported."""
    from catalog.fusion import WORDS_WEIGHT, reciprocal_ranks, weighted_sum

    everything = cases()
    valid = [case for case in everything if case.is_validation]
    test = [case for case in everything if not case.is_validation]

    def weighted(weight: float) -> Callable[[Case], tuple[int, ...]]:
        return lambda case: first_ten(weighted_sum(case.evidence, words_weight=weight))

    # Both figures count: the first place, and being on the first page at all.
    sweep = {weight: sum(figures(valid, weighted(weight)).values()) for weight in WEIGHTS}
    best = max(sweep, key=lambda weight: (sweep[weight], -abs(weight - 0.5)))
    systems: dict[str, Callable[[Case], Sequence[int]]] = {
        "full text alone (BM25)": lambda case: first_ten(case.evidence.words),
        "vectors alone": lambda case: first_ten(case.evidence.meaning),
        "rank fusion": lambda case: first_ten(reciprocal_ranks(case.evidence)),
        f"weighted sum, words {best}": weighted(best),
        f"as served (words {WORDS_WEIGHT}, intent parser on)": lambda case: case.served,
    }
    return {
        "n": len(everything),
        "n_validation": len(valid),
        "n_test": len(test),
        "validation_sweep": sweep,
        "chosen": best,
        "shipped": WORDS_WEIGHT,
        "test": {name: figures(test, answer) for name, answer in systems.items()},
        "all": {name: figures(everything, answer) for name, answer in systems.items()},
    }


# --- (c) intent ---------------------------------------------------------------------------------


def intents(reader: Callable | None = None) -> dict:
    """F1 of the constraints read, and films shown that break a hard one."""
    from catalog.hybrid import read_request, search
    from catalog.models import Movie
    from catalog.titles import normalize_title

    reader = reader or read_request
    right = wrong = missed = broken = shown = 0
    differences = []
    lines = read_lines("intents.jsonl")
    for line in lines:
        answer = search(line["query"], limit=30, wait_s=WAIT_S, reader=reader)
        chips = answer.reading.chips
        liked = Movie.objects.in_bulk([int(c.value) for c in chips if c.kind == "like"])
        read = {
            f"like:{normalize_title(liked[int(c.value)].title)}"
            if c.kind == "like"
            else c.encoded()
            for c in chips
        }
        wanted = {
            f"like:{normalize_title(text[5:])}" if text.startswith("like:") else text
            for text in line["constraints"]
        }
        right += len(read & wanted)
        wrong += len(read - wanted)
        missed += len(wanted - read)
        if read != wanted:
            differences.append(
                {
                    "query": line["query"],
                    "too many": sorted(read - wanted),
                    "missing": sorted(wanted - read),
                }
            )
        films = Movie.objects.prefetch_related("genres", "people").in_bulk(
            [film.movie_id for film in answer.found]
        )
        shown += len(films)
        broken += sum(
            not all(meets(film, chip) for chip in answer.reading.hard) for film in films.values()
        )
    precision = right / max(1, right + wrong)
    recall = right / max(1, right + missed)
    return {
        "n": len(lines),
        "constraints": right + missed,
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(1e-9, precision + recall),
        "films_shown": shown,
        "hard_violations": broken,
        "differences": differences,
    }


def meets(film, chip) -> bool:  # noqa: ANN001 - a Movie and a Chip
    """Whether a film meets a hard condition: in Python, apart from the SQL that chose it."""
    marks = ("G", "PG", "PG-13", "R", "NC-17")
    if chip.kind in {"years", "runtime"}:
        value = film.year if chip.kind == "years" else film.runtime_min
        low, high = chip.bounds
        return value is not None and (low or 0) <= value <= (high or 9999)
    if chip.kind == "certification":
        return film.certification in marks[: marks.index(chip.value) + 1]
    has = {
        "genre": lambda: bool({g.name for g in film.genres.all()} & set(chip.value.split("|"))),
        "language": lambda: film.language == chip.value,
        "country": lambda: chip.value in film.countries,
        "person": lambda: chip.value in {p.name for p in film.people.all()},
    }[chip.kind]()
    return has != chip.is_negated
