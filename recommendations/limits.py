"""What a list may not contain whatever the models say: hidden films and a person's own limits."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

import numpy as np
from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, Q

from accounts.choices import film_languages
from accounts.models import User
from accounts.selectors import taste_of, tastes_of
from accounts.services import Taste
from catalog.models import Genre, Movie

# The ages of the United States' letters and their like; numbers speak for themselves.
_AGE_OF = {"G": 0, "U": 0, "ATP": 0, "PG": 8, "PG-13": 13, "R": 17, "NC-17": 18, "X": 18}
OLDEST = 18


def certification_age(certification: str) -> int | None:
    """The age from which a film may be seen; None where the certification does not say."""
    given = certification.strip().upper()
    if given in _AGE_OF:
        return _AGE_OF[given]
    number = re.fullmatch(r"(?:FSK[ -]?|M/?)?(\d{1,2})[A+]?", given)
    return min(int(number.group(1)), OLDEST) if number else None


def barred_for(user: User | AnonymousUser) -> frozenset[int]:
    """The films that this person may not be shown."""
    return barred_movie_ids(taste_of(user) if isinstance(user, User) else Taste())


def barred_digest(barred: frozenset[int]) -> str:
    """A short name of the set, whatever its order: the same films give the same."""
    ids = np.sort(np.fromiter(barred, dtype=np.int64, count=len(barred)))
    return f"{len(barred)}-{zlib.crc32(ids.tobytes()):08x}"


def barred_for_users(users: Iterable[User]) -> list[frozenset[int]]:
    """The same for many: those without limits share one set."""
    people = list(users)
    tastes = tastes_of(people)
    unlimited = barred_movie_ids(Taste())
    return [
        barred_movie_ids(tastes[user.pk]) if user.pk in tastes else unlimited for user in people
    ]


def has_limits(taste: Taste) -> bool:
    """Whether the person's settings rule out films beside those that an editor hid."""
    return bool(
        taste.year_from
        or taste.year_to
        or taste.runtime_max_min
        or taste.languages
        or taste.excluded_genres
        or taste.age_ceiling is not None
    )


def barred_movie_ids(taste: Taste) -> frozenset[int]:
    """Films that an editor hid or that ``taste`` rules out, in one query (two with an age ceiling).

    Years and runtimes that are not known do not rule a film out; an age ceiling does: a film whose
    certification is missing or unreadable is left out, because a ceiling that guesses is none.
    """
    barred = Q(is_hidden=True)
    if taste.year_from:
        barred |= Q(year__lt=taste.year_from)
    if taste.year_to:
        barred |= Q(year__gt=taste.year_to)
    if taste.runtime_max_min:
        barred |= Q(runtime_min__gt=taste.runtime_max_min)
    if taste.languages:
        barred |= ~Q(language__in=["", *film_languages(taste.languages)])
    if taste.excluded_genres:
        excluded = Genre.objects.filter(movies=OuterRef("pk"), name__in=taste.excluded_genres)
        barred |= Q(Exists(excluded))
    if taste.age_ceiling is not None:
        barred |= ~Q(certification__in=_allowed_certifications(taste.age_ceiling))
    return frozenset(Movie.objects.filter(barred).values_list("pk", flat=True))


def _allowed_certifications(age_ceiling: int) -> list[str]:
    given = Movie.objects.order_by().values_list("certification", flat=True).distinct()
    ages = {certification: certification_age(certification) for certification in given}
    return [c for c, age in ages.items() if age is not None and age <= age_ceiling]
