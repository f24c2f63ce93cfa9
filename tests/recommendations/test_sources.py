"""Every source by its name: trained, asked on page, API and command, explained, and honest."""

from __future__ import annotations

import json
import zlib
from datetime import timedelta
from decimal import Decimal

import numpy as np
import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import User
from catalog.embeddings.models import EncoderSpace, MovieEmbedding
from catalog.models import Movie
from feedback import services
from feedback.events import EventContext
from ml.models.base import LinearRecommender
from ml.models.hybrid import Hybrid
from ml.models.lambdamart import LambdaMart
from recommendations import candidates
from recommendations.candidates import Rest, generate
from recommendations.models import ModelVersion, TrainingRun
from recommendations.reranking import RERANKING
from recommendations.selectors import recommendations_for
from recommendations.services.inference import recommendations_refresh
from recommendations.services.source_training import sources_due, sources_train
from recommendations.services.training import train
from recommendations.snapshot import current_snapshot, forget_snapshot
from recommendations.sources import (
    ALIASES,
    SOURCES,
    SourceNotTrainedError,
    Tier,
    UnknownSourceError,
    source_named,
    sources_named,
    sources_of,
)
from recommendations.tasks import (
    LONG_TRAINING,
    train_due_sources_task,
    train_next_source_task,
)

# Settings under which the networks learn a world of 48 films in a second.
QUICK = {
    "lightgcn": {"n_factors": 8, "n_epochs": 10},
    "two_tower": {"n_factors": 8, "n_epochs": 3},
    "sequential": {"n_factors": 8, "length": 10, "n_negatives": 20, "n_epochs": 3},
    "neural_rating": {"n_epochs": 2, "n_members": 1},
    "bayesian_mf": {"dim": 4, "sweeps": 12, "burn_in": 4, "thin": 2, "rank": 8},
    "hgb": {"n_trees": 10},
    "lambdamart": {"n_trees": 10},
}


@pytest.fixture
def quick(monkeypatch):
    for name, params in QUICK.items():
        monkeypatch.setitem(SOURCES[name].params, "__none__", None)
        SOURCES[name].params.pop("__none__")
        for key, value in params.items():
            monkeypatch.setitem(SOURCES[name].params, key, value)


@pytest.fixture
def described(trained):
    """The world's films with text vectors: crime and musicals are about different things."""
    rng = np.random.default_rng(5)
    EncoderSpace.objects.create(encoder="made-up", dim=8, is_active=True)
    for crowd, films in enumerate(trained.films):
        for film in films:
            vector = np.eye(8)[crowd] + 0.3 * rng.normal(size=8)
            MovieEmbedding.objects.create(
                movie=film, encoder="made-up", text_sha256="0" * 64, vector=vector.tolist()
            )
    return trained


@pytest.fixture
def everything(described, quick):
    """All sources trained."""
    runs = sources_train(sources_of(Tier.LIGHT, Tier.HEAVY))
    assert {run.kind: run.error for run in runs if run.error} == {}
    return described


@pytest.fixture
def person(db):
    return User.objects.create_user("ada@example.org", "a-long-password")


def rate(user, movie, stars):
    services.rating_set(user=user, movie=movie, stars=Decimal(stars), event=EventContext())
    user.refresh_from_db()


def ids(ranked):
    return [film.movie_id for film in ranked.films]


def test_every_source_gives_the_same_list_on_page_api_and_command(
    everything, person, client, tmp_path
):
    for film in everything.films[1][:4]:
        rate(person, film, "4.5")
    rate(person, everything.films[0][2], "1")
    client.force_login(person)
    assert current_snapshot().source_names == tuple(SOURCES)
    for name in (*SOURCES, *ALIASES):
        page = client.get(f"/for-you/?source={name}")
        assert page.context["notice"] == "", name
        shown = [card.movie.pk for card in page.context["cards"]]
        body = client.get(f"/api/v1/me/recommendations/?n=24&source={name}").json()
        out = tmp_path / f"{name}.json"
        call_command(
            "recommend", "--user", person.email, "--k", "24", "--source", name, "--explain",
            "--json", str(out),
        )  # fmt: skip
        said = json.loads(out.read_text())
        assert shown == [film["movie_id"] for film in body["results"]], name
        assert body["results"] == said["results"], name
        assert (body["source"], body["fallback"]) == (ALIASES.get(name, name), ""), name
        for film in body["results"]:
            parts = [*film["evidence"], *film["terms"], *film["features"]]
            total = film["baseline"] + film["other"] + sum(p["contribution"] for p in parts)
            assert total == pytest.approx(film["score"], abs=1e-6), name
        assert not set(shown) & {film.pk for film in everything.films[1][:4]}, name


