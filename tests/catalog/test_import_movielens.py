"""Importing MovieLens: every shape, twice, with editors in between and wrong rows within."""

import csv

import pytest
from django.core.management import CommandError, call_command

from catalog import warehouse
from catalog.ingestion.errors import IngestionError
from catalog.models import Dataset, ExternalId, FieldSource, Movie
from catalog.services.editing import movie_edited
from tests.catalog.conftest import (
    RATINGS,
    run_import,
    write_100k,
    write_csv,
    write_dat,
    write_parquet,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("warehouse_dir")]


def titles() -> list[tuple[str, int | None]]:
    return list(Movie.objects.order_by("pk").values_list("title", "year"))


@pytest.mark.parametrize("write", [write_csv, write_dat, write_parquet])
def test_each_layout_brings_the_same_films_and_ratings(tmp_path, write):
    report = run_import(write(tmp_path / "ml-test"))
    assert titles() == [
        ("Toy Story", 1995),
        ("The Matrix", 1999),
        ("Amelie", 2001),
        ("Heat", 1995),
        ("Nobody Knows", None),
    ]
    amelie = Movie.objects.get(title="Amelie")
    assert amelie.original_title == "Le Fabuleux destin d'Amélie Poulain"
    assert amelie.genre_names == ["Comedy", "Romance"]
    assert Movie.objects.get(title="Nobody Knows").genre_names == []
    matrix = Movie.objects.get(title="The Matrix")
    assert (matrix.rating_count, matrix.rating_mean) == (2, 4.0)
    assert (report.ratings.n_ratings, report.ratings.n_users, report.rejected) == (5, 3, 0)
    assert warehouse.read_ratings().height == 5
    assert Dataset.objects.get().slug == "ml-test"


def test_10m_films_in_utf8_are_read_too(tmp_path):
    run_import(write_dat(tmp_path / "ml-10m", encoding="utf-8"))
    assert Movie.objects.filter(original_title="Le Fabuleux destin d'Amélie Poulain").exists()


def test_100k_has_numbers_of_its_own(tmp_path):
    write_csv(tmp_path / "ml-latest")
    run_import(tmp_path / "ml-latest")
    report = run_import(write_100k(tmp_path / "ml-100k"))
    assert report.films.created == 0
    assert Movie.objects.count() == 5
    sources = ExternalId.objects.filter(movie__title="Heat").values_list("source", flat=True)
    assert "ml-100k" not in sources
    assert ExternalId.objects.filter(source="ml-100k").count() == 3
    assert warehouse.read_ratings().height == len(RATINGS) + 4


def test_links_become_external_ids(tmp_path):
    run_import(write_csv(tmp_path / "ml"))
    heat = Movie.objects.get(title="Heat")
    assert set(heat.external_ids.values_list("source", "value")) == {
        ("movielens", "4"),
        ("imdb", "tt0113277"),
        ("tmdb", "949"),
    }


def test_a_second_run_changes_nothing(tmp_path):
    folder = write_csv(tmp_path / "ml")
    first = run_import(folder)
    assert (first.films.created, first.stats_changed) == (5, 4)
    stamps = list(Movie.objects.order_by("pk").values_list("pk", "updated_at"))
    imported_at = Dataset.objects.get().imported_at
    second = run_import(folder)
    assert second.rows_changed == 0
    assert second.films.unchanged == 5
    assert list(Movie.objects.order_by("pk").values_list("pk", "updated_at")) == stamps
    assert Dataset.objects.get().imported_at == imported_at


def test_the_command_says_that_nothing_changed(tmp_path, capsys):
    folder = str(write_csv(tmp_path / "ml"))
    call_command("import_movielens", folder)
    assert "5 created, 0 updated, 0 unchanged" in capsys.readouterr().out
    call_command("import_movielens", folder)
    out = capsys.readouterr().out
    assert "0 rows changed" in out
    assert "Licence: MovieLens data by GroupLens" in out


def test_a_changed_file_changes_just_that(tmp_path):
    folder = write_csv(tmp_path / "ml")
    run_import(folder)
    movies = folder / "movies.csv"
    movies.write_text(movies.read_text().replace("Heat (1995)", "Heat (1996)"))
    report = run_import(folder)
    assert (report.films.created, report.films.updated, report.films.unchanged) == (0, 1, 4)
    assert Movie.objects.get(title="Heat").year == 1996


def test_editors_changes_are_kept(tmp_path):
    folder = write_csv(tmp_path / "ml")
    run_import(folder)
    heat = Movie.objects.get(title="Heat")
    heat.title = "Heat, the film"
    heat.save(update_fields=["title"])
    heat.genres.clear()
    ExternalId.objects.filter(movie=heat, source="imdb").update(value="tt7654321")
    movie_edited(heat.pk, ["title", "genres", "imdb"])
    report = run_import(folder)
    heat.refresh_from_db()
    assert heat.title == "Heat, the film"
    assert heat.genre_names == []
    assert heat.external_ids.get(source="imdb").value == "tt7654321"
    assert report.films.changed == 0
    assert FieldSource.objects.get(movie=heat, field="title").source == "editor"


