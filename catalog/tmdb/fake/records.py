"""Films out of a table of metadata, in the JSON of TMDB's API version 3."""

from __future__ import annotations

import zlib
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from catalog.titles import normalize_title

# TMDB's own numbers of its genres.
GENRE_IDS = {
    **{"Action": 28, "Adventure": 12, "Animation": 16, "Comedy": 35, "Crime": 80},
    **{"Documentary": 99, "Drama": 18, "Family": 10751, "Fantasy": 14, "History": 36},
    **{"Horror": 27, "Music": 10402, "Mystery": 9648, "Romance": 10749, "Science Fiction": 878},
    **{"TV Movie": 10770, "Thriller": 53, "War": 10752, "Western": 37},
}
PAGE = 20


class Records:
    """Films by TMDB id."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = {row["tmdb_id"]: row for row in rows}

    @classmethod
    def from_file(cls, path: Path) -> Records:
        """A Parquet or CSV table with at least ``tmdb_id`` and ``title``."""
        frame = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
        return cls(frame.to_dicts())

    def __len__(self) -> int:
        return len(self._rows)

    def ids(self) -> list[int]:
        """Every TMDB id."""
        return list(self._rows)

    def movie(self, tmdb_id: int, appended: set[str]) -> dict[str, Any] | None:
        """``/3/movie/{id}``; None where there is no such film."""
        row = self._rows.get(tmdb_id)
        if row is None:
            return None
        answer = {
            **_summary(row),
            "belongs_to_collection": _collection(row),
            "budget": 0,
            "genres": [{"id": _genre_id(name), "name": name} for name in _list(row, "genres")],
            "homepage": "",
            "imdb_id": row.get("imdb_id"),
            "production_countries": [
                {"iso_3166_1": code, "name": code} for code in _list(row, "production_countries")
            ],
            "revenue": 0,
            "runtime": row.get("runtime") or 0,
            "spoken_languages": [
                {"iso_639_1": code, "name": code} for code in _list(row, "spoken_languages")
            ],
            "status": "Released",
            "tagline": row.get("tagline") or "",
        }
        parts = {
            "keywords": _keywords,
            "credits": _credits,
            "release_dates": _releases,
            "watch/providers": _providers,
        }
        for name in appended & parts.keys():
            answer[name] = parts[name](row)
        return answer

    def find(self, imdb_id: str) -> dict[str, Any]:
        """``/3/find/{imdb_id}``."""
        row = self._by_imdb.get(imdb_id)
        return {
            "movie_results": [_summary(row)] if row else [],
            **{f"{kind}_results": [] for kind in ("person", "tv", "tv_episode", "tv_season")},
        }

    def search(self, query: str, year: int | None) -> dict[str, Any]:
        """``/3/search/movie``: films whose title holds the query's words, exact ones first."""
        wanted = normalize_title(query)
        words = set(wanted.split())
        hits = [
            row
            for title, row in self._titles
            if words
            and (title == wanted or words <= set(title.split()))
            and year in (None, row.get("year"))
        ]
        hits = list({row["tmdb_id"]: row for row in hits}.values())
        hits.sort(key=lambda row: (normalize_title(row["title"]) != wanted, row["tmdb_id"]))
        return {
            "page": 1,
            "results": [_summary(row) for row in hits[:PAGE]],
            "total_pages": max(1, -(-len(hits) // PAGE)),
            "total_results": len(hits),
        }

    @cached_property
    def _by_imdb(self) -> dict[str, dict[str, Any]]:
        return {row["imdb_id"]: row for row in self._rows.values() if row.get("imdb_id")}

    @cached_property
    def _titles(self) -> list[tuple[str, dict[str, Any]]]:
        return [
            (normalize_title(title), row)
            for row in self._rows.values()
            for title in {row["title"], row.get("original_title") or row["title"]}
        ]


def _summary(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "adult": bool(row.get("adult")),
        "backdrop_path": row.get("backdrop_path"),
        "id": row["tmdb_id"],
        "title": row["title"],
        "original_title": row.get("original_title") or row["title"],
        "original_language": row.get("original_language") or "en",
        "overview": row.get("overview") or "",
        "poster_path": row.get("poster_path"),
        "media_type": "movie",
        "genre_ids": [_genre_id(name) for name in _list(row, "genres")],
        "popularity": row.get("popularity") or 0.0,
        "release_date": row.get("release_date") or "",
        "video": False,
        "vote_average": row.get("vote_average") or 0.0,
        "vote_count": row.get("vote_count") or 0,
    }


def _list(row: dict[str, Any], name: str) -> list[str]:
    return list(row.get(name) or [])


def _genre_id(name: str) -> int:
    return GENRE_IDS.get(name) or _number(name)


def _number(text: str) -> int:
    """The same number for the same name at every start."""
    return zlib.crc32(text.encode()) & 0x7FFFFFFF


def _collection(row: dict[str, Any]) -> dict[str, Any] | None:
    """The tables do not have it; a row that tests make may."""
    name = row.get("collection")
    if not name:
        return None
    return {"id": _number(name), "name": name, "poster_path": None, "backdrop_path": None}


def _keywords(row: dict[str, Any]) -> dict[str, Any]:
    words = _list(row, "keywords")
    return {"keywords": [{"id": _number(word), "name": word} for word in words]}


def _credits(row: dict[str, Any]) -> dict[str, Any]:
    cast = [
        {
            "id": _number(name),
            "name": name,
            "character": "",
            "order": order,
            "known_for_department": "Acting",
        }
        for order, name in enumerate(_list(row, "cast"))
    ]
    director = row.get("director")
    crew = []
    if director:
        crew.append(
            {
                "id": _number(director),
                "name": director,
                "job": "Director",
                "department": "Directing",
            }
        )
    return {"cast": cast, "crew": crew}


def _releases(row: dict[str, Any]) -> dict[str, Any]:
    rating = row.get("mpaa")
    if not rating:
        return {"results": []}
    release = {
        "certification": rating,
        "type": 3,
        "release_date": f"{row.get('release_date') or '1900-01-01'}T00:00:00.000Z",
        "note": "",
    }
    return {"results": [{"iso_3166_1": "US", "release_dates": [release]}]}


def _providers(row: dict[str, Any]) -> dict[str, Any]:
    """The tables do not have them; a row that tests make may: {"US": {"flatrate": ["Name"]}}."""
    results = {
        country: {
            "link": f"https://www.themoviedb.org/movie/{row['tmdb_id']}/watch?locale={country}",
            **{
                kind: [
                    {"provider_id": _number(name), "provider_name": name, "display_priority": place}
                    for place, name in enumerate(names)
                ]
                for kind, names in offers.items()
            },
        }
        for country, offers in (row.get("watch_providers") or {}).items()
    }
    return {"results": results}
