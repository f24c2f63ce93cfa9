"""How an import stands, for pages and the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from accounts.models import User
from catalog.models import Movie
from catalog.numbers import count_text
from feedback.imports.jobs import KNOWN, waiting_rows
from feedback.imports.matching import REASON_TEXT, Reason
from feedback.imports.models import ImportFilm, ImportJob

State = ImportFilm.State

#: What a change is called, in the order in which changes are told.
_CHANGES = {
    "rating": ngettext_lazy("%(n)s rating", "%(n)s ratings", "n"),
    "rating_changed": ngettext_lazy(
        "%(n)s rating in place of an older one", "%(n)s ratings in place of older ones", "n"
    ),
    "like": ngettext_lazy("%(n)s like", "%(n)s likes", "n"),
    "dislike": ngettext_lazy("%(n)s film not for you", "%(n)s films not for you", "n"),
    "seen": ngettext_lazy("%(n)s film marked as seen", "%(n)s films marked as seen", "n"),
    "watchlist": ngettext_lazy(
        "%(n)s film on your watchlist", "%(n)s films on your watchlist", "n"
    ),
    "diary": ngettext_lazy("%(n)s viewing in your diary", "%(n)s viewings in your diary", "n"),
    "diary_changed": ngettext_lazy(
        "%(n)s viewing with a note more", "%(n)s viewings with a note more", "n"
    ),
    "list": ngettext_lazy("%(n)s list", "%(n)s lists", "n"),
    "list_item": ngettext_lazy("%(n)s film on lists", "%(n)s films on lists", "n"),
    "never": ngettext_lazy("%(n)s film never to show", "%(n)s films never to show", "n"),
    "not_tonight": ngettext_lazy("%(n)s film not tonight", "%(n)s films not tonight", "n"),
    "muted": ngettext_lazy("%(n)s film not to learn from", "%(n)s films not to learn from", "n"),
    "pass": ngettext_lazy("%(n)s film passed over", "%(n)s films passed over", "n"),
    "quiz": ngettext_lazy("%(n)s round of the quiz", "%(n)s rounds of the quiz", "n"),
    "taste": ngettext_lazy("your dials", "your dials", "n"),
}
_LEFT = {
    "rating_older": ngettext_lazy(
        "%(n)s rating stays as it is here: yours here is newer, or the file gives no date",
        "%(n)s ratings stay as they are here: yours here are newer, or the file gives no date",
        "n",
    ),
    "reaction_older": ngettext_lazy(
        "%(n)s like or dislike stays as it is here: yours is newer",
        "%(n)s likes or dislikes stay as they are here: yours are newer",
        "n",
    ),
    "day_to_come": ngettext_lazy(
        "%(n)s viewing is dated in the future and left out",
        "%(n)s viewings are dated in the future and left out",
        "n",
    ),
    "too_many_lists": ngettext_lazy(
        "%(n)s film is left out: there is no room for another list",
        "%(n)s films are left out: there is no room for another list",
        "n",
    ),
    "list_full": ngettext_lazy(
        "%(n)s film is left out: its list is full",
        "%(n)s films are left out: their list is full",
        "n",
    ),
}


@dataclass(frozen=True)
class ReasonCount:
    """How many films were found in one way, and how sure that way is (0 to 100)."""

    text: str
    n: int
    percent: int


@dataclass(frozen=True)
class ImportReport:
    """An import as a person reads it."""

    n_films: int
    n_found: int
    n_check: int
    n_unknown: int
    n_skipped: int
    n_rows: int
    n_waiting: int
    n_written: int
    can_undo: bool
    preview: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    ways: list[ReasonCount] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """ "482 of 500 films found; 11 to check; 7 not in this catalogue"."""
        parts = [
            ngettext(
                "%(found)s of %(n)s film found", "%(found)s of %(n)s films found", self.n_films
            )
            % {"found": count_text(self.n_found), "n": count_text(self.n_films)}
        ]
        if self.n_check:
            parts.append(_("%(n)s to check") % {"n": count_text(self.n_check)})
        if self.n_unknown:
            parts.append(_("%(n)s not in this catalogue") % {"n": count_text(self.n_unknown)})
        if self.n_skipped:
            parts.append(_("%(n)s skipped by you") % {"n": count_text(self.n_skipped)})
        return "; ".join(parts)


def imports_of(user: User) -> QuerySet[ImportJob]:
    """A person's imports, the latest first."""
    return ImportJob.objects.filter(user=user).order_by("-created_at", "-pk")


