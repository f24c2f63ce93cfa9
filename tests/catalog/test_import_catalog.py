"""A wide table of films: complete, idempotent, and polite to editors."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog.models import Credit, DataSource, ExternalId, FieldSource, Movie
from catalog.services.search_index import search_vectors_refresh
from catalog.tmdb.models import EnrichmentState, TmdbFacts
from catalog.tmdb.retention import expired_drop
from tests.catalog.tmdb_world import movielens_films, row

pytestmark = pytest.mark.django_db(transaction=True)


def table(path, rows):
    """A Parquet file of these rows."""
    file = path / "films.parquet"
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(file)
    return file


def run(file, capsys) -> str:
    call_command("import_catalog", file, verbosity=0)
    return capsys.readouterr().out


def test_films_that_we_lack_come_in_with_everything(tmp_path, capsys):
    said = run(table(tmp_path, [row(7, movielens_ids=[71])]), capsys)
    assert "1 created, 0 updated, 0 unchanged" in said
    film = Movie.objects.get()
    assert (film.title, film.year, film.runtime_min, film.language) == ("Film 7", 1990, 101, "fr")
    assert film.genre_names == ["Drama", "Sci-Fi"]
    assert sorted(word.name for word in film.keywords.all()) == ["paris", "time travel"]
    assert film.title_normalized == "film 7"
    assert film.titles_normalized == ["film 7"]
    assert "  f" in film.title_trigrams
    credits = Credit.objects.order_by("position").values_list("person__name", "role")
    assert list(credits) == [
        ("Eva Frey", "director"),
        ("Anna Bell", "cast"),
        ("Carl Dorn", "cast"),
    ]
    links = {link.source: link.value for link in ExternalId.objects.all()}
    assert links == {"tmdb": "7", "imdb": "tt0000007", "movielens": "71"}
    assert TmdbFacts.objects.get().vote_count == 120
    assert EnrichmentState.objects.get().status == "imported"
    assert FieldSource.objects.get(field="synopsis").source == DataSource.TMDB
    # Indexed as a refresh would: there is nothing left to do.
    assert search_vectors_refresh() == 0


def test_a_second_run_changes_nothing_and_says_so(tmp_path, capsys):
    movielens_films([1])
    file = table(tmp_path, [row(1, title="Other Name"), row(2)])
    run(file, capsys)
    before = list(Movie.objects.order_by("pk").values())
    said = run(file, capsys)
    assert "0 rows changed" in said
    assert list(Movie.objects.order_by("pk").values()) == before


def test_films_of_ours_are_filled_and_keep_title_year_and_genres(tmp_path, capsys):
    films = movielens_films([1])
    said = run(table(tmp_path, [row(1, title="Other Name", year=1991)]), capsys)
    assert "0 created, 1 updated" in said
    film = Movie.objects.get(pk=films[1])
    assert (film.title, film.year, film.genre_names) == ("Film 1", 1990, ["Comedy"])
    assert film.alternative_titles == ["Other Name"]
    assert film.titles_normalized == ["film 1", "other name"]
    assert film.synopsis == "What happens in film 1."
    assert search_vectors_refresh() == 0


@pytest.mark.parametrize(
    "match", [{"tmdb_id": 1}, {"imdb_id": "tt0000001"}, {"movielens_ids": [1]}]
)
def test_films_are_matched_by_any_id(match, tmp_path, capsys):
    films = movielens_films([1])
    values = {"tmdb_id": 900, "imdb_id": None, "title": "Quite Another", **match}
    run(table(tmp_path, [{**row(900), **values}]), capsys)
    assert Movie.objects.get().pk == films[1]


def test_a_film_without_links_is_matched_by_title_and_year_unless_two_are(tmp_path, capsys):
    films = movielens_films([5], is_linked=False)
    same = {"title": "Film 5", "imdb_id": None}
    twins = [{**row(801), **same}, {**row(802), **same}]
    run(table(tmp_path, twins), capsys)
    assert Movie.objects.get(pk=films[5]).synopsis == ""
    Movie.objects.exclude(pk=films[5]).delete()
    run(table(tmp_path, twins[:1]), capsys)
    assert Movie.objects.get().synopsis == "What happens in film 801."


def test_what_an_editor_or_tmdb_itself_said_stays(tmp_path, capsys):
    films = movielens_films([1, 2])
    Movie.objects.filter(pk=films[1]).update(synopsis="Ours.")
    for field in ("synopsis", "genres", "credits", "keywords", "title"):
        FieldSource.objects.update_or_create(
            movie_id=films[1], field=field, defaults={"source": DataSource.EDITOR}
        )
    Movie.objects.filter(pk=films[2]).update(synopsis="Fetched.")
    FieldSource.objects.create(movie_id=films[2], field="synopsis", source=DataSource.TMDB)
    EnrichmentState.objects.create(
        movie_id=films[2], status="done", tmdb_id=2, fetched_at=timezone.now()
    )
    run(table(tmp_path, [row(1), row(2)]), capsys)
    edited, fetched = Movie.objects.get(pk=films[1]), Movie.objects.get(pk=films[2])
    assert (edited.synopsis, edited.genre_names) == ("Ours.", ["Comedy"])
    assert edited.keywords.count() == edited.credits.count() == 0
    assert edited.tagline == "See it."
    assert fetched.synopsis == "Fetched."
    assert EnrichmentState.objects.get(pk=films[2]).status == "done"


def test_a_newer_table_changes_what_it_changes(tmp_path, capsys):
    run(table(tmp_path, [row(1), row(2)]), capsys)
    newer = row(1, overview="New.", keywords=["space"], cast=["Dora Eck"], title="Renamed")
    said = run(table(tmp_path, [newer, row(2)]), capsys)
    assert "0 created, 1 updated, 1 unchanged" in said
    film = Movie.objects.get(external_ids__source="tmdb", external_ids__value="1")
    assert (film.title, film.title_normalized, film.synopsis) == ("Renamed", "renamed", "New.")
    assert [word.name for word in film.keywords.all()] == ["space"]
    assert [credit.person.name for credit in film.credits.all()] == ["Dora Eck", "Eva Frey"]
    assert search_vectors_refresh() == 0


def test_silence_empties_nothing(tmp_path, capsys):
    run(table(tmp_path, [row(1)]), capsys)
    silent = row(1, overview=None, genres=[], keywords=[], cast=[], director=None, runtime=None)
    said = run(table(tmp_path, [row(2), silent]), capsys)
    assert "1 created, 0 updated, 1 unchanged" in said
    film = Movie.objects.get(external_ids__source="tmdb", external_ids__value="1")
    assert (film.synopsis, film.runtime_min) == ("What happens in film 1.", 101)
    assert film.keywords.count() == 2


def test_a_csv_does_too_and_bad_rows_are_counted(tmp_path, capsys):
    file = tmp_path / "films.csv"
    good = "".join(f"{n},Film {n},1999-05-0{n},Drama|Action,a b|c\n" for n in range(1, 10))
    file.write_text(
        "tmdb_id,title,release_date,genres,keywords\n" + good + "x,No id,,,\n", encoding="utf-8"
    )
    said = run(file, capsys)
    assert "9 created" in said
    assert "1 rows because tmdb_id is no positive whole number" in said
    film = Movie.objects.get(title="Film 3")
    assert (film.year, film.genre_names) == (1999, ["Action", "Drama"])
    assert sorted(word.name for word in film.keywords.all()) == ["a b", "c"]


def test_a_file_of_mostly_bad_rows_changes_nothing(tmp_path, capsys):
    rows = [row(1), {**row(2), "title": ""}]
    with pytest.raises(CommandError, match="Nothing was changed"):
        run(table(tmp_path, rows), capsys)
    assert not Movie.objects.exists()
    for path in ("missing.parquet", "broken.parquet"):
        (tmp_path / "broken.parquet").write_bytes(b"no table")
        with pytest.raises(CommandError, match="Parquet"):
            run(tmp_path / path, capsys)


def test_imported_data_is_dropped_after_180_days_and_can_come_again(tmp_path, capsys):
    file = table(tmp_path, [row(1)])
    run(file, capsys)
    now = timezone.now()
    assert expired_drop(now=now + timedelta(days=179)) == 0
    assert expired_drop(now=now + timedelta(days=181)) == 1
    film = Movie.objects.get()
    assert (film.title, film.synopsis, film.genre_names) == ("Film 1", "", [])
    run(file, capsys)
    film.refresh_from_db()
    assert film.synopsis == "What happens in film 1."
    assert EnrichmentState.objects.get().status == "imported"
