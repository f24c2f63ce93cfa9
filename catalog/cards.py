"""What a film card shows; higher apps fill in the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from typing_extensions import TypeVar

from catalog.card_films import CardFilm
from catalog.models import Movie

Film = TypeVar("Film", Movie, CardFilm, default=Movie)


@dataclass(frozen=True)
class ReasonPart:
    """One stretch of a reason: ``is_strong`` parts are set in the accent colour."""

    text: str
    is_strong: bool = False


@dataclass(frozen=True)
class MovieCard(Generic[Film]):
    """A film on a page, and why it is there.

    ``request_id`` and ``position`` tie what a person does to the slate that showed the film; cards
    outside a slate have neither.
    """

    movie: Film
    reason: tuple[ReasonPart, ...] = ()
    source: str = ""
    score: float | None = None
    request_id: str = ""
    position: int | None = None
    surface: str = ""
    # What the person would give it, in words; empty where we do not say.
    guess: str = ""
    # Short words for why, each true of this film in this list.
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class MovieRow:
    """A titled row of cards; the title is a sentence that says why these films."""

    slug: str
    title: tuple[ReasonPart, ...]
    cards: tuple[MovieCard, ...]
    more_url: str = ""
    note: str = ""
