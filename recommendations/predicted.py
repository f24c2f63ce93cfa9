"""The stars that somebody would give, with an interval that holds four times of five.

Never a reason to rank: what people rate highly is not what they watch next.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _

from catalog.numbers import decimal_text, short_text
from feedback.selectors import UserFeedback
from ml.artifacts import ArtifactError, load_model
from ml.idmap import IdMap
from ml.models.star_fold import StarFold
from recommendations.models import ModelVersion
from recommendations.preferences import histories_of

logger = logging.getLogger(__name__)

KIND = "rating"
LEVEL = 0.8
MIN_KNOWN = 3  # with fewer ratings it is the average person who is predicted


@dataclass(frozen=True)
class Prediction:
    """ "We think 4.1, most likely 3.5 to 4.5". All in stars."""

    stars: float
    low: float
    high: float

    @property
    def short(self) -> str:
        """For a card: "We think 4.1 (3.5 to 4.5)"."""
        return _("We think %(stars)s (%(low)s to %(high)s)") % self._shown()

    @property
    def full(self) -> str:
        """For a page."""
        return _("We think %(stars)s of 5, most likely %(low)s to %(high)s.") % self._shown()

    def _shown(self) -> dict[str, str]:
        return {
            "stars": decimal_text(self.stars),
            "low": short_text(self.low),
            "high": short_text(self.high),
        }


@dataclass(frozen=True)
class _Served:
    version_id: int
    model: StarFold
    items: IdMap


_current: _Served | None = None
# The version whose files were damaged when this process looked.
_broken: set[int] = set()


def _served() -> _Served | None:
    """The active version, at the price of one small query; None where there is none to read."""
    global _current  # noqa: PLW0603 - one reference assignment is the whole swap
    version = (
        ModelVersion.objects.filter(kind=KIND, status=ModelVersion.Status.ACTIVE)
        .only("pk", "version", "path", "manifest_sha256")
        .first()
    )
    if version is None or version.pk in _broken:
        return None
    served = _current
    if served is not None and served.version_id == version.pk:
        return served
    try:
        model, manifest = load_model(Path(settings.MODELS_DIR) / version.path)
        if manifest.sha256 != version.manifest_sha256 or not isinstance(model, StarFold):
            raise ArtifactError(f"{version.path} is not the model that was registered")
    except ArtifactError:
        _broken.add(version.pk)
        logger.exception("Model %s cannot be served", version.version)
        return None
    _current = _Served(version.pk, model, IdMap(manifest.metadata["movie_ids"]))
    return _current


def n_known(person: UserFeedback) -> int:
    """How many stars of the person there are to go by."""
    return sum(event.stars is not None for event in person.history)


def predictions_for(person: UserFeedback, movie_ids: Sequence[int]) -> dict[int, Prediction]:
    """By film id; films that the model does not know are absent, and all of them are for somebody
    who gave fewer than MIN_KNOWN stars. One query, whoever asks."""
    served = _served()
    if served is None or not movie_ids or n_known(person) < MIN_KNOWN:
        return {}
    index = served.items.index(np.array(movie_ids, dtype=np.int64))
    known = np.flatnonzero(index >= 0)
    if not len(known):
        return {}
    history = histories_of([person], served.items)
    stars, low, high = served.model.predict_interval_for(history, index[known], level=LEVEL)
    return {
        movie_ids[at]: Prediction(float(stars[0, j]), float(low[0, j]), float(high[0, j]))
        for j, at in enumerate(known.tolist())
    }
