"""Reading ratings in every layout, refusing what cannot be read, weighing events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ml.data import DAY_S, DataError, Weighting, load_ratings, to_csr
from ml.items import load_item_features
from tests.ml.data import interactions

ROWS = [(7, 30, 4.0, 300), (2, 10, 3.5, 100), (7, 10, 5.0, 200)]
CSV = "userId,movieId,rating,timestamp\n" + "\n".join(",".join(map(str, r)) for r in ROWS)


def write_layout(folder: Path, layout: str) -> Path:
    folder.mkdir(exist_ok=True)
    if layout == "ratings.csv":
        (folder / layout).write_text(CSV)
    elif layout == "ratings.dat":
        (folder / layout).write_text("\n".join("::".join(map(str, r)) for r in ROWS))
    elif layout == "u.data":
        (folder / layout).write_text("\n".join("\t".join(map(str, r)) for r in ROWS))
    else:
        frame = pl.DataFrame(
            ROWS, schema=["userId", "movieId", "rating", "timestamp"], orient="row"
        )
        frame.write_parquet(folder / layout)
    return folder


@pytest.mark.parametrize("layout", ["ratings.csv", "ratings.dat", "u.data", "ratings.parquet"])
def test_every_movielens_layout(tmp_path: Path, layout: str) -> None:
    data = load_ratings(write_layout(tmp_path / "set", layout))
    assert data.name == "set"
    assert data.has_timestamps
    assert data.users.ids.tolist() == [2, 7]
    assert data.items.ids.tolist() == [10, 30]
    events = data.interactions
    assert events.user_index.tolist() == [1, 0, 1]
    assert events.item_index.tolist() == [1, 0, 0]
    assert events.rating.tolist() == [4.0, 3.5, 5.0]
    assert events.timestamp.tolist() == [300, 100, 200]


def test_one_file_without_times_under_other_names(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("user_id,Item_ID,rating,note\n1,2,5,x\n")
    data = load_ratings(path)
    assert data.name == "mine"
    assert not data.has_timestamps
    assert data.interactions.timestamp.tolist() == [0]


def test_dates_become_seconds(tmp_path: Path) -> None:
    frame = pl.DataFrame({"userId": [1], "movieId": [2], "rating": [3], "timestamp": [86_400_000]})
    frame = frame.with_columns(pl.col("timestamp").cast(pl.Datetime("ms")))
    frame.write_parquet(tmp_path / "x.parquet")
    assert load_ratings(tmp_path / "x.parquet").interactions.timestamp.tolist() == [DAY_S]


def test_true_order_breaks_ties_and_unordered_rows_can_be_dropped(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "userId": [1, 1, 1],
            "movieId": [5, 6, 7],
            "rating": [3, 3, 3],
            "timestamp": [9, 9, 9],
            "user_seq": [1, 0, None],
        }
    )
    frame.write_parquet(tmp_path / "ratings.parquet")
    everything = load_ratings(tmp_path)
    films = everything.items.id(everything.interactions.item_index)
    assert films.tolist() == [6, 5, 7]
    ordered = load_ratings(tmp_path, ordered_only=True)
    assert ordered.items.id(ordered.interactions.item_index).tolist() == [6, 5]


def test_the_latest_of_several_ratings_counts(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("userId,movieId,rating,timestamp\n1,2,5,30\n1,2,1,20\n1,3,2,10\n")
    events = load_ratings(path).interactions
    assert events.rating.tolist() == [5.0, 2.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("userId,rating\n1,2\n", "lacks the column.*movieId"),
        ("userId,movieId,rating\n1,2,good\n", "rating is String"),
        ("userId,movieId,rating\nanna,2,3\n", "userId is String; whole numbers"),
        ("userId,movieId,rating\n1.5,2,3\n", "userId holds fractions"),
        ("userId,movieId,rating\n1,2,\n1,3,4\n", "1 row.*without"),
        ("userId,movieId,rating,timestamp\n1,2,3,\n1,3,4,5\n", "without a timestamp"),
        ("userId,user_id,movieId,rating\n1,1,2,3\n", "two columns mean the same"),
        ("", "cannot be read"),
    ],
)
def test_unusable_files_say_why(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        load_ratings(path)


def test_wrong_paths_say_why(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        load_ratings(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"holds none of ratings\.parquet"):
        load_ratings(tmp_path)
    (tmp_path / "x.xlsx").write_text("")
    with pytest.raises(DataError, match="unknown kind"):
        load_ratings(tmp_path / "x.xlsx")


def test_a_file_with_a_header_only_is_an_empty_dataset(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("userId,movieId,rating,timestamp\n")
    data = load_ratings(path)
    assert len(data.interactions) == len(data.users) == len(data.items) == 0


def test_films_of_each_layout(tmp_path: Path) -> None:
    data = load_ratings(write_layout(tmp_path, "ratings.csv"))
    (tmp_path / "movies.dat").write_bytes(
        "10::Am\u00e9lie (2001)::Comedy|Romance\n99::Other::Drama\n".encode("latin-1")
    )
    features = load_item_features(tmp_path, data.items)
    assert features.genre_names == ("Comedy", "Drama", "Romance")
    assert features.genres is not None
    assert features.genres.tolist() == [[1, 0, 1], [0, 0, 0]]
    assert features.year is not None
    assert features.year[0] == 2001
    assert np.isnan(features.year[1])
    (tmp_path / "movies.csv").write_text(
        'movieId,title,genres\n10,"Lost, a (Series) (2004-2010)",(no genres listed)\n30,X,War\n'
    )
    features = load_item_features(tmp_path / "ratings.csv", data.items)
    assert features.genre_names == ("War",)
    assert features.year is not None
    assert features.year[0] == 2004


def test_u_item_flags(tmp_path: Path) -> None:
    data = load_ratings(write_layout(tmp_path, "u.data"))
    flags = ["0"] * 19
    flags[1] = flags[8] = "1"
    line = "|".join(["10", "GoldenEye (1995)", "01-Jan-1995", "", "url", *flags])
    (tmp_path / "u.item").write_text(line + "\n")
    features = load_item_features(tmp_path, data.items)
    assert features.genre_names == ("Action", "Drama")
    assert features.genres is not None
    assert features.genres.tolist() == [[1, 1], [0, 0]]


def test_no_film_list_means_no_facts(tmp_path: Path) -> None:
    data = load_ratings(write_layout(tmp_path, "u.data"))
    features = load_item_features(tmp_path, data.items)
    assert features.n_items == 2
    assert features.genres is None
    assert features.year is None


def test_a_film_list_that_is_none(tmp_path: Path) -> None:
    data = load_ratings(write_layout(tmp_path, "u.data"))
    (tmp_path / "movies.dat").write_text("not a film\n")
    with pytest.raises(DataError, match="movies.dat cannot be read"):
        load_item_features(tmp_path, data.items)


def test_confidence_and_time_decay() -> None:
    events = interactions(
        [(0, 0, 5.0, 10 * DAY_S), (0, 1, 4.0, 0), (0, 2, 3.0, 10 * DAY_S)], n_users=1, n_items=4
    )
    weight = Weighting(min_rating=4.0, alpha=2.0, half_life_days=5.0).weights(events)
    assert weight.tolist() == pytest.approx([3.0, 0.25, 0.0])
    later = Weighting(half_life_days=5.0, now=15 * DAY_S).weights(events)
    assert later.tolist() == pytest.approx([0.5, 0.125, 0.5])
    matrix = to_csr(events, Weighting(min_rating=4.0))
    assert matrix.toarray().tolist() == [[1, 1, 0, 0]]
    assert matrix.dtype == np.float32
