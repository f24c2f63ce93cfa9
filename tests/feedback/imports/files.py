"""Files as the services give them, made by the tests."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

RATINGS = """Date,Name,Year,Letterboxd URI,Rating
2021-05-03,Heat,1995,https://boxd.it/2a1m,4.5
2021-05-04,Ronin,1998,https://boxd.it/2b2b,0
,Alien,1979,https://boxd.it/2awY,5
"""
WATCHED = """Date,Name,Year,Letterboxd URI
2021-05-03,Heat,1995,https://boxd.it/2a1m
2021-05-05,Amélie,2001,https://boxd.it/2cUk
"""
DIARY = """Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date
2021-05-04,Heat,1995,https://boxd.it/1,4,,,2021-05-03
2022-01-02,Heat,1995,https://boxd.it/2,4.5,Yes,"cinema, late",2022-01-01
2022-02-02,Amélie,2001,https://boxd.it/3,3,,,2022-02-01
2022-02-02,Ronin,1998,https://boxd.it/4,,,,
"""
REVIEWS = """Date,Name,Year,Letterboxd URI,Rating,Rewatch,Review,Tags,Watched Date
2022-01-02,Heat,1995,https://boxd.it/2,4.5,Yes,"Slow, and
perfect.","cinema, late",2022-01-01
"""
WATCHLIST = """Date,Name,Year,Letterboxd URI
2021-06-01,Stalker,1979,https://boxd.it/28yk
"""
LIKES = """Date,Name,Year,Letterboxd URI
2021-05-03,Heat,1995,https://boxd.it/2a1m
"""
LIST = """Letterboxd list export v7
Date,Name,Tags,URL,Description
2021-07-01,Night trains,,https://boxd.it/abc,"Rails, dark"

Position,Name,Year,URL,Description
1,Stalker,1979,https://boxd.it/28yk,the trolley
2,Heat,1995,https://boxd.it/2a1m,
"""


def letterboxd_zip(**more: str) -> bytes:
    """The archive as it comes: all in a folder, with files that nobody asked for."""
    files = {
        "profile.csv": "Date Joined,Username\n2020-01-01,ada\n",
        "ratings.csv": RATINGS,
        "watched.csv": WATCHED,
        "diary.csv": DIARY,
        "reviews.csv": REVIEWS,
        "watchlist.csv": WATCHLIST,
        "likes/films.csv": LIKES,
        "lists/night-trains.csv": LIST,
        "deleted/diary.csv": DIARY.replace("Heat,1995", "Jaws,1975"),
        **more,
    }
    return zipped({f"letterboxd-ada-2024/{path}": text for path, text in files.items()})


def zipped(files: dict[str, str | bytes]) -> bytes:
    """A ZIP of these."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return out.getvalue()


IMDB_RATINGS = (
    "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),"
    "Year,Genres,Num Votes,Release Date,Directors\n"
    "tt0113277,9,2021-05-03,Heat,Heat,https://www.imdb.com/title/tt0113277,Movie,8.3,170,1995,"
    '"Crime, Drama",1,1995-12-15,Michael Mann\n'
    "tt0903747,10,2021-05-03,Breaking Bad,Breaking Bad,,TV Series,9.5,49,2008,Crime,1,2008-01-20,\n"
    "tt0122690,7,,Ronin,Ronin,,Movie,7.2,122,1998,Action,1,1998-09-25,John Frankenheimer\n"
)
IMDB_WATCHLIST = (
    "Position,Const,Created,Modified,Description,Title,Original Title,URL,Title Type,IMDb Rating,"
    "Runtime (mins),Year,Genres,Num Votes,Release Date,Directors,Your Rating,Date Rated\n"
    "1,tt0079944,2021-06-01,2021-06-01,,Stalker,Сталкер,,Movie,8.1,162,1979,Drama,1,1979-05-25,"
    "Andrei Tarkovsky,,\n"
)
MOVIELENS = "userId,movieId,rating,timestamp\n1,6,4.5,1620000000\n1,8798,3,1620000001\n"
HEAT = {"title": "Heat", "year": 1995, "ids": {"trakt": 1, "imdb": "tt0113277", "tmdb": 949}}
STALKER = {"title": "Stalker", "year": 1979, "ids": {"imdb": "tt0079944", "tmdb": 1398}}


def trakt_zip() -> bytes:
    """Ratings, plays, the watchlist and a list, with a series among them."""
    files: dict[str, Any] = {
        "ratings-movies.json": [
            {"rated_at": "2021-05-03T20:15:00.000Z", "rating": 9, "type": "movie", "movie": HEAT}
        ],
        "ratings-shows.json": [
            {"rated_at": "2021-05-03T20:15:00.000Z", "rating": 9, "show": {"title": "The Wire"}}
        ],
        "watched-history-1.json": [
            {"watched_at": "2022-01-01T23:10:00.000Z", "action": "watch", "movie": HEAT},
            {"watched_at": "2021-05-03T19:10:00.000Z", "action": "watch", "movie": HEAT},
        ],
        "lists-watchlist.json": [{"listed_at": "2021-06-01T00:00:00.000Z", "movie": STALKER}],
        "lists-lists.json": [
            {
                "name": "Night trains!",
                "description": "dark",
                "item_count": 1,
                "ids": {"trakt": 5, "slug": "night-trains"},
            }
        ],
        "lists-list-5-night-trains.json": [
            {"listed_at": "2021-06-01T00:00:00.000Z", "notes": "the trolley", "movie": STALKER}
        ],
    }
    return zipped({path: json.dumps(content) for path, content in files.items()})
