"""What an experiment says at a moment: computed from the log, kept as a reading, made again."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np

from ml.experiments.arms import Difference, difference
from ml.experiments.mismatch import Mismatch, mismatch
from ml.experiments.sequential import ALPHA, Path, mean_sequence, more_needed
from recommendations.experiments.models import Assignment, Experiment
from recommendations.experiments.outcomes import Drafts, Split, draft_outcomes, split_outcomes

POINTS = 60  # of the chart
GUARD_ALPHA = 0.01
MAX_FILLED = 0.05  # more of B's lists than of A's that popular films had to fill
DIGITS = 10  # of stored figures: what JSON and sums in another order leave alone


class Answer(StrEnum):
    """The whole of it in one word."""

    BETTER = "b_better"
    WORSE = "a_better"
    ALIKE = "alike"
    UNKNOWN = "unknown"
    TOO_FEW = "too_few"
    BROKEN = "broken"


class Guard(StrEnum):
    """What stops an experiment by itself."""

    MISMATCH = "mismatch"
    HARM = "harm"
    NOES = "noes"
    FILLED = "filled"


@dataclass(frozen=True)
class Verdict:
    """``estimate`` and its interval are B against A: likes per list (split), or preference.

    Bounds are None while nothing can be said. ``points`` are (observations, mean, lower, upper).
    ``tripped`` are guards; ``more`` is how many more people or lists would do.
    """

    answer: str
    n: int
    n_a: int
    n_b: int
    n_lists: int
    n_people: int
    n_waiting: int
    estimate: float
    lo: float | None
    hi: float | None
    p_value: float
    mean_a: float | None
    mean_b: float | None
    matters: float
    more: int | None
    explained: float
    split_p_value: float
    split_e_value: float
    noes: float
    noes_lo: float | None
    noes_hi: float | None
    filled: float
    tripped: tuple[str, ...] = ()
    points: tuple[tuple[int, float, float, float], ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """As a reading keeps it."""
        return _rounded(asdict(self))

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> Verdict:
        """The verdict that ``to_json`` describes."""
        points = tuple((int(n), m, lo, hi) for n, m, lo, hi in kept["points"])
        return cls(**{**kept, "points": points, "tripped": tuple(kept["tripped"])})


def verdict_from_log(experiment: Experiment, *, upto: datetime) -> Verdict:
    """Everything anew from what was logged until ``upto``."""
    if experiment.kind == Experiment.Kind.INTERLEAVED:
        return _of_drafts(experiment, draft_outcomes(experiment, upto=upto))
    assigned = Assignment.objects.filter(experiment=experiment, created_at__lte=upto)
    n_b = assigned.filter(arm=Assignment.Arm.B).count()
    counts = (assigned.count() - n_b, n_b)
    return _of_split(experiment, split_outcomes(experiment, upto=upto), counts)


def _of_split(experiment: Experiment, found: Split, assigned: tuple[int, int]) -> Verdict:
    likes = _difference(experiment, found.likes, found, covariate=found.before)
    noes = _difference(experiment, found.noes, found, alpha=GUARD_ALPHA)
    filled = _difference(experiment, found.filled, found, alpha=GUARD_ALPHA)
    sizes = mismatch(assigned, (1.0, 1.0))
    matters = experiment.min_effect * likes.mean_control
    gap = filled.mean_treatment - filled.mean_control
    tripped = _tripped(likes.path, noes.path, sizes)
    if math.isfinite(gap) and gap > MAX_FILLED and _last(filled.path.lo) > 0:
        tripped = (*tripped, Guard.FILLED)
    return _verdict(
        experiment, likes.path, noes.path, sizes,
        matters=matters if math.isfinite(matters) else 0.0,
        tripped=tripped,
        n_a=likes.n_control, n_b=likes.n_treatment,
        n_lists=found.n_lists, n_people=len(found.arm), n_waiting=found.n_waiting,
        mean_a=_finite(likes.mean_control), mean_b=_finite(likes.mean_treatment),
        explained=likes.explained,
        filled=gap if math.isfinite(gap) else 0.0,
    )  # fmt: skip


def _of_drafts(experiment: Experiment, found: Drafts) -> Verdict:
    likes = mean_sequence(found.likes, n_target=experiment.n_target)
    noes = mean_sequence(found.noes, n_target=experiment.n_target, alpha=GUARD_ALPHA)
    sizes = mismatch((found.n_first_a, found.n_first_b), (1.0, 1.0))
    n = len(found.likes)
    return _verdict(
        experiment, likes, noes, sizes,
        matters=experiment.min_effect,
        tripped=_tripped(likes, noes, sizes),
        n_a=found.likes_a, n_b=found.likes_b,
        n_lists=n, n_people=found.n_people, n_waiting=found.n_waiting,
        mean_a=found.likes_a / n if n else None, mean_b=found.likes_b / n if n else None,
        explained=0.0, filled=0.0,
    )  # fmt: skip


def _difference(
    experiment: Experiment,
    outcome: np.ndarray,
    found: Split,
    *,
    covariate: np.ndarray | None = None,
    alpha: float = ALPHA,
) -> Difference:
    return difference(
        outcome, found.arm, covariate=covariate, alpha=alpha, n_target=experiment.n_target
    )


def _tripped(likes: Path, noes: Path, sizes: Mismatch) -> tuple[str, ...]:
    found = [Guard.MISMATCH] if sizes.is_alarm else []
    if len(likes) and likes.hi[-1] < 0:
        found.append(Guard.HARM)
    if len(noes) and noes.lo[-1] > 0:
        found.append(Guard.NOES)
    return tuple(found)


def _verdict(
    experiment: Experiment,
    likes: Path,
    noes: Path,
    sizes: Mismatch,
    *,
    matters: float,
    tripped: tuple[str, ...],
    **figures: Any,
) -> Verdict:
    lo, hi = _last(likes.lo, -math.inf), _last(likes.hi, math.inf)
    if sizes.is_alarm:
        answer = Answer.BROKEN
    elif not math.isfinite(lo):
        answer = Answer.TOO_FEW
    elif lo > 0:
        answer = Answer.BETTER
    elif hi < 0:
        answer = Answer.WORSE
    elif -matters < lo and hi < matters:
        answer = Answer.ALIKE
    else:
        answer = Answer.UNKNOWN
    return Verdict(
        answer=answer.value,
        n=len(likes),
        estimate=_last(likes.mean),
        lo=_finite(lo),
        hi=_finite(hi),
        p_value=_last(likes.p_value, 1.0),
        matters=matters,
        more=_more(experiment, likes, matters) if answer is Answer.UNKNOWN else None,
        split_p_value=sizes.p_value,
        split_e_value=sizes.e_value,
        noes=_last(noes.mean),
        noes_lo=_finite(_last(noes.lo, -math.inf)),
        noes_hi=_finite(_last(noes.hi, math.inf)),
        tripped=tuple(str(guard) for guard in tripped),
        points=_points(likes),
        **figures,
    )


def _more(experiment: Experiment, path: Path, matters: float) -> int | None:
    """Until 0 leaves the interval, if the difference stays; or until it is known not to matter."""
    width = max(abs(float(path.mean[-1])), matters)
    return more_needed(
        n=len(path),
        deviation=float(path.deviation[-1]),
        width=width,
        n_target=experiment.n_target,
    )


def _points(path: Path) -> tuple[tuple[int, float, float, float], ...]:
    """Evenly over the observations from the first that said anything to the last."""
    ready = np.flatnonzero(np.isfinite(path.lo))
    if not len(ready):
        return ()
    at = np.unique(np.linspace(ready[0], len(path) - 1, POINTS).round().astype(int))
    at = at[np.isfinite(path.lo[at])]
    return tuple(
        (int(i) + 1, float(path.mean[i]), float(path.lo[i]), float(path.hi[i])) for i in at
    )


def _last(values: np.ndarray, instead: float = 0.0) -> float:
    return float(values[-1]) if len(values) else instead


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    return value
