"""What Prometheus is told of the pipeline. Counted in every process, added up when asked for."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Histogram

from recommendations.candidates import Generation
from recommendations.ranked import RankedList

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

STAGE_SECONDS = Histogram(
    "marquee_pipeline_stage_seconds",
    "Time of one stage of a list that was computed for one person.",
    ["stage"],
    buckets=_BUCKETS_S,
)
SOURCE_SECONDS = Histogram(
    "marquee_source_seconds",
    "Time in which one source scored all films for one person.",
    ["source"],
    buckets=_BUCKETS_S,
)
SOURCE_SKIPPED = Counter(
    "marquee_source_skipped", "Lists that a source was left out of.", ["source", "reason"]
)
LISTS = Counter(
    "marquee_lists",
    "Lists that were handed out, by how they came about.",
    ["source", "fallback", "is_stored"],
)


def note_generation(generation: Generation, *, n_people: int) -> None:
    """Times of sources where one person was asked for; what was skipped always."""
    for name, reason in generation.skipped.items():
        SOURCE_SKIPPED.labels(source=name, reason=reason.partition(":")[0]).inc()
    if n_people == 1:
        for name, took_ms in generation.took_ms.items():
            _of_source(name).observe(took_ms / 1000)


def note_list(ranked: RankedList) -> None:
    """One person's list, as it is handed out."""
    LISTS.labels(
        source=ranked.source,
        fallback=ranked.fallback or "none",
        is_stored=str(ranked.is_stored).lower(),
    ).inc()
    for stage, took_ms in ranked.stages_ms.items():
        _of_stage(stage).observe(took_ms / 1000)


# Looking up a child by its labels costs as much as observing: a list has a dozen of them.
@cache
def _of_source(name: str) -> Histogram:
    return SOURCE_SECONDS.labels(source=name)


@cache
def _of_stage(name: str) -> Histogram:
    return STAGE_SECONDS.labels(stage=name)
