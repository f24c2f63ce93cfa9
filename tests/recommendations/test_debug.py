"""The debug view: what each source said, what was filtered and why, and whose business it is."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pytest

from accounts.models import User
from accounts.services import Taste, taste_settings_set
from catalog.models import Movie
from feedback import services
from feedback.events import EventContext
from feedback.models import Reaction, Slate
from ml.features import USER_FEATURES
from recommendations.feature_store import build
from recommendations.selectors import recommendations_for
from recommendations.snapshot import current_snapshot

URL = "/api/v1/me/recommendations/debug/"


@pytest.fixture
def person(trained):
    user = User.objects.create_user("ada@example.org", "a-long-password")
    for film in trained.films[0][:3]:
        services.rating_set(user=user, movie=film, stars=Decimal("5"), event=EventContext())
    user.refresh_from_db()
    return user


def test_every_source_names_its_candidates_and_why_some_are_gone(client, person, trained):
    liked, never, hidden, horror = trained.films[0][3:7]
    for movie, kind in ((liked, Reaction.Kind.LIKE), (never, Reaction.Kind.NEVER)):
        services.reaction_set(user=person, movie=movie, kind=kind, event=EventContext())
    Movie.objects.filter(pk=hidden.pk).update(is_hidden=True)
    Movie.objects.exclude(pk=horror.pk).update(year=2000)
    taste_settings_set(person, Taste(year_from=2000))
    person.refresh_from_db()
    client.force_login(person)
    body = client.get(URL).json()
    weights = current_snapshot().hybrid.active()
    assert [s["name"] for s in body["sources"]] == ["hybrid", *(part.label for part in weights)]
    for source in body["sources"]:
        scores = [c["score"] for c in source["candidates"]]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) == 20
        assert source["n_scored"] >= 24
        assert source["n_filtered"] == 7
    why = {c["movie_id"]: c["filtered"] for s in body["sources"] for c in s["candidates"]}
    assert why[liked.pk] == ["liked"]
    assert why[never.pk] == ["never"]
    assert why[hidden.pk] == ["hidden by an editor"]
    assert why[horror.pk] == ["settings"]
    assert why[trained.films[0][0].pk] == ["rated"]
    served = [film.movie_id for film in recommendations_for(person, n=20).films]
    assert [film["movie_id"] for film in body["results"]] == served
    assert all(not why.get(pk) for pk in served)
    assert {f"scores of {weights[0].label}", "ranking", "the list, as it is served"} <= set(
        body["stages_ms"]
    )
    assert all(ms >= 0 for ms in body["stages_ms"].values())
    assert not Slate.objects.exists()


def test_the_page_shows_the_same(client, person):
    client.force_login(person)
    page = client.get("/for-you/debug/?source=edlae")
    body = client.get(f"{URL}?source=edlae").json()
    sources = json.loads(json.dumps(page.context["debug"]["sources"]))
    times = [source.pop("took_ms") for source in [*sources, *body["sources"]]]
    assert min(times) > 0
    assert sources == body["sources"]
    assert page.context["debug"]["results"] == body["results"]
    assert "The list as it is served" in page.content.decode()
    assert client.get("/for-you/debug/?source=magic").status_code == 400
    assert client.get(f"{URL}?source=magic").status_code == 400


def test_features_scores_and_counts_are_shown(client, person, settings, tmp_path):
    settings.FEATURES_DIR = tmp_path / "features"
    client.force_login(person)
    assert client.get(URL).json()["user_features"] == {}
    build()
    body = client.get(URL).json()
    assert list(body["user_features"]) == list(USER_FEATURES)
    assert body["user_features"]["user_interactions"] == pytest.approx(np.log1p(3), rel=1e-6)
    counts = body["counts"]
    assert (counts["candidates"], counts["filtered_known"]) == (48, 3)
    assert counts["pool"] == 45
    first = body["results"][0]
    assert {part["source"] for part in first["by_source"]} >= {
        part.label for part in current_snapshot().hybrid.active()
    }
    assert first["evidence"][0]["title"].startswith("Crime")
    page = client.get("/for-you/debug/").content.decode()
    assert "Features of the person" in page
    assert "In the pool that was ranked" in page


def test_only_staff_look_at_others(client, person):
    other = User.objects.create_user("eve@example.org", "a-long-password")
    for path in (URL, "/for-you/debug/"):
        client.logout()
        assert client.get(path).status_code in {302, 401}
        client.force_login(other)
        assert client.get(f"{path}?user=ada@example.org").status_code == 403
        assert client.get(f"{path}?user=nobody@example.org").status_code == 403
        assert client.get(f"{path}?user=EVE@example.org").status_code == 200
    User.objects.filter(pk=other.pk).update(is_staff=True)
    assert client.get(f"{URL}?user=ada@example.org").json()["n_history"] == 3
    assert client.get(f"{URL}?user=nobody@example.org").status_code == 404
    assert "ada@example.org" in client.get("/for-you/debug/?user=ada@example.org").content.decode()


def test_without_a_model_there_is_still_an_answer(client, world):
    client.force_login(User.objects.create_user("ada@example.org", "a-long-password"))
    body = client.get(URL).json()
    assert (body["sources"], body["fallback"], len(body["results"])) == ([], "popular", 20)
