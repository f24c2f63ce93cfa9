"""Text vectors: what is embedded, and that nothing is embedded twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ml.data import DataError
from ml.facts import item_features, load_facts, read_records, records_by_title
from ml.idmap import IdMap
from ml.text import HashingEncoder, encode_cached, film_text, unit_rows
from ml.types import FloatArray


class CountingEncoder(HashingEncoder):
    """Remembers what it was asked to encode."""

    def __init__(self) -> None:
        super().__init__(dim=64)
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> FloatArray:
        self.asked.extend(texts)
        return super().encode(texts)


def test_the_text_of_a_film_starts_with_what_matters() -> None:
    text = film_text(
        "Heat",
        year=1995,
        genres=["Crime"],
        keywords=["heist"],
        tagline="A Los Angeles crime saga.",
        synopsis="A thief and a detective.",
    )
    assert text == "Heat (1995). Crime. heist. A Los Angeles crime saga. A thief and a detective"
    assert film_text("Heat") == "Heat"


def test_hashed_vectors_have_length_one_and_share_words() -> None:
    vectors = HashingEncoder().encode(["a space war", "A SPACE WAR!", "garden party", ""])
    assert np.allclose(np.linalg.norm(vectors[:3], axis=1), 1.0)
    assert np.array_equal(vectors[0], vectors[1])
    assert vectors[0] @ vectors[2] < 0.5
    assert not vectors[3].any()


def test_only_new_texts_are_encoded(tmp_path: Path) -> None:
    encoder, cache = CountingEncoder(), tmp_path / "cache" / "vectors.npz"
    first = encode_cached(encoder, ["one", "two", "one"], cache)
    second = encode_cached(encoder, ["two", "three"], cache)
    assert encoder.asked == ["one", "two", "three"]
    assert np.array_equal(first[0], first[2])
    assert np.array_equal(first[1], second[0])
    assert [path.name for path in cache.parent.iterdir()] == ["vectors.npz"]


def test_another_encoder_does_not_read_the_cache(tmp_path: Path) -> None:
    cache = tmp_path / "vectors.npz"
    encode_cached(HashingEncoder(32), ["one"], cache)
    assert encode_cached(HashingEncoder(16), ["one"], cache).shape == (1, 16)


def test_facts_become_features_and_missing_ones_stay_empty() -> None:
    records = [
        {"director": "Ann", "cast": ["A", "B"], "keywords": ["k"], "original_language": "fr"},
        {},
    ]
    features = item_features(
        records,
        titles=["One", "Two"],
        genres=[["Drama", "War"], []],
        years=[1990, None],
        encoder=HashingEncoder(16),
    )
    assert features.genre_names == ("Drama", "War")
    assert features.genres is not None
    assert features.genres.tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert features.year is not None
    assert features.year[0] == 1990
    assert np.isnan(features.year[1])
    assert features.text is not None
    assert features.text.shape == (2, 16)
    assert features.tags is not None
    assert features.tags["director"] == [("Ann",), ()]
    assert features.tags["language"] == [("fr",), ()]


def test_records_are_found_by_either_id(tmp_path: Path) -> None:
    import polars as pl

    row = {"year": 1990, "overview": "o", "tagline": None, "director": "Ann"}
    lists = {"genres": ["Drama"], "keywords": ["k"], "cast": ["A"], "original_language": "en"}
    table = [
        {"tmdb_id": 10, "movielens_id": 1, "title": "One", **row, **lists},
        {"tmdb_id": 20, "movielens_id": None, "title": "Two", **row, **lists},
    ]
    path = tmp_path / "films.parquet"
    pl.DataFrame(table).write_parquet(path)
    found = read_records(path, np.array([1, 2, 3]), tmdb_ids={2: 20})
    assert [record.get("title") for record in found] == ["One", "Two", None]


def test_zero_rows_stay_zero() -> None:
    assert unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [
        pytest.approx([0.6, 0.8]),
        [0.0, 0.0],
    ]


def test_a_movielens_folder_is_joined_to_the_table(tmp_path: Path) -> None:
    import polars as pl

    (tmp_path / "movies.csv").write_text(
        'movieId,title,genres\n1,"Piano, The (1993)",Drama\n7,Heat (1995),Crime|Drama\n'
    )
    (tmp_path / "links.csv").write_text("movieId,imdbId,tmdbId\n1,1,10\n7,2,\n")
    row = {"overview": "o", "tagline": None, "director": "Ann", "original_language": "en"}
    lists: dict[str, list[str]] = {"keywords": ["k"], "cast": []}
    names = [("The Piano", 1993, 10, None), ("Heat", 1995, 20, 7)]
    table = [
        {"title": t, "year": y, "tmdb_id": i, "movielens_id": m, **row, **lists}
        for t, y, i, m in names
    ]
    pl.DataFrame(table).write_parquet(tmp_path / "films.parquet")
    items = IdMap.of([1, 7])
    facts = load_facts(
        tmp_path, items, table=tmp_path / "films.parquet", encoder=HashingEncoder(32), cache=None
    )
    assert facts.genre_names == ("Crime", "Drama")
    assert facts.tags is not None
    assert facts.tags["director"] == [("Ann",), ("Ann",)]
    by_title = records_by_title(
        tmp_path / "films.parquet", ["Piano, The", "Heat", "Nothing"], [1994, 1995, None]
    )
    assert [record.get("tmdb_id") for record in by_title] == [10, 20, None]
    with pytest.raises(DataError, match="does not exist"):
        load_facts(tmp_path, items, table=tmp_path / "none.parquet", encoder=None, cache=None)