def test_the_parts_of_every_score_add_up(everything, person):
    for film in everything.films[1][:4]:
        rate(person, film, "4.5")
    snapshot = current_snapshot()
    for name, source in SOURCES.items():
        ranked = recommendations_for(person, n=15, source=name)
        for film in ranked.films:
            assert film.total == pytest.approx(film.score, abs=1e-6), name
        model = snapshot.source(name)
        if isinstance(model, LambdaMart):
            assert any(film.features for film in ranked.films)
        elif source.is_linear and model.is_personal:
            assert isinstance(model, LinearRecommender), name
            assert any(film.evidence for film in ranked.films), name


def test_what_the_sources_of_the_blend_add_is_the_score_too(trained, person):
    for film in trained.films[0][:5]:
        rate(person, film, "5")
    for film in recommendations_for(person, n=10).films:
        assert sum(part.contribution for part in film.by_source) == pytest.approx(
            film.score, abs=1e-5
        )


def test_a_source_without_a_model_says_so_everywhere(trained, person, client):
    with pytest.raises(SourceNotTrainedError, match="train --sources lightgcn"):
        recommendations_for(person, source="lightgcn")
    client.force_login(person)
    answer = client.get("/api/v1/me/recommendations/?source=lightgcn")
    assert answer.status_code == 400
    assert "not trained yet" in answer.json()["error"]["fields"]["source"][0]
    assert "not trained yet" in client.get("/for-you/?source=lightgcn").context["notice"]
    assert client.get("/api/v1/me/recommendations/debug/?source=lightgcn").status_code == 400
    with pytest.raises(CommandError, match="not trained yet"):
        call_command("recommend", "--user", person.email, "--source", "lightgcn")


def test_before_the_first_model_only_the_default_is_answered(world, person):
    assert recommendations_for(person, n=5).fallback == "popular"
    with pytest.raises(SourceNotTrainedError, match="first model"):
        recommendations_for(person, source="als")
    with pytest.raises(UnknownSourceError, match="Known: hybrid"):
        recommendations_for(person, source="magic")


def test_a_failing_source_is_logged_and_the_others_answer(trained, person, caplog):
    for film in trained.films[1][:4]:
        rate(person, film, "5")
    snapshot = current_snapshot()
    label = next(p.label for p in snapshot.hybrid.active() if p.label != "popularity")
    before = recommendations_for(person, n=10)
    victim = snapshot.hybrid.models[label]
    victim.seen = victim.seen[:3]  # as after a write that ended early: its arrays do not fit
    ranked = recommendations_for(person, n=10)
    assert ranked.skipped[label].startswith("failed: ")
    assert f"Source {label} failed" in caplog.text
    assert len(ranked.films) == 10
    assert {part.source for film in ranked.films for part in film.by_source} - {RERANKING} == {
        p.label for p in snapshot.hybrid.active() if p.label != label
    }
    for film in ranked.films:
        if film.score is not None:
            assert film.total == pytest.approx(film.score, abs=1e-6)
    assert before.skipped == {}


def test_a_lone_failing_source_leaves_the_popular_films(trained, person, caplog):
    rate(person, trained.films[1][0], "5")
    current_snapshot().hybrid.models["als"].item_factors = None
    ranked = recommendations_for(person, n=10, source="als")
    assert (ranked.fallback, len(ranked.films)) == ("popular", 10)
    assert "als" in ranked.skipped


