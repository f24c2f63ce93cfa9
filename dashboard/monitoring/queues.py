"""Celery's queues in Redis: how long they are, and how long the oldest message has waited."""

from __future__ import annotations

import json
from dataclasses import dataclass

import redis
from django.conf import settings

TIMEOUT_S = 0.5
PUBLISHED_AT = "published_at"  # a header that config.celery writes
UNACKED = "unacked"  # kombu's hash of messages that a worker has taken


@dataclass(frozen=True)
class Queue:
    """``oldest_s`` is None for an empty queue, and where the message does not say its age."""

    name: str
    n_waiting: int
    oldest_s: float | None = None


@dataclass(frozen=True)
class Queues:
    """All of them. ``error`` says why nothing is known."""

    queues: tuple[Queue, ...] = ()
    n_taken: int = 0
    error: str = ""

    @property
    def n_waiting(self) -> int:
        """Messages that no worker has taken."""
        return sum(queue.n_waiting for queue in self.queues)

    @property
    def oldest_s(self) -> float | None:
        """The age of the oldest of them."""
        return max((q.oldest_s for q in self.queues if q.oldest_s is not None), default=None)


def queue_names() -> list[str]:
    """The default queue and those that tasks are routed to."""
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    return [settings.CELERY_TASK_DEFAULT_QUEUE, *sorted(routed)]


def queues(*, now_s: float) -> Queues:
    """Asks Redis; short timeouts, never an exception. ``now_s`` is a Unix time."""
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=0.3, socket_timeout=TIMEOUT_S
    )
    try:
        found = tuple(
            Queue(
                name=name,
                n_waiting=int(client.llen(name)),
                # kombu pushes on the left and takes from the right: the oldest is the last.
                oldest_s=_age(client.lindex(name, -1), now_s=now_s),  # type: ignore[arg-type]
            )
            for name in queue_names()
        )
        n_taken = int(client.hlen(UNACKED))
    except (redis.RedisError, OSError) as error:
        return Queues(error=f"Redis does not answer ({type(error).__name__}).")
    finally:
        client.close()
    return Queues(found, n_taken)


def _age(message: bytes | None, *, now_s: float) -> float | None:
    if message is None:
        return None
    try:
        published_at = float(json.loads(message)["headers"][PUBLISHED_AT])
    except (ValueError, KeyError, TypeError):
        return None  # published by something else than this Marquee
    return max(0.0, now_s - published_at)
