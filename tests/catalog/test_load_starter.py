"""The starter catalogue in the database, alone and beside MovieLens."""

import pytest
from django.core.management import call_command

from catalog import warehouse
from catalog.models import Credit, Dataset, ExternalId, FieldSource, Movie
from catalog.starter import load_starter_films
from tests.catalog.conftest import run_import, write_csv

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("warehouse_dir")]


def test_films_people_and_a_marked_audience(capsys):
    films = load_starter_films()
    call_command("load_starter")
    assert Movie.objects.count() == len(films) >= 500
    some = films[100]
    movie = Movie.objects.get(external_ids__source="imdb", external_ids__value=some.imdb_id)
    assert (movie.title, movie.year, movie.synopsis) == (some.title, some.year, some.synopsis)
    directors = movie.credits.filter(role=Credit.Role.DIRECTOR)
    assert tuple(directors.values_list("person__name", flat=True)) == some.directors
    assert set(movie.keywords.values_list("name", flat=True)) == set(some.keywords)
    assert movie.genre_names == sorted(some.genres)
    assert FieldSource.objects.get(movie=movie, field="synopsis").source == "starter"
    dataset = Dataset.objects.get()
    assert (dataset.slug, dataset.is_simulated) == ("starter-audience", True)
    assert warehouse.read_ratings().height == dataset.n_ratings > 10_000
    assert Movie.objects.filter(rating_count__gt=0).count() > 500
    assert "(simulated)" in capsys.readouterr().out


def test_a_second_run_changes_nothing(capsys):
    call_command("load_starter")
    before = warehouse.fingerprint()
    capsys.readouterr()
    call_command("load_starter")
    assert "0 rows changed" in capsys.readouterr().out
    assert warehouse.fingerprint() == before


def test_movielens_merges_films_and_replaces_the_audience(tmp_path, capsys):
    call_command("load_starter")
    matrix = Movie.objects.get(external_ids__value="tt0133093")
    n_films = Movie.objects.count()
    call_command("import_movielens", str(write_csv(tmp_path / "ml")))
    out = capsys.readouterr().out
    assert "Simulated audience was replaced" in out
    assert ExternalId.objects.get(source="movielens", value="2").movie_id == matrix.pk
    assert Movie.objects.filter(title="The Matrix").count() == 1
    # Heat, Amelie, Toy Story and The Matrix are in the starter catalogue, Nobody Knows is not.
    assert Movie.objects.count() == n_films + 1
    matrix.refresh_from_db()
    assert matrix.synopsis
    assert (matrix.rating_count, matrix.rating_mean) == (2, 4.0)
    assert list(Dataset.objects.values_list("slug", flat=True)) == ["ml"]
    assert warehouse.read_ratings().height == 5


def test_real_ratings_are_not_joined_by_invented_ones(tmp_path, capsys):
    run_import(write_csv(tmp_path / "ml"))
    call_command("load_starter")
    assert "there are real ratings" in capsys.readouterr().out
    assert not Dataset.objects.filter(is_simulated=True).exists()
    assert Movie.objects.get(title="Heat").synopsis