def test_a_source_that_is_slow_again_and_again_rests():
    rest = Rest()
    for _ in range(2):
        rest.note("slow", took_ms=300, budget_ms=250, now=0.0)
    rest.note("slow", took_ms=10, budget_ms=250, now=0.0)  # once in time: it starts anew
    for _ in range(2):
        rest.note("slow", took_ms=300, budget_ms=250, now=0.0)
    assert not rest.is_resting("slow", now=1.0)
    rest.note("slow", took_ms=300, budget_ms=250, now=1.0)
    assert rest.is_resting("slow", now=1.0 + candidates.REST_S / 2)
    assert not rest.is_resting("slow", now=1.0 + candidates.REST_S)


def test_the_time_budget_is_really_measured(trained, monkeypatch):
    hybrid = current_snapshot().hybrid
    monkeypatch.setattr(candidates, "budget_of", lambda name: 0.0 if name == "als" else 1e6)
    rest = Rest()
    models = {name: hybrid.models[name] for name in ("als", "item_item")}
    from ml.types import Histories

    history = Histories.from_lists([[1, 2, 3]])
    for _ in range(candidates.SLOW_IN_A_ROW):
        assert set(generate(models, history, rest=rest).scored) == {"als", "item_item"}
    after = generate(models, history, rest=rest)
    assert (set(after.scored), set(after.skipped)) == ({"item_item"}, {"als"})
    alone = generate({"als": hybrid.models["als"]}, history, rest=rest)
    assert set(alone.scored) == {"als"}


def test_quotas_bound_the_pool_and_every_stage_is_counted(trained, person, monkeypatch):
    rate(person, trained.films[0][0], "5")
    Movie.objects.filter(pk=trained.films[0][1].pk).update(is_hidden=True)
    monkeypatch.setattr(candidates, "quota_of", lambda name: 3)
    ranked = recommendations_for(person, n=2)
    n_sources = len(current_snapshot().hybrid.active())
    assert 3 <= ranked.counts["pool"] <= 3 * n_sources
    assert ranked.counts["candidates"] == 48
    assert ranked.counts["filtered"] == 2
    assert (ranked.counts["filtered_known"], ranked.counts["filtered_settings"]) == (1, 1)
    assert {"candidates", "ranking", "explanation"} <= set(ranked.stages_ms)


def test_training_a_source_is_skipped_without_new_data_and_keeps_what_is_served(described, person):
    rate(person, described.films[1][0], "5")
    [first] = sources_train([SOURCES["graph_filter"]])
    assert first.status == TrainingRun.Status.DONE
    [again] = sources_train([SOURCES["graph_filter"]])
    assert again.status == TrainingRun.Status.SKIPPED
    [forced] = sources_train([SOURCES["graph_filter"]], is_forced=True, is_measured=True)
    assert forced.status == TrainingRun.Status.DONE
    assert forced.model_version.metrics["models"]["graph_filter"]["ndcg@10"]["mean"] > 0
    active = ModelVersion.objects.filter(kind="graph_filter", status="active")
    assert [v.pk for v in active] == [forced.model_version_id]
    assert ModelVersion.objects.filter(kind="hybrid", status="active").count() == 1


def test_a_source_that_lacks_what_it_needs_fails_with_the_reason(trained):
    [run] = sources_train([SOURCES["semantic"]])
    run.refresh_from_db()
    assert run.status == TrainingRun.Status.FAILED
    assert "text vectors" in run.error
    with pytest.raises(CommandError, match="Not trained: semantic"):
        call_command("train", "--sources", "semantic")
    with pytest.raises(CommandError, match="Known: hybrid"):
        call_command("train", "--sources", "magic")


def test_films_that_nobody_rated_come_from_facts_alone(everything, person):
    new = Movie.objects.create(title="Crime Film without an audience", year=1960)
    new.genres.set(everything.films[0][0].genres.all())
    MovieEmbedding.objects.create(
        movie=new, encoder="made-up", text_sha256="0" * 64, vector=np.eye(8)[0].tolist()
    )
    sources_train([SOURCES["semantic"], SOURCES["cold_map"]], is_forced=True)
    for film in everything.films[0][:6]:
        rate(person, film, "5")
    for name in ("semantic", "cold_map"):
        assert new.pk in ids(recommendations_for(person, n=45, source=name)), name
    assert new.pk not in ids(recommendations_for(person, n=20, source="edlae"))


