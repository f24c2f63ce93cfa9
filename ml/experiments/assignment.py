"""Who gets which arm: by a salted hash, so that nobody has to remember it.

Kohavi, Tang and Xu, "Trustworthy Online Controlled Experiments" (2020), chapter 4: the unit's id is
hashed with a salt of the experiment's own, so that two experiments split people independently and
the same person always gets the same arm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_BITS = 64


def bucket_of(salt: str, unit: str) -> float:
    """A number in [0, 1), the same for the same salt and unit, uniform over units."""
    digest = hashlib.sha256(f"{salt}\x1f{unit}".encode()).digest()
    return int.from_bytes(digest[: _BITS // 8], "big") / 2.0**_BITS


def arm_of(salt: str, unit: str, shares: Sequence[float]) -> int:
    """The arm's position in ``shares``; -1 where they leave the unit out (they sum to 1 or less).

    Raises ValueError for shares that are negative or sum to more than 1.
    """
    if any(share < 0 for share in shares) or sum(shares) > 1.0 + 1e-9:
        raise ValueError(f"shares must be positive and sum to at most 1, not {list(shares)}")
    at, edge = bucket_of(salt, unit), 0.0
    for arm, share in enumerate(shares):
        edge += share
        if at < edge:
            return arm
    return -1


def seed_of(salt: str, unit: str) -> int:
    """A seed for everything random about one list: made again from its name."""
    digest = hashlib.sha256(f"{salt}\x1eseed\x1f{unit}".encode()).digest()
    return int.from_bytes(digest[:4], "big")
