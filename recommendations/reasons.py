"""Evidence in words: every sentence here is true of the film it stands under."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.card_films import CardFilm
from catalog.cards import ReasonPart
from catalog.models import Movie
from catalog.numbers import count_text
from ml.explain import Tag, whole_percentages
from recommendations.ranked import EvidencePart, RankedFilm

MAX_NAMED = 2  # more films than two in a reason are not read
MIN_SHARE = 0.02  # below two per cent a film explains nothing


TAG_LABELS: dict[Tag, str | Promise] = {
    Tag.BECAUSE_WATCHED: gettext_lazy("Because you watched %(title)s"),
    Tag.BOOSTED_BY_LIKES: gettext_lazy("Boosted by your likes"),
    Tag.SIMILAR_TASTE: gettext_lazy("Similar to your taste"),
    Tag.MATCHES_GENRES: gettext_lazy("Matches your genres"),
    Tag.TRENDING_NOW: gettext_lazy("Trending now"),
}


def evidence_movie_ids(films: Iterable[RankedFilm]) -> set[int]:
    """The films whose titles the reasons will name."""
    return {part.movie_id for film in films for part in named_parts(film)}


def reason_for(
    film: RankedFilm, movie: Movie | CardFilm, titles: Mapping[int, str], *, is_simulated: bool
) -> tuple[ReasonPart, ...]:
    """ "61 % Heat · 22 % Collateral": exact shares of what speaks for the film.

    Without evidence from the person's own history, how many people rated the film;
    ``is_simulated`` says that these people are made up. A film that came with a reason of its own
    keeps it.
    """
    if film.reason:
        return film.reason
    named = [part for part in named_parts(film) if part.movie_id in titles]
    if not named:
        return popularity_reason(movie, is_simulated=is_simulated)
    shares = [part.share for part in named]
    percentages = whole_percentages([*shares, max(0.0, 1.0 - sum(shares))])
    parts: list[ReasonPart] = []
    for part, percentage in zip(named, percentages, strict=False):
        if parts:
            parts.append(ReasonPart(" · "))
        # A line never ends between the number and its sign.
        parts.append(ReasonPart(f"{percentage}\u00a0% "))
        parts.append(ReasonPart(titles[part.movie_id], is_strong=True))
    return tuple(parts)


def popularity_reason(movie: Movie | CardFilm, *, is_simulated: bool) -> tuple[ReasonPart, ...]:
    """How many people rated a film; films that nobody rated say that they are new."""
    if not movie.rating_count:
        return (ReasonPart(_("New in the catalogue")),)
    if is_simulated:
        said = ngettext("%(n)s simulated rating", "%(n)s simulated ratings", movie.rating_count)
    else:
        said = ngettext("%(n)s person rated it", "%(n)s people rated it", movie.rating_count)
    return (ReasonPart(said % {"n": count_text(movie.rating_count)}),)


def named_parts(film: RankedFilm) -> list[EvidencePart]:
    """The films of the history that the reason names, the strongest first."""
    return [part for part in film.evidence if part.share >= MIN_SHARE][:MAX_NAMED]


def tag_texts(film: RankedFilm, found: Iterable[Tag], titles: Mapping[int, str]) -> tuple[str, ...]:
    """The tags in words; one that would name a film without a title is left out."""
    said = []
    for tag in found:
        title = titles.get(film.evidence[0].movie_id, "") if film.evidence else ""
        if tag is Tag.BECAUSE_WATCHED and not title:
            continue
        said.append(str(TAG_LABELS[tag]) % {"title": title})
    return tuple(said)
