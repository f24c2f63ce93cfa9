"""Whatever bytes come, the importers answer: with rows, or with a sentence. Never with a crash.

``MARQUEE_FUZZ_EXAMPLES=10000`` runs as many of each kind; the suite runs fewer.
"""

from __future__ import annotations

import json
import os
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from feedback.imports.archive import MAX_ROWS
from feedback.imports.errors import ImportFileError
from feedback.imports.reading import read_upload
from feedback.imports.records import Effect
from tests.feedback.imports import files

EXAMPLES = int(os.environ.get("MARQUEE_FUZZ_EXAMPLES", "150"))
# Times the largest file: what one small file may cost to be read.
MAX_BYTES = 64 * 1024 * 1024
NAMES = st.sampled_from(
    ["x.zip", "ratings.csv", "watched.csv", "watchlist.csv", "diary.csv", "r.json", "", "a/b\0.csv"]
)
SEEDS = [
    files.letterboxd_zip(),
    files.trakt_zip(),
    *(text.encode() for text in (files.RATINGS, files.DIARY, files.LIST, files.IMDB_RATINGS)),
    *(text.encode() for text in (files.IMDB_WATCHLIST, files.MOVIELENS, files.REVIEWS)),
]
HEADS = [text.splitlines()[0] for text in (files.RATINGS, files.DIARY, files.REVIEWS)] + [
    *(text.splitlines()[0] for text in (files.IMDB_RATINGS, files.IMDB_WATCHLIST)),
    *("userId,movieId,rating,timestamp", "movie_id,imdb_id,tmdb_id,rating,title"),
]
CELLS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["0", "5", "nan", "-1", "1e999", "2021-02-30", "0000-00-00", "tt0", "\u0663"]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["movie", "ids", "imdb", "tmdb", "title", "year", "rating", "rated_at"])
            | st.sampled_from(
                ["watched_at", "listed_at", "film", "stars", "kind", "answers", "films"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


def answers(content: bytes, name: str) -> None:
    """Rows that can be kept, or a sentence; within bounds."""
    tracemalloc.start()
    try:
        n_rows = 0
        for row in read_upload(content, name).rows:
            n_rows += 1
            for effect in row.effects:
                kept = json.dumps(effect.to_json())
                assert "\\u0000" not in kept
                assert Effect.from_json(json.loads(kept)) == effect
            if row.film:
                assert (row.film.title + row.film.original_title).encode() is not None
        assert n_rows <= MAX_ROWS
    except ImportFileError as error:
        said = str(error)
        assert said.endswith((".", ")"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MAX_BYTES


@settings(max_examples=EXAMPLES)
@given(content=st.binary(max_size=400), name=NAMES)
def test_any_bytes(content, name):
    answers(content, name)


@settings(max_examples=EXAMPLES)
@given(seed=st.sampled_from(SEEDS), name=NAMES, data=st.data())
def test_real_files_with_bytes_changed_lost_or_added(seed, name, data):
    content = bytearray(seed)
    for _n in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content)))
        piece = data.draw(st.binary(max_size=4))
        content[at : at + data.draw(st.integers(0, 8))] = piece
    answers(bytes(content), name)


@settings(max_examples=EXAMPLES)
@given(
    head=st.sampled_from(HEADS),
    rows=st.lists(st.lists(CELLS, max_size=9), max_size=8),
    name=NAMES,
    is_zipped=st.booleans(),
)
def test_tables_with_any_cells(head, rows, name, is_zipped):
    text = "\n".join([head, *(",".join(cells) for cells in rows)])
    content = text.encode("utf-8", "surrogatepass")
    answers(files.zipped({"a/ratings.csv": content}) if is_zipped else content, name)


@settings(max_examples=EXAMPLES)
@given(elements=st.lists(JSON, max_size=4), is_own=st.booleans())
def test_json_with_any_elements(elements, is_own):
    text = json.dumps([{"rated_at": None}, *elements])
    if not is_own:
        answers(text.encode(), "ratings.json")
        return
    sections = ("taste", "ratings", "reactions", "watchlist", "diary", "lists", "quiz", "log")
    manifest = {"format": "marquee-export", "version": 1}
    content = files.zipped(
        {"marquee.json": json.dumps(manifest), **{f"json/{name}.json": text for name in sections}}
    )
    answers(content, "x.zip")
