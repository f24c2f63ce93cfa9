"""My sittings: gaps set by hand, and what the latest leans to."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from model_bakery import baker

from accounts.models import User
from catalog.models import Genre
from dashboard.sittings import sittings_of
from dashboard.taste import Shift, catalogue_counts
from feedback.models import Interaction, Rating
from tests.worlds import make_film

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, 20, tzinfo=UTC)


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.org", "a-long-password")


@pytest.fixture
def films():
    """Twelve comedies of the nineties and eight horrors of the eighties."""
    comedy, horror = (baker.make(Genre, name=n, slug=n.lower()) for n in ("Comedy", "Horror"))
    return {
        "Comedy": [make_film(f"Comedy {i}", year=1994, genre=comedy) for i in range(12)],
        "Horror": [make_film(f"Horror {i}", year=1982, genre=horror) for i in range(8)],
    }


def do(user, film, *, days=0, minutes=0, kind="open", value="", surface="home"):
    return Interaction.objects.create(
        event_id=uuid.uuid4(),
        user=user,
        movie=film,
        kind=kind,
        value=value,
        surface=surface,
        created_at=START + timedelta(days=days, minutes=minutes),
    )


def test_an_evening_of_horror_after_a_week_of_comedies(ada, films):
    for day, film in enumerate(films["Comedy"][:10]):
        do(ada, film, days=day)
    for place, film in enumerate(films["Horror"][:5]):
        do(ada, film, days=12, minutes=20 * place)
        do(ada, film, days=12, minutes=20 * place + 1, kind="rate", value="4.0")
    found = sittings_of(ada, catalogue_counts())
    assert (found.n, found.median_films, found.last_n_films) == (11, 1.0, 5)
    assert found.last_at == START + timedelta(days=12, minutes=81)
    assert set(found.leanings) == {Shift("Horror", 0, 100), Shift("1980s", 0, 100)}


def test_a_break_of_over_an_hour_ends_a_sitting(ada, films):
    for minutes in (0, 60, 121):
        do(ada, films["Comedy"][minutes // 60], minutes=minutes)
    found = sittings_of(ada, catalogue_counts())
    assert (found.n, found.last_n_films, found.leanings) == (2, 1, ())


def test_an_import_and_a_no_are_no_sitting(ada, films):
    do(ada, films["Comedy"][0], kind="rate", value="5.0", surface="import")
    do(ada, films["Comedy"][1], kind="react", value="never")
    do(ada, films["Comedy"][2], kind="pass")
    assert sittings_of(ada, catalogue_counts()) is None
    do(ada, films["Comedy"][3], kind="react", value="like")
    assert sittings_of(ada, catalogue_counts()).n == 1


def test_the_page_tells_it(client, ada, films):
    for film in films["Comedy"][:3]:
        Rating.objects.create(user=ada, movie=film, stars="4.0")
        do(ada, film, kind="rate", value="4.0")
    client.force_login(ada)
    html = client.get("/me/taste/").content.decode()
    assert "Your sittings" in html
    assert "1 sitting so far, with 3 films." in html
    assert "had 3 films and leaned nowhere in particular" in html
