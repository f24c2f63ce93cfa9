"""How well search finds: misspelt titles, and conditions in sentences."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path

QUERIES = Path(__file__).resolve().parent / "queries"
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


# --- (b) intent ---------------------------------------------------------------------------------


def intents(reader: Callable | None = None) -> dict:
    """F1 of the constraints read, and films shown that break a hard one."""
    from catalog.hybrid import search
    from catalog.models import Movie
    from catalog.reading import read_request
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
