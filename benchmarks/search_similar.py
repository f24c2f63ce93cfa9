"""Whether "similar to X" differs from "similar to Y": films from different genres, list by list."""

from __future__ import annotations

import random

import numpy as np

from ml.bootstrap import mean_intervals

N_FILMS = 12
# Known enough that somebody would ask for films like it.
MIN_RATINGS = 20


def similar(*, pairs: int = 200, seed: int = 5) -> dict:
    """Mean share of common films in the two lists of a pair, for each kind of likeness."""
    from django.contrib.auth.models import AnonymousUser

    from catalog.models import Movie
    from recommendations.similar import similar_films

    films = list(
        Movie.objects.visible()
        .filter(rating_count__gte=MIN_RATINGS)
        .prefetch_related("genres", "credits")
        .order_by("pk")
    )
    rng = random.Random(seed)
    drawn: list[tuple[Movie, Movie]] = []
    while len(drawn) < pairs:
        one, other = rng.sample(films, 2)
        genres = [{genre.name for genre in film.genres.all()} for film in (one, other)]
        if all(genres) and not genres[0] & genres[1]:
            drawn.append((one, other))
    overlaps: dict[str, list[float]] = {}
    for pair in drawn:
        rows = [dict(similar_films(film, AnonymousUser(), n=N_FILMS).items()) for film in pair]
        for kind in rows[0]:
            first, second = ({film.movie_id for film in row[kind]} for row in rows)
            if first and second:
                shared = len(first & second) / min(len(first), len(second))
                overlaps.setdefault(kind, []).append(shared)
    kinds = {}
    for kind, values in overlaps.items():
        found = mean_intervals({"overlap": np.array(values)})["overlap"]
        kinds[kind] = {
            "pairs": len(values),
            "overlap": found.mean,
            "low": found.lo,
            "high": found.hi,
            "most": max(values),
        }
    return {"pairs": pairs, "seed": seed, "films_each": N_FILMS, "kinds": kinds}
