"""What a client says about an event beside the act itself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True)
class EventContext:
    """Identity of an event and the slate position that it answers to.

    ``event_id`` is made by the client: the same one twice is one event.
    """

    event_id: uuid.UUID = field(default_factory=uuid.uuid4)
    surface: str = ""
    request_id: uuid.UUID | None = None
    position: int | None = None


class EventConflictError(Exception):
    """The event id was used before, for something else or by somebody else."""


@dataclass(frozen=True)
class Recorded:
    """What a feedback service did. ``is_new`` is false for a repeated event: nothing changed."""

    is_new: bool
    previous: str = ""
