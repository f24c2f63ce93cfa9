"""Real MovieLens data, where the machine has it (MARQUEE_DATA_DIR)."""

import random
import string

import polars as pl
import pytest

from catalog import warehouse
from catalog.models import Dataset, Movie
from catalog.search import search_films
from tests.catalog.conftest import run_import

pytestmark = [pytest.mark.django_db, pytest.mark.data, pytest.mark.usefixtures("warehouse_dir")]


def misspelt(title: str, rng: random.Random) -> str:
    """One error in a short title, two from ten letters on: wrong, lost, extra, swapped letters."""
    letters = list(title.lower())
    for _ in range(1 if len(letters) < 10 else 2):
        place, kind = rng.randrange(len(letters)), rng.random()
        if kind < 0.3:
            letters[place] = rng.choice(string.ascii_lowercase)
        elif kind < 0.55:
            del letters[place]
        elif kind < 0.8:
            letters.insert(place, rng.choice(string.ascii_lowercase))
        elif place + 1 < len(letters):
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
    return "".join(letters)


def test_ml_latest_small_is_imported_once_and_searched(data_dir):
    folder = data_dir / "ml-latest-small"
    report = run_import(folder)
    assert (report.films.created, report.films.merged, report.rejected) == (9741, 1, 0)
    assert (report.ratings.n_ratings, report.ratings.n_users) == (100_836, 610)
    source = pl.read_csv(folder / "ratings.csv")
    # MovieLens lists Confessions of a Dangerous Mind twice; who rated both is counted once.
    twice = source.filter(pl.col("movieId").is_in([6003, 144606]))
    n_both = len(twice) - twice["userId"].n_unique()
    assert warehouse.read_ratings().height == source.height - n_both
    stored = warehouse.connect().sql("SELECT count(*), sum(rating) FROM ratings")
    assert stored.fetchall() == [(source.height, source["rating"].sum())]
    toy_story = Movie.objects.get(external_ids__source="movielens", external_ids__value="1")
    mine = source.filter(pl.col("movieId") == 1)["rating"]
    assert toy_story.rating_count == len(mine)
    assert toy_story.rating_mean == pytest.approx(mine.mean(), abs=1e-5)
    assert run_import(folder).rows_changed == 0
    assert misspelt_found(n_titles=300) >= 0.97


def misspelt_found(*, n_titles: int) -> float:
    """The share of misspelt titles whose film is among the first three."""
    rng = random.Random(20_260_101)
    films = Movie.objects.order_by("pk").values_list("pk", "title")
    sample = rng.sample([film for film in films if len(film[1]) >= 6], n_titles)
    found = sum(
        pk in {hit.movie_id for hit in search_films(misspelt(title, rng), limit=3)}
        for pk, title in sample
    )
    return found / n_titles


def test_ml_1m_is_imported(data_dir):
    report = run_import(data_dir / "ml-1m")
    assert (report.films.created, report.rejected) == (3883, 0)
    assert (report.ratings.n_ratings, report.ratings.n_users) == (1_000_209, 6040)
    assert Dataset.objects.get().slug == "ml-1m"
    assert Movie.objects.filter(genres__name="Children").count() == 251
    assert run_import(data_dir / "ml-1m").rows_changed == 0


def test_ml_100k_is_imported(data_dir):
    report = run_import(data_dir / "ml-100k")
    assert report.ratings.n_ratings == 99_991
    # Film 267 has no title; nine people rated it.
    reasons = dict(report.rejected_by_reason)
    assert reasons["u.item", "the film has no title"] == 1
    assert reasons["u.data", "the film is not in the list of films"] == 9
