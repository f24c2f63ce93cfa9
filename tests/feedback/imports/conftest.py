"""A small catalogue with traps, and a person."""

from __future__ import annotations

import pytest

from accounts.models import User
from catalog.models import Credit, ExternalId, Movie, Person
from feedback.imports.jobs import import_run
from feedback.imports.models import ImportJob
from feedback.imports.services import import_apply, import_create, import_undo
from tests.worlds import make_film

FILMS = {
    "heat": ("Heat", 1995, {"imdb": "tt0113277", "tmdb": "949", "movielens": "6"}),
    "heat_86": ("Heat", 1986, {"imdb": "tt0093164"}),
    "ronin": ("Ronin", 1998, {"imdb": "tt0122690", "movielens": "8798"}),
    "alien": ("Alien", 1979, {"imdb": "tt0078748", "tmdb": "348"}),
    "amelie": ("Amélie", 2001, {"imdb": "tt0211915"}),
    "stalker": ("Stalker", 1979, {"imdb": "tt0079944", "tmdb": "1398"}),
}


@pytest.fixture
def films(db) -> dict[str, Movie]:
    made = {}
    for name, (title, year, ids) in FILMS.items():
        made[name] = make_film(title, year=year)
        for source, value in ids.items():
            ExternalId.objects.create(movie=made[name], source=source, value=value)
    mann = Person.objects.create(name="Michael Mann")
    Credit.objects.create(movie=made["heat"], person=mann, role=Credit.Role.DIRECTOR)
    return made


@pytest.fixture
def ada(db) -> User:
    return User.objects.create_user("ada@example.org", "a-long-password")


@pytest.fixture
def bring(ada, films):
    """Takes a file in and has it read and matched, as a worker does."""

    def bring_one(content, name="x.zip", *, user=ada) -> ImportJob:
        content = content if isinstance(content, bytes) else content.encode()
        job = import_create(user=user, filename=name, content=content)
        return run(job)

    return bring_one


def run(job: ImportJob) -> ImportJob:
    import_run(job.pk)
    job.refresh_from_db()
    return job


def write(job: ImportJob) -> ImportJob:
    assert import_apply(job)
    return run(job)


def take_back(job: ImportJob) -> ImportJob:
    assert import_undo(job)
    return run(job)
