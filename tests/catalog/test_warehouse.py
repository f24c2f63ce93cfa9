"""The Parquet warehouse: what is read is what was written, and the database says which file."""

import polars as pl
import pyarrow as pa
import pytest

from catalog import warehouse
from catalog.models import Dataset, ExternalId
from catalog.services.datasets import DatasetFacts, dataset_set

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("warehouse_dir")]
ROWS = [(1, 10, 4.0, 50), (1, 11, 3.5, 40), (2, 10, 0.5, 60)]


def table(rows):
    columns = list(zip(*rows, strict=True)) if rows else [[], [], [], []]
    arrays = [
        pa.array(c, type=f.type) for c, f in zip(columns, warehouse.RATING_SCHEMA, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=warehouse.RATING_SCHEMA)


def write(slug, rows, *, id_source=ExternalId.Source.MOVIELENS, cut=100):
    with warehouse.incoming() as scratch:
        parts = [table(rows[start : start + cut]) for start in range(0, len(rows), cut)]
        file = warehouse.write_ratings(parts, scratch / "ratings.parquet")
        dataset_set(DatasetFacts(slug=slug, name=slug, id_source=id_source), file)
    return file


@pytest.fixture
def films(make_movie):
    first, second = make_movie("One", 2001), make_movie("Two", 2002)
    for movie, number in ((first, 10), (second, 11)):
        ExternalId.objects.create(movie=movie, source="movielens", value=str(number))
        ExternalId.objects.create(movie=movie, source="imdb", value=f"tt{number:07d}")
    return first, second


def test_ratings_come_back_sorted_with_our_ids(films):
    write("a", ROWS)
    key = Dataset.objects.get().pk << warehouse.USER_KEY_BITS
    assert warehouse.read_ratings().rows() == [
        (key + 1, films[1].pk, 3.5, 40),
        (key + 1, films[0].pk, 4.0, 50),
        (key + 2, films[0].pk, 0.5, 60),
    ]


def test_equal_times_keep_the_order_of_the_source(films):
    write("a", [(1, 11, 2.0, 5), (1, 10, 3.0, 5)])
    assert warehouse.read_ratings()["rating"].to_list() == [2.0, 3.0]


def test_datasets_do_not_share_people(films):
    write("a", ROWS)
    write("b", ROWS, id_source=ExternalId.Source.IMDB)
    ratings = warehouse.read_ratings()
    assert ratings.height == 6
    assert ratings["user_key"].n_unique() == 4
    assert ratings["user_key"].is_sorted()


def test_unknown_films_are_left_out(films):
    write("a", [*ROWS, (3, 999, 5.0, 1)])
    assert warehouse.read_ratings().height == 3


def test_an_empty_warehouse_has_the_columns():
    assert warehouse.read_ratings().schema == {
        "user_key": pl.Int64,
        "movie_id": pl.Int64,
        "rating": pl.Float32,
        "timestamp": pl.Int64,
    }
    assert warehouse.connect().sql("SELECT count(*) FROM ratings").fetchall() == [(0,)]


def test_the_views_join(films):
    write("a", ROWS)
    found = warehouse.connect().sql(
        "SELECT movie_id, count(*), avg(rating) FROM ratings "
        "JOIN movie_ids USING (dataset, source_movie_id) GROUP BY 1 ORDER BY 2 DESC"
    )
    assert found.fetchall() == [(films[0].pk, 2, 2.25), (films[1].pk, 1, 3.5)]


def test_the_fingerprint_does_not_depend_on_how_the_stream_is_cut(films):
    whole = write("a", ROWS)
    assert write("a", ROWS, cut=1).fingerprint == whole.fingerprint
    assert write("a", ROWS[::-1]).fingerprint != whole.fingerprint


def test_the_fingerprint_follows_ratings_and_films(films):
    write("a", ROWS)
    first = warehouse.fingerprint()
    assert warehouse.fingerprint() == first
    ExternalId.objects.filter(movie=films[1], source="movielens").update(movie=films[0])
    assert warehouse.fingerprint() != first
    write("a", ROWS[:2])
    assert warehouse.fingerprint() != first


def test_a_missing_file_is_an_error_not_an_empty_answer(films):
    write("a", ROWS)
    warehouse.ratings_path(Dataset.objects.get()).unlink()
    with pytest.raises(warehouse.WarehouseError, match="Import them again"):
        warehouse.read_ratings()


def test_sweeping_leaves_what_counts(films, warehouse_dir):
    write("a", ROWS)
    write("a", ROWS[:2])
    write("b", ROWS)
    Dataset.objects.filter(slug="b").delete()
    (warehouse_dir / ".incoming-dead").mkdir()
    assert warehouse.sweep() == 3
    assert [path.name for path in warehouse_dir.iterdir()] == ["a"]
    assert warehouse.read_ratings().height == 2