def test_wrong_rows_are_reported_with_line_and_reason(tmp_path):
    good = [f"{user},{film},3.0,1000000000" for user in range(10, 30) for film in (1, 2, 3, 4)]
    wrong = {
        82: ("1,99,4.0,1000000000", "the film is not in the list of films"),
        83: ("1,1,4.3,1000000000", "the rating is not one of 0.5, 1, 1.5 ... 5"),
        84: ("1,1,nan,1000000000", "the rating is no number"),
        85: ("1,1,4.0,99999999999", "the time lies before 1990 or in the future"),
        86: ("1,1", "has 2 columns, 4 are due"),
        87: ("x,1,4.0,1000000000", "the person's id is no positive whole number"),
        88: ("10,1,4.0,1000000000,9", "has 5 columns, 4 are due"),
    }
    lines = [*good, *(text for text, _ in wrong.values()), "10,2,5.0,1000000001"]
    report = run_import(write_csv(tmp_path / "ml", ratings=lines))
    with report.rejects_path.open(newline="") as file:
        rows = {int(row["line"]): row for row in csv.DictReader(file)}
    assert {line: row["reason"] for line, row in rows.items()} == {
        3: "the same person rated the same film again on a later line",
        **{line: reason for line, (_, reason) in wrong.items()},
    }
    assert rows[3]["content"] == "10,2,3.0,1000000000 (line 89)"
    assert report.rejected == 8
    assert report.ratings.n_ratings == 80
    assert {reject.file for reject in report.first_rejects} == {"ratings.csv"}
    kept = warehouse.connect().sql(
        "SELECT rating FROM ratings WHERE source_user_id = 10 AND source_movie_id = 2"
    )
    assert kept.fetchall() == [(5.0,)]


def test_wrong_films_and_links_are_reported(tmp_path):
    folder = write_csv(tmp_path / "ml")
    with (folder / "movies.csv").open("a") as file:
        file.write("1,Twice (2000),Drama\nx,No number (2000),Drama\n7,Too,many,columns\n")
    with (folder / "links.csv").open("a") as file:
        file.write("77,1,2\n")
    report = run_import(folder)
    assert [(r.file, r.line, r.reason) for r in report.first_rejects] == [
        ("movies.csv", 7, "a film with this id came before"),
        ("movies.csv", 8, "film id 'x' is no positive whole number"),
        ("movies.csv", 9, "has 4 columns, 3 are due"),
        ("links.csv", 7, "links an unknown film"),
    ]
    assert Movie.objects.count() == 5


def test_a_file_that_is_mostly_wrong_is_refused(tmp_path):
    folder = write_csv(tmp_path / "ml", ratings=["1,1,50,1000000000", "1,2,4.0,1000000000"])
    with pytest.raises(IngestionError, match="1 of 2 rows .* the first on line 2"):
        run_import(folder)
    assert not Movie.objects.exists()
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("ratings.csv", "userId,movieId,rating\n1,1,4\n", "lacks the column timestamp"),
        ("movies.csv", "id,name\n1,Heat\n", "lacks the column movieId and title and genres"),
        ("ratings.csv", "userId,movieId,rating,timestamp\n", "holds no ratings"),
        ("movies.csv", "movieId,title,genres\n", "holds no film"),
        ("movies.csv", "\0\0", "is not a text file"),
        ("ratings.csv", "\0" * 100_000, "is not a text file of ratings"),
    ],
)
def test_rubbish_is_refused_in_a_sentence(tmp_path, name, text, message):
    folder = write_csv(tmp_path / "ml")
    (folder / name).write_text(text)
    with pytest.raises(IngestionError, match=message):
        run_import(folder)
    assert not Movie.objects.exists()


def test_columns_may_stand_in_another_order(tmp_path):
    folder = write_csv(tmp_path / "ml")
    lines = ["timestamp,rating,extra,movieId,userId"]
    lines += [f"{at},{rating},x,{film},{user}" for user, film, rating, at in RATINGS]
    (folder / "ratings.csv").write_text("\r\n".join(lines))
    report = run_import(folder)
    assert (report.ratings.n_ratings, report.rejected) == (5, 0)


def test_a_wrong_path_is_named(tmp_path):
    with pytest.raises(CommandError, match="does not exist. Give a MovieLens folder"):
        call_command("import_movielens", str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="holds no MovieLens dataset; looked for movies.csv"):
        call_command("import_movielens", str(tmp_path / "empty"))
    folder = write_csv(tmp_path / "half")
    (folder / "ratings.csv").unlink()
    with pytest.raises(CommandError, match="has movies.csv but no ratings.csv"):
        call_command("import_movielens", str(folder))
    with pytest.raises(CommandError, match="is neither a folder nor a ZIP"):
        call_command("import_movielens", str(folder / "movies.csv"))


def test_one_film_under_two_numbers_is_merged(tmp_path):
    folder = write_csv(tmp_path / "ml")
    with (folder / "movies.csv").open("a") as file:
        file.write("9,Heat (1995),Action\n")
    with (folder / "links.csv").open("a") as file:
        file.write("9,0999999,949\n")
    with (folder / "ratings.csv").open("a") as file:
        file.write("2,9,1.0,1000000099\n")
    first = run_import(folder)
    assert (first.films.created, first.films.merged) == (5, 1)
    heat = Movie.objects.get(title="Heat")
    assert set(heat.external_ids.filter(source="movielens").values_list("value", flat=True)) == {
        "4",
        "9",
    }
    mine = warehouse.read_ratings().filter(movie_id=heat.pk)
    assert mine["rating"].to_list() == [1.0]
    assert run_import(folder).rows_changed == 0


def test_two_films_under_one_tmdb_id_stay_two(tmp_path):
    folder = write_csv(tmp_path / "ml")
    with (folder / "movies.csv").open("a") as file:
        file.write("9,Quite Another (1971),Action\n")
    with (folder / "links.csv").open("a") as file:
        file.write("9,0999999,949\n")
    report = run_import(folder)
    assert report.films.created == 6
    assert len(report.films.conflicts) == 1
    assert run_import(folder).films.changed == 0
