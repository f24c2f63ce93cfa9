"""What the pipeline answers: films in order, each with the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from catalog.cards import ReasonPart


@dataclass(frozen=True)
class EvidencePart:
    """One film of the person's history and its part of the score.

    ``share`` is its part of everything that speaks for the film (0..1).
    """

    movie_id: int
    contribution: float
    share: float


@dataclass(frozen=True)
class RankedFilm:
    """A film in a list. ``score`` is None where a fallback filled the place.

    Otherwise ``baseline``, the contributions of ``evidence`` and ``other`` add up to it.
    """

    movie_id: int
    source: str
    score: float | None = None
    # The part of the score that does not come from the person's history.
    baseline: float = 0.0
    evidence: tuple[EvidencePart, ...] = ()
    # The contributions of films of the history that ``evidence`` does not list (stored lists keep
    # the strongest only).
    other: float = 0.0
    # A reason that is no evidence from the history: why the film answers what was asked.
    reason: tuple[ReasonPart, ...] = ()

    @property
    def total(self) -> float:
        """The sum of all parts."""
        return self.baseline + sum(part.contribution for part in self.evidence) + self.other

    def shortened(self, n_parts: int) -> RankedFilm:
        """The same film with its ``n_parts`` strongest parts; the rest of them in ``other``."""
        rest = sum(part.contribution for part in self.evidence[n_parts:])
        return replace(self, evidence=self.evidence[:n_parts], other=self.other + rest)


@dataclass(frozen=True)
class RankedList:
    """A person's list. ``fallback`` names what stood in for the wished source, if anything did."""

    films: tuple[RankedFilm, ...]
    source: str
    model_version: str = ""
    model_version_id: int | None = None
    generation: int = 0
    n_history: int = 0
    fallback: str = ""
    is_stored: bool = False
    # The sources that could have been asked for.
    source_names: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    # What was asked for in so many words, where something was (the quiz's answers).
    answers: dict[str, object] = field(default_factory=dict)
