"""Files become rows: every service's, whole or in part; a broken one gets a sentence that helps."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from datetime import UTC, date, datetime

import pytest

from feedback.imports import archive
from feedback.imports.errors import ImportFileError
from feedback.imports.reading import read_upload
from feedback.imports.records import Verb
from tests.feedback.imports import files


def said(content, name="x.zip"):
    """[(title or ids, verb, what it says)] and the reading."""
    reading = read_upload(content if isinstance(content, bytes) else content.encode(), name)
    found = []
    for row in reading.rows:
        for effect in row.effects:
            who = (row.film.title or dict(row.film.ids)) if row.film else None
            what = effect.stars or effect.day or effect.list_name or None
            found.append((who, effect.verb, what))
    return found, reading


def test_a_letterboxd_archive_gives_everything_once():
    found, reading = said(files.letterboxd_zip())
    assert reading.source == "letterboxd"
    assert found == [
        ("Heat", Verb.RATE, "4.5"),
        ("Ronin", Verb.SEEN, None),  # rated 0: watched, without stars
        ("Alien", Verb.RATE, "5.0"),
        ("Heat", Verb.SEEN, None),
        ("Amélie", Verb.SEEN, None),
        ("Heat", Verb.LIKE, None),
        ("Stalker", Verb.WATCHLIST, None),
        ("Heat", Verb.DIARY, date(2021, 5, 3)),
        ("Heat", Verb.DIARY, date(2022, 1, 1)),
        ("Amélie", Verb.DIARY, date(2022, 2, 1)),
        ("Amélie", Verb.RATE, "3.0"),  # rated in the diary alone
        ("Ronin", Verb.DIARY, date(2022, 2, 2)),  # without its day: the day it was written down
        ("Heat", Verb.DIARY, date(2022, 1, 1)),
        ("Stalker", Verb.LIST, "Night trains"),
        ("Heat", Verb.LIST, "Night trains"),
    ]
    assert reading.notes == []


def test_rewatches_notes_tags_and_missing_dates_are_carried():
    reading = read_upload(files.letterboxd_zip(), "x.zip")
    effects = [(row.section, effect) for row in reading.rows for effect in row.effects]
    review = next(effect for section, effect in effects if section == "reviews.csv")
    assert review.is_rewatch
    assert review.note == "Slow, and\nperfect.\n#cinema, late"
    undated = next(e for s, e in effects if s == "ratings.csv" and e.stars == "5.0")
    assert undated.at is None
    dated = next(e for s, e in effects if s == "ratings.csv" and e.stars == "4.5")
    assert dated.at == datetime(2021, 5, 3, 12, tzinfo=UTC)
    listed = [effect for section, effect in effects if section.startswith("lists/")]
    assert [(e.list_note, e.note) for e in listed] == [
        ("Rails, dark", "the trolley"),
        ("Rails, dark", ""),
    ]


@pytest.mark.parametrize(
    ("name", "text", "verbs"),
    [
        ("ratings.csv", files.RATINGS, [Verb.RATE, Verb.SEEN, Verb.RATE]),
        ("my-ratings (2).csv", files.RATINGS, [Verb.RATE, Verb.SEEN, Verb.RATE]),
        ("watched.csv", files.WATCHED, [Verb.SEEN, Verb.SEEN]),
        ("watchlist.csv", files.WATCHLIST, [Verb.WATCHLIST]),
        ("films.csv", files.LIKES, [Verb.LIKE]),
        ("night-trains.csv", files.LIST, [Verb.LIST, Verb.LIST]),
    ],
)
def test_each_letterboxd_file_alone_will_do(name, text, verbs):
    found, reading = said(text, name)
    assert reading.source == "letterboxd"
    assert [verb for _who, verb, _what in found] == verbs


def test_a_diary_alone_gives_the_stars_of_the_last_rated_viewing():
    found, _reading = said(files.DIARY, "diary.csv")
    assert [(who, what) for who, verb, what in found if verb == Verb.RATE] == [
        ("Heat", "4.5"),
        ("Amélie", "3.0"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators_of_spreadsheets_are_understood(encoding, separator):
    text = files.WATCHED.replace(",", separator).replace("\n", "\r\n")
    found, _reading = said(text.encode(encoding), "watched.csv")
    assert [who for who, _verb, _what in found] == ["Heat", "Amélie"]


def test_imdb_ratings_are_halved_and_series_left_aside():
    found, reading = said(files.IMDB_RATINGS, "ratings.csv")
    assert reading.source == "imdb"
    assert found == [("Heat", Verb.RATE, "4.5"), ("Ronin", Verb.RATE, "3.5")]
    assert reading.notes == ["One row is about a series, an episode or a game, not a film."]
    film = next(read_upload(files.IMDB_RATINGS.encode(), "r.csv").rows).film
    assert film.ids == (("imdb", "tt0113277"),)
    assert film.directors == ("Michael Mann",)


def test_imdb_watchlist_and_lists_are_told_apart_by_name():
    found, _reading = said(files.IMDB_WATCHLIST, "WATCHLIST.csv")
    assert found == [("Stalker", Verb.WATCHLIST, None)]
    found, _reading = said(files.IMDB_WATCHLIST, "Night_trains.csv")
    assert found == [("Stalker", Verb.LIST, "Night trains")]


def test_trakt_gives_ratings_plays_watchlist_and_lists_of_films():
    found, reading = said(files.trakt_zip())
    assert reading.source == "trakt"
    assert found == [
        ("Heat", Verb.RATE, "4.5"),
        ("Heat", Verb.DIARY, date(2022, 1, 1)),
        ("Heat", Verb.DIARY, date(2021, 5, 3)),
        ("Stalker", Verb.WATCHLIST, None),
        ("Stalker", Verb.LIST, "Night trains!"),
    ]
    assert reading.notes == ["One row is about a series, an episode or a game, not a film."]


def test_movielens_files_of_one_person():
    found, reading = said(files.MOVIELENS, "ratings.csv")
    assert reading.source == "movielens"
    assert found == [
        ({"movielens": "6"}, Verb.RATE, "4.5"),
        ({"movielens": "8798"}, Verb.RATE, "3.0"),
    ]
    own = "movie_id,imdb_id,tmdb_id,rating,average_rating,title\n6,113277,949,4.5,3.9,Heat (1995)\n"
    film = next(read_upload(own.encode(), "movielens-ratings.csv").rows).film
    assert film.ids == (("movielens", "6"), ("imdb", "tt0113277"), ("tmdb", "949"))
    assert (film.title, film.year) == ("Heat", 1995)


# --- broken files -----------------------------------------------------------------------------


def bomb() -> bytes:
    return files.zipped({"ratings.csv": b"0" * 30_000_000})


def locked() -> bytes:
    content = bytearray(files.letterboxd_zip())
    # The flag "encrypted" in every entry of the archive's table of contents.
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 8] |= 1
        at = content.find(b"PK\x01\x02", at + 4)
    return bytes(content)


def truncated() -> bytes:
    return files.letterboxd_zip()[:-200]


def flipped() -> bytes:
    """A byte of a packed file is another one."""
    content = bytearray(files.zipped({"ratings.csv": files.RATINGS * 50}))
    content[80] ^= 0xFF
    return bytes(content)


def unusual() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as made:
        made.writestr("ratings.csv", files.RATINGS)
    return out.getvalue()


TWO_PEOPLE = "userId,movieId,rating,timestamp\n1,6,4.5,1\n2,6,4.5,1\n"
HEADLESS = "2021-05-03,Heat,1995,https://boxd.it/2a1m,4.5\n"
DEEP = "[" * 100_000
NEWER = files.zipped({"marquee.json": json.dumps({"format": "marquee-export", "version": 99})})


@pytest.mark.parametrize(
    ("content", "name", "said_so"),
    [
        (b"", "ratings.csv", "is empty"),
        (files.zipped({}), "x.zip", "is empty"),
        (files.RATINGS.encode(), "x.zip", "the file is none"),
        (truncated(), "x.zip", "not downloaded to its end"),
        (flipped(), "x.zip", "cannot be read to its end"),
        (locked(), "x.zip", "password"),
        (unusual(), "x.zip", "unusual way"),
        (bomb(), "x.zip", "far too large"),
        (files.zipped({f"{n}.csv": "" for n in range(2001)}), "x.zip", "more than 2,000 files"),
        (files.zipped({"a/b.txt": "hello", "c.md": "x"}), "x.zip", "No file in this ZIP"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 999, "ratings.csv", "is no text"),
        (HEADLESS.encode(), "ratings.csv", "columns' names"),
        (b"hello", "notes.txt", "columns' names"),
        (files.WATCHED.encode(), "mine.csv", "Give it the name that it had"),
        (TWO_PEOPLE.encode(), "ratings.csv", "several people"),
        (b'[{"rated_at": "2021', "ratings.json", "ends in the middle"),
        (b'{"a": 1}', "ratings.json", "no list of films"),
        (DEEP.encode(), "ratings.json", "ends in the middle"),
        (NEWER, "x.zip", "newer Marquee"),
        (b"Date,Name,Year,Letterboxd URI\n" + b"x" * 2_000_000, "watched.csv", "too long"),
        (
            files.zipped({"ratings.csv": files.RATINGS, "imdb.csv": files.IMDB_RATINGS}),
            "x.zip",
            "several services",
        ),
    ],
)
def test_a_broken_file_gets_a_sentence_that_helps(content, name, said_so):
    with pytest.raises(ImportFileError, match=said_so):
        list(read_upload(content, name).rows)


def test_more_rows_than_allowed_are_refused(monkeypatch):
    monkeypatch.setattr("feedback.imports.tables.MAX_ROWS", 3)
    text = "Date,Name,Year,Letterboxd URI\n" + "2021-05-03,Heat,1995,u\n" * 4
    with pytest.raises(ImportFileError, match="Split the file"):
        list(read_upload(text.encode(), "watched.csv").rows)


def test_a_file_larger_than_allowed_is_refused():
    with pytest.raises(ImportFileError, match="larger than 20 MB"):
        read_upload(b"x" * (archive.MAX_UPLOAD_BYTES + 1), "ratings.csv")


def test_a_lying_archive_is_read_no_further_than_it_declares():
    content = bytearray(files.zipped({"watched.csv": files.WATCHED + "x" * 100_000}))
    at = content.find(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<L", 200)
    with pytest.raises(ImportFileError):
        list(read_upload(bytes(content), "x.zip").rows)
