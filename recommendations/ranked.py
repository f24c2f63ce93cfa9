"""What the pipeline answers: films in order, each with the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from catalog.cards import ReasonPart
from recommendations.trial import Trial


class EvidencePart(NamedTuple):
    """One film of the person's history and its part of the score.

    ``share`` is its part of everything that speaks for the film (0..1).
    """

    movie_id: int
    contribution: float
    share: float


class SourcePart(NamedTuple):
    """What one source of a blend adds to the score: the same sum, cut the other way."""

    source: str
    contribution: float


class FeaturePart(NamedTuple):
    """A feature that a learner ranked by, its value, and what it adds to the score."""

    name: str
    value: float
    contribution: float


class TermPart(NamedTuple):
    """What a step of re-ranking adds to the score; names are those of ``ml.shortlist.TERMS``."""

    name: str
    contribution: float
    share: float = 0.0


@dataclass(frozen=True)
class RankedFilm:
    """A film in a list. ``score`` is None where a fallback filled the place.

    Otherwise ``baseline``, the contributions of ``evidence``, ``features`` and ``terms``, and
    ``other`` add up to it; so do the contributions of ``by_source``, where a blend made the score.
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
    features: tuple[FeaturePart, ...] = ()
    by_source: tuple[SourcePart, ...] = ()
    terms: tuple[TermPart, ...] = ()
    # How much of the person's genre mix the film's genres cover, 0..1; None where nobody looked.
    genre_match: float | None = None
    # The chance that the policy gave this film this place; None where nobody knows it.
    propensity: float | None = 1.0
    # Of an interleaved list: A or B, whose film it is.
    team: str = ""
    # A reason that is no evidence from the history: why the film answers what was asked.
    reason: tuple[ReasonPart, ...] = ()

    @property
    def total(self) -> float:
        """The sum of all parts."""
        films = sum(part.contribution for part in self.evidence)
        features = sum(part.contribution for part in self.features)
        terms = sum(part.contribution for part in self.terms)
        return self.baseline + films + features + terms + self.other

    def with_shares(self) -> RankedFilm:
        """The same film with its score and all shares made anew from the contributions."""
        parts = [part.contribution for part in self.evidence]
        parts += [part.contribution for part in self.features]
        parts += [part.contribution for part in self.terms]
        positive = sum(max(0.0, part) for part in (*parts, self.baseline, self.other))
        scale = 1.0 / positive if positive > 0 else 0.0
        evidence = sorted(self.evidence, key=lambda part: -part.contribution)
        return replace(
            self,
            score=self.total,
            evidence=tuple(p._replace(share=p.contribution * scale) for p in evidence),
            terms=tuple(p._replace(share=p.contribution * scale) for p in self.terms),
        )

    def shortened(self, n_parts: int) -> RankedFilm:
        """The same film with its ``n_parts`` strongest parts; the rest of them in ``other``."""
        if len(self.evidence) <= n_parts and len(self.features) <= n_parts:
            return self
        rest = sum(part.contribution for part in self.evidence[n_parts:])
        rest += sum(part.contribution for part in self.features[n_parts:])
        return replace(
            self,
            evidence=self.evidence[:n_parts],
            features=self.features[:n_parts],
            other=self.other + rest,
        )


@dataclass(frozen=True)
class RankedList:
    """A person's list. ``fallback`` names what stood in for the wished source, if anything did."""

    films: tuple[RankedFilm, ...]
    source: str
    # The films' evidence where it was made to be stored (recommendations.evidence_columns).
    packed: bytes = b""
    model_version: str = ""
    model_version_id: int | None = None
    generation: int = 0
    n_history: int = 0
    fallback: str = ""
    is_stored: bool = False
    # The sources that could have been asked for.
    source_names: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    # Sources that were left out of this list, and why; how long each stage took.
    skipped: dict[str, str] = field(default_factory=dict)
    stages_ms: dict[str, float] = field(default_factory=dict)
    # What re-ranking went by, as the slate log keeps it (ListContext.to_json).
    context: dict[str, Any] = field(default_factory=dict)
    # What was asked for in so many words, where something was (the quiz's answers).
    answers: dict[str, object] = field(default_factory=dict)
    # What an experiment did with the list, and the policy that it had make it.
    trial: Trial | None = None
    policy: str = ""
