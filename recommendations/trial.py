"""What an experiment does with one list, as the list carries it to the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ml.experiments.exploration import Exploration

SHUFFLED = 24  # places that chance may touch: a page of films


@dataclass(frozen=True)
class Trial:
    """One list under an experiment: ``sources`` is one policy, or two to be interleaved."""

    experiment_id: int
    arm: str
    sources: tuple[str, ...]
    seed: int
    how: Exploration

    def to_json(self) -> dict[str, Any]:
        """As a slate's context keeps it."""
        return {
            "experiment": self.experiment_id,
            "arm": self.arm,
            "sources": list(self.sources),
            "seed": self.seed,
            "epsilon": self.how.epsilon,
            "first": self.how.first,
            "reserve": self.how.reserve,
        }

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> Trial:
        """The trial that ``to_json`` describes."""
        return cls(
            experiment_id=kept["experiment"],
            arm=kept["arm"],
            sources=tuple(kept["sources"]),
            seed=kept["seed"],
            how=Exploration(kept["epsilon"], first=kept["first"], reserve=kept["reserve"]),
        )