def test_a_damaged_source_goes_back_to_the_version_before(described, person, settings):
    rate(person, described.films[1][0], "5")
    [old] = sources_train([SOURCES["genre_neighbors"]])
    [new] = sources_train([SOURCES["genre_neighbors"]], is_forced=True)
    victim = next((settings.MODELS_DIR / new.model_version.path).glob("*seen*.npy"))
    victim.write_bytes(victim.read_bytes()[:-1] + b"\x07")
    forget_snapshot()
    ranked = recommendations_for(person, n=5, source="genre_neighbors")
    assert ranked.model_version == old.model_version.version


def test_no_source_is_trained_while_another_one_is(described, quick, trained_elsewhere):
    before = TrainingRun.objects.count()
    train_next_source_task()
    assert TrainingRun.objects.count() == before


@pytest.fixture
def trained_elsewhere():
    """Another worker is at a long training: its connection holds the lock."""
    with psycopg.connect(**_connection_params(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [zlib.crc32(LONG_TRAINING.encode())])
        yield


def _connection_params() -> dict:
    params = connection.get_connection_params()
    return {key: params[key] for key in ("dbname", "user", "host", "port") if params.get(key)}


def test_sources_are_trained_by_themselves_once_per_data(described, quick, settings):
    due = sources_due(now=timezone.now())
    assert [source.name for source in due] == [
        s.name for s in SOURCES.values() if s.tier in (Tier.LIGHT, Tier.HEAVY)
    ]
    train_due_sources_task()
    for _ in sources_of(Tier.LIGHT):
        train_next_source_task()
    heavy = sources_due(now=timezone.now())
    assert {s.tier for s in heavy} == {Tier.HEAVY}
    sources_train([SOURCES["lightgcn"]], trigger="schedule")
    services.rating_set(
        user=described.crowds[0][0],
        movie=described.films[1][3],
        stars=Decimal("5"),
        event=EventContext(),
    )
    train()
    now = timezone.now()
    assert {s.name for s in sources_due(now=now)} >= {"two_tower"}
    assert {"trending", "lightgcn"}.isdisjoint(s.name for s in sources_due(now=now))
    soon = {s.name for s in sources_due(now=now + timedelta(hours=1))}
    assert "trending" in soon
    assert "lightgcn" not in soon
    assert "lightgcn" in {s.name for s in sources_due(now=now + timedelta(hours=25))}


def test_nothing_is_due_before_there_is_a_policy(world):
    assert sources_due(now=timezone.now()) == []


def test_names_and_groups_of_sources():
    assert source_named("baseline").name == "genre_cosine"
    assert source_named("cf").name == source_named("ease").name == "edlae"
    assert source_named("auto").name == "hybrid"
    assert [s.name for s in sources_named(["trending", "heavy"])][0] == "trending"
    assert {s.name for s in sources_named(["all"])} == {
        s.name for s in SOURCES.values() if s.tier in (Tier.LIGHT, Tier.HEAVY)
    }
    with pytest.raises(UnknownSourceError, match="served policy"):
        sources_named(["als"])


def test_the_web_process_serves_all_of_it_without_torch(everything, person):
    """The loaded models hold plain arrays; that loading imports no torch is tested in tests/ml."""
    snapshot = current_snapshot()
    assert isinstance(snapshot.hybrid, Hybrid)
    for name in ("lightgcn", "two_tower", "sequential", "neural_rating"):
        arrays = snapshot.source(name).to_arrays()
        assert all(isinstance(array, np.ndarray) for array in arrays.values()), name


def test_stored_lists_of_a_source_are_of_its_own_version(described, person):
    rate(person, described.films[1][0], "5")
    sources_train([SOURCES["genre_neighbors"]])
    live = recommendations_for(person, n=10, source="genre_neighbors")
    assert recommendations_refresh(sources=("genre_neighbors",)) == 1
    stored = recommendations_for(person, n=10, source="genre_neighbors")
    assert (live.is_stored, stored.is_stored) == (False, True)
    assert ids(stored) == ids(live)
    assert stored.model_version == live.model_version != current_snapshot().version
    assert recommendations_refresh(sources=("genre_neighbors",)) == 0
