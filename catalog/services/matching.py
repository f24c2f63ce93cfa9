"""Which of our films a record speaks of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from catalog.models import ExternalId, Movie
from catalog.services.records import FilmRecord
from catalog.titles import normalize_title

Key = tuple[str, str]


class Matcher:
    """Finds the films of a batch of records, in a fixed number of queries.

    The first id that we know decides, except that TMDB's does not where the film found has another
    IMDb id and another title (TMDB ids in MovieLens' links are sometimes wrong). Records without a
    link to IMDb or TMDB are matched by title and year where exactly one film has both and none of
    the source's own ids.
    """

    def __init__(self, records: Sequence[FilmRecord]) -> None:
        wanted: dict[str, set[str]] = defaultdict(set)
        for record in records:
            for source, value in record.external_ids:
                wanted[source].add(value)
        self.owner: dict[Key, int] = {}
        for kind, values in wanted.items():
            rows = ExternalId.objects.filter(source=kind, value__in=values)
            self.owner.update(
                ((kind, value), movie_id)
                for value, movie_id in rows.values_list("value", "movie_id")
            )
        self._by_title = self._films_by_title(records)
        films = {*self.owner.values(), *(pk for pks in self._by_title.values() for pk in pks)}
        self.ids: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        known = ExternalId.objects.filter(movie_id__in=films)
        for movie_id, kind, value in known.values_list("movie_id", "source", "value"):
            self.ids[movie_id][kind].add(value)
        self.movies: dict[int, Movie] = Movie.objects.defer("search_vector").in_bulk(films)

    def find(self, record: FilmRecord) -> int | None:
        """The id of the film that the record speaks of."""
        for source, value in record.external_ids:
            movie_id = self.owner.get((source, value))
            if movie_id is not None and (
                source != ExternalId.Source.TMDB or self._is_same_film(record, movie_id)
            ):
                return movie_id
        if len(record.external_ids) > 1:
            return None
        own_source = record.external_ids[0][0]
        candidates = [
            pk
            for pk in self._by_title.get((normalize_title(record.title), record.year), ())
            if not self.ids[pk].get(own_source)
        ]
        return candidates[0] if len(candidates) == 1 else None

    def remember(self, record: FilmRecord, movie: Movie) -> None:
        """A film that this batch made or gave an id: later records of the batch find it."""
        self.movies[movie.pk] = movie
        for source, value in record.external_ids:
            if self.owner.setdefault((source, value), movie.pk) == movie.pk:
                self.ids[movie.pk][source].add(value)

    def _is_same_film(self, record: FilmRecord, movie_id: int) -> bool:
        theirs = {value for source, value in record.external_ids if source == "imdb"}
        ours = self.ids[movie_id].get("imdb", set())
        if not theirs or not ours or theirs & ours:
            return True
        movie = self.movies[movie_id]
        years = (movie.year, record.year)
        near = None in years or abs((movie.year or 0) - (record.year or 0)) <= 1
        return near and normalize_title(record.title) in movie.titles_normalized

    @staticmethod
    def _films_by_title(records: Sequence[FilmRecord]) -> dict[tuple[str, int | None], list[int]]:
        linkless = {
            normalize_title(record.title) for record in records if len(record.external_ids) == 1
        }
        found: dict[tuple[str, int | None], list[int]] = defaultdict(list)
        if linkless:
            rows = Movie.objects.filter(title_normalized__in=linkless, year__isnull=False)
            for pk, title, year in rows.values_list("pk", "title_normalized", "year"):
                found[title, year].append(pk)
        return found