def import_report(job: ImportJob) -> ImportReport:
    """Counts and sentences; five queries."""
    states = dict(job.films.values_list("state").annotate(n=Count("pk")).order_by("state"))
    n_rows = job.rows.count()
    told = job.changed or {}
    return ImportReport(
        n_films=sum(states.values()),
        n_found=sum(states.get(state.value, 0) for state in KNOWN),
        n_check=states.get(State.CHECK, 0),
        n_unknown=states.get(State.UNKNOWN, 0),
        n_skipped=states.get(State.SKIPPED, 0),
        n_rows=n_rows,
        n_waiting=waiting_rows(job).count(),
        n_written=job.rows.filter(is_applied=True).count(),
        can_undo=job.changes.exists(),
        preview=changes_told(job.preview),
        changed=changes_told(told),
        left=_told(_LEFT, told or job.preview),
        ways=_ways(job),
    )


def changes_told(counts: dict[str, int]) -> list[str]:
    """Counts by kind as phrases: "482 ratings"."""
    return _told(_CHANGES, counts)


def _told(names: dict[str, Any], counts: dict[str, int]) -> list[str]:
    return [str(text % {"n": counts[name]}) for name, text in names.items() if counts.get(name)]


def _ways(job: ImportJob) -> list[ReasonCount]:
    rows = (
        job.films.filter(state__in=KNOWN)
        .values_list("reason", "confidence")
        .annotate(n=Count("pk"))
        .order_by("-confidence", "-n")
    )
    return [
        ReasonCount(str(REASON_TEXT[Reason(reason)]), n, round(100 * confidence))
        for reason, confidence, n in rows
    ]


@dataclass(frozen=True)
class FilmToRepair:
    """A film as the file names it, what the file says of it, and which films it might be."""

    film: ImportFilm
    reason: str
    said: list[str]
    candidates: list[Movie]
    movie: Movie | None
    is_written: bool


def films_to_repair(films: Sequence[ImportFilm]) -> list[FilmToRepair]:
    """With rows and candidates; four queries for a page of them."""
    wanted = {pk for film in films for pk in film.candidate_ids}
    wanted |= {film.movie_id for film in films if film.movie_id}
    movies = {
        movie.pk: movie
        for movie in Movie.objects.visible()
        .filter(pk__in=wanted)
        .defer("search_vector")
        .prefetch_related("genres")
    }
    return [
        FilmToRepair(
            film=film,
            reason=str(REASON_TEXT[Reason(film.reason)]) if film.reason else "",
            said=[said for row in film.rows.all() for said in _said(row.effects)][:6],
            candidates=[movies[pk] for pk in film.candidate_ids if pk in movies],
            movie=movies.get(film.movie_id) if film.movie_id else None,
            is_written=any(row.is_applied for row in film.rows.all()),
        )
        for film in films
    ]


def _said(effects: list[dict[str, Any]]) -> list[str]:
    """What a row says, in a few words each."""
    return [words for effect in effects if (words := _words(effect))]


def _words(effect: dict[str, Any]) -> str:
    verb = effect["verb"]
    on = date_format(date.fromisoformat(str(effect["at"])[:10])) if effect.get("at") else ""
    if verb == "rate":
        shown = effect["stars"].removesuffix(".0")
        what = ngettext("%(stars)s star", "%(stars)s stars", 1 if shown == "1" else 2)
        return " · ".join(part for part in (what % {"stars": shown}, on) if part)
    if verb == "diary":
        day = date_format(date.fromisoformat(effect["day"]))
        return _("watched on %(day)s") % {"day": day}
    if verb == "list":
        return _("on the list “%(name)s”") % {"name": effect.get("list_name", "")}
    known = {
        "seen": _("seen"),
        "like": _("liked"),
        "dislike": _("not for you"),
        "watchlist": _("on your watchlist"),
        "never": _("never to show"),
    }
    return known.get(verb, "")
