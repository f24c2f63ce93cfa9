"""The sources of candidates that can be asked for by name: what they are and what they may cost.

``hybrid`` is the served policy; its own sources are fitted, weighed and promoted with it. All
others are model versions of their own (kind = the source's name), trained by ``manage.py train
--sources`` or on schedule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HYBRID = "hybrid"
LIKED = 4.0  # stars from which a rating counts as a wish for more
# The films with most events: the fit grows with the cube of their number, and rare ones have
# nothing to learn an order from (3,000 of ml-latest-small's 4,980: one second instead of five).
# All events, not only liked films: who came back watched what people with the same films watched
# (ml-latest-small, validation: NDCG@100 .0739 against .0633 with recency, .0552 and .0557 without),
# and both sources share one table.
EDLAE = {"l2": 200.0, "n_kept": 400}
SLIT = {"n_kept": 400, "max_films": 3000}
# Of millions of events a table of all pairs: 1.6 GB dense for 20 million of 20,000 films. Without
# the smaller ones lists are as good (validation, paired, 95 %: ML-1M last-out NDCG@10 +.0001
# [-.0001, .0003], who came back +.0001 [-.0003, .0004]; ml-latest-small the same).
TRANSITION = {"n_kept": 400}
RECENT = {"decay": 0.8, "floor": 0.02}  # the latest film counts in full, the 18th least


class Tier(StrEnum):
    """When a source is trained."""

    POLICY = "policy"  # what is served where nothing else is asked for
    BLEND = "blend"  # with the policy, which may give it a weight
    LIGHT = "light"  # seconds: beside every training
    HEAVY = "heavy"  # minutes: by schedule, or when asked to


class UnknownSourceError(ValueError):
    """No source of that name; the message lists those there are."""


class SourceNotTrainedError(UnknownSourceError):
    """The source exists, but no model of it was trained yet; the message says how to."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source. ``model`` and ``params`` name what ``ml`` fits.

    ``quota`` is how many films it may put into a list's candidates; ``budget_ms`` is what it may
    take for one person before it counts as too slow (:mod:`recommendations.candidates`).
    ``is_wide`` sources know films by their facts and cover the whole catalogue, ratings or not;
    ``max_items`` bounds those that hold a dense table of films by films while fitting.
    """

    name: str
    label: str | Promise  # for people
    model: str
    tier: Tier
    params: dict[str, Any] = field(default_factory=dict)
    is_linear: bool = True
    quota: int = 100
    budget_ms: float = 250.0
    is_wide: bool = False
    max_items: int | None = None


SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(HYBRID, _("Everything together"), "hybrid", Tier.POLICY),
        # The blend's own. Weights are chosen by validation; one of 0 is served by name only.
        Source(
            "edlae",
            _("People with your taste"),
            "edlae",
            Tier.BLEND,
            EDLAE,
        ),
        Source(
            "edlae_recent",
            _("People with your latest taste"),
            "edlae",
            Tier.BLEND,
            {**EDLAE, **RECENT},
        ),
        Source("slit", _("What usually comes next"), "slit", Tier.BLEND, SLIT),
        Source(
            "transition",
            _("Watched right after"),
            "transition",
            Tier.BLEND,
            TRANSITION,
        ),
        Source(
            "item_item",
            _("Film to film"),
            "item_item",
            Tier.BLEND,
            {"n_neighbors": 100, "shrinkage": 20.0, "min_rating": LIKED},
        ),
        Source(
            "als",
            _("Hidden patterns"),
            "als",
            Tier.BLEND,
            {"n_factors": 64, "n_epochs": 12, "min_rating": LIKED},
        ),
        Source("popularity", _("Popular"), "popularity", Tier.BLEND, {"min_rating": LIKED}),
        # Seconds to fit; no part of the blend.
        Source("trending", _("Trending now"), "trending", Tier.LIGHT),
        Source("genre_cosine", _("Your genres"), "genre_cosine", Tier.LIGHT, is_wide=True),
        Source("genre_neighbors", _("Same kinds of film"), "genre_neighbors", Tier.LIGHT),
        Source(
            "pearson",
            _("Rated alike"),
            "item_item",
            Tier.LIGHT,
            {"kind": "pearson", "shrinkage": 50.0, "min_common": 5},
            max_items=10_000,
        ),
        Source(
            "graph_filter",
            _("Neighbours of neighbours"),
            "graph_filter",
            Tier.LIGHT,
            max_items=10_000,
        ),
        Source("semantic", _("About the same things"), "semantic", Tier.LIGHT, is_wide=True),
        Source("cold_map", _("New films for your taste"), "cold_map", Tier.LIGHT, is_wide=True),
        Source("logistic", _("Films like yours (logistic regression)"), "logistic", Tier.LIGHT),
        # Minutes to fit.
        Source("lightgcn", _("Graph network"), "lightgcn", Tier.HEAVY),
        Source("two_tower", _("Two towers"), "two_tower", Tier.HEAVY, is_linear=False),
        Source("sequential", _("Your latest films"), "sequential", Tier.HEAVY, is_linear=False),
        Source(
            "neural_rating",
            _("Stars you would give (neural network)"),
            "neural_rating",
            Tier.HEAVY,
            is_linear=False,
        ),
        Source(
            "bayesian_mf",
            _("Stars you would give (Bayesian)"),
            "bayesian_mf",
            Tier.HEAVY,
            is_linear=False,
            budget_ms=1000.0,
        ),
        Source("hgb", _("Ranked by boosted trees"), "hgb_ranker", Tier.HEAVY, is_linear=False),
        Source("lambdamart", _("Ranked as a list"), "lambdamart", Tier.HEAVY, is_linear=False),
    )
}

# Other names of the same: ``ease`` in its better form, and what one of Marquee's forerunners
# called its three recommenders.
ALIASES = {"ease": "edlae", "baseline": "genre_cosine", "cf": "edlae", "auto": HYBRID}


def source_named(name: str) -> Source:
    """The source called ``name``, or known by it as an alias. Raises UnknownSourceError."""
    found = SOURCES.get(ALIASES.get(name, name))
    if found is None:
        names = ", ".join((*SOURCES, *ALIASES))
        raise UnknownSourceError(f"There is no source {name!r}. Known: {names}.")
    return found


def sources_of(*tiers: Tier) -> list[Source]:
    """The sources of these tiers, in the registry's order."""
    return [source for source in SOURCES.values() if source.tier in tiers]


def sources_named(names: Iterable[str]) -> list[Source]:
    """Sources that can be trained on their own, by name or alias; ``light``, ``heavy`` and ``all``
    stand for several. Raises UnknownSourceError."""
    found: dict[str, Source] = {}
    groups = {
        "light": sources_of(Tier.LIGHT),
        "heavy": sources_of(Tier.HEAVY),
        "all": sources_of(Tier.LIGHT, Tier.HEAVY),
    }
    for name in names:
        for source in groups.get(name) or [source_named(name)]:
            if source.tier in (Tier.POLICY, Tier.BLEND):
                raise UnknownSourceError(
                    f"{source.name} is trained with the served policy: manage.py train."
                )
            found[source.name] = source
    return list(found.values())
