"""An export taken in by a fresh account gives the very same list."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import User
from feedback import services
from feedback.events import EventContext
from feedback.exports.jobs import export_content, export_request, export_run
from feedback.imports.jobs import import_run
from feedback.imports.services import import_apply, import_create
from feedback.models import Reaction
from recommendations.selectors import recommendations_for

pytestmark = pytest.mark.django_db


def top(user):
    user.refresh_from_db()
    ranked = recommendations_for(user, n=20)
    return [film.movie_id for film in ranked.films]


def test_export_and_import_give_the_same_top_20(trained):
    ada = User.objects.create_user("ada@example.org", "a-long-password")
    for film, stars in zip(trained.films[1][:6], ("5", "4.5", "3", "5", "1", "4"), strict=True):
        services.rating_set(user=ada, movie=film, stars=Decimal(stars), event=EventContext())
    like = Reaction.Kind.LIKE
    services.reaction_set(user=ada, movie=trained.films[0][2], kind=like, event=EventContext())
    never = Reaction.Kind.NEVER
    services.reaction_set(user=ada, movie=trained.films[1][9], kind=never, event=EventContext())
    wanted = top(ada)
    job = export_request(ada)
    export_run(job.pk)
    job.refresh_from_db()
    eve = User.objects.create_user("eve@example.org", "a-long-password")
    assert top(eve) != wanted
    taken = import_create(user=eve, filename="x.zip", content=export_content(job))
    import_run(taken.pk)
    assert import_apply(taken)
    import_run(taken.pk)
    assert len(wanted) == 20
    assert top(eve) == wanted
