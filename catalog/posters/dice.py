"""A small seeded generator: the same film gives the same numbers on every machine and version."""

import hashlib
from collections.abc import MutableSequence, Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1


def stable_hash(*parts: object) -> int:
    """64 bits from the parts' text; unlike ``hash()`` it does not change between processes."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class Dice:
    """SplitMix64 (Steele, Lea and Flood 2014): enough for pictures, written out to stay stable."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def _next(self) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def unit(self) -> float:
        """A number in [0, 1)."""
        return (self._next() >> 11) / (1 << 53)

    def between(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.unit()

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + self._next() % (high - low + 1)

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.unit() < probability

    def sign(self) -> int:
        """Minus one or one."""
        return 1 if self._next() & 1 else -1

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self._next() % len(items)]

    def shuffle(self, items: MutableSequence[T]) -> None:
        """Fisher-Yates, in place."""
        for last in range(len(items) - 1, 0, -1):
            other = self._next() % (last + 1)
            items[last], items[other] = items[other], items[last]
