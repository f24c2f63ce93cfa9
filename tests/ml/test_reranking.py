"""Re-ranking: strength 0 changes nothing, more strength never gives less, known answers."""

from __future__ import annotations

import numpy as np
import pytest

from ml import reranking as rr

STRENGTHS = np.linspace(0, 1, 41)


def pool(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 4))
    genres = (rng.random((n, 8)) < 0.25).astype(np.float32)
    return rng.normal(size=n).astype(np.float32), rr.cosine_similarity(vectors), genres


def test_history_blend_follows_the_model_at_weight_one_and_the_likes_at_weight_zero() -> None:
    model = np.array([1.0, 3.0, 2.0])
    likes = np.array([0.9, 0.1, 0.5])
    assert np.argsort(-rr.history_blend(model, likes, model_weight=1.0)).tolist() == [1, 2, 0]
    assert np.argsort(-rr.history_blend(model, likes, model_weight=0.0)).tolist() == [0, 2, 1]


def test_history_blend_does_not_depend_on_the_scale_of_the_model() -> None:
    rng = np.random.default_rng(0)
    model, likes = rng.normal(size=30), rng.random(30)
    once = rr.history_blend(model, likes)
    assert rr.MODEL_WEIGHT == 0.7
    np.testing.assert_allclose(once, rr.history_blend(1000 * model + 5, likes), atol=1e-5)
    by_hand = (
        0.7 * (model - model.mean()) / model.std() + 0.3 * (likes - likes.mean()) / likes.std()
    )
    np.testing.assert_allclose(once, by_hand, atol=1e-6)


def test_liked_similarity_is_the_mean_cosine_and_zero_without_vectors() -> None:
    candidates = np.array([[2.0, 0.0], [0.0, 5.0], [0.0, 0.0]])
    liked = np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    found = rr.liked_similarity(candidates, liked)
    np.testing.assert_allclose(found, [0.5, 0.25, 0.0], atol=1e-7)
    assert rr.liked_similarity(candidates, np.empty((0, 2))).tolist() == [0, 0, 0]


def test_mmr_takes_the_dissimilar_film_before_the_twin() -> None:
    score = np.array([1.0, 0.99, 0.5, 0.0])
    similarity = np.eye(4)
    similarity[0, 1] = similarity[1, 0] = 1.0
    lists = rr.mmr_lists(score, similarity, 2, np.array([0.0, 0.5]))
    assert lists.tolist() == [[0, 1], [0, 2]]
    assert rr.intra_list_diversity(lists, similarity).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("seed", range(8))
def test_mmr_diversity_never_falls_with_strength(seed: int) -> None:
    score, similarity, _ = pool(seed)
    answers = [rr.mmr(score, similarity, 10, strength=s) for s in STRENGTHS]
    gains = np.array([a.gain for a in answers])
    assert np.all(np.diff(gains) >= -1e-12)
    assert answers[0].order.tolist() == np.argsort(-score, kind="stable")[:10].tolist()
    assert answers[0].cost == 0.0
    assert gains[-1] > gains[0]
    assert all(len(set(a.order.tolist())) == 10 for a in answers)
    measured = [rr.intra_list_diversity(a.order[None], similarity)[0] for a in answers]
    np.testing.assert_allclose(measured, gains)


def test_genre_mix_shares_a_film_between_its_genres() -> None:
    genres = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_allclose(rr.genre_mix(genres), [0.25, 0.75, 0.0])
    weighted = rr.genre_mix(genres, weight=np.array([2.0, 1.0, 9.0]))
    np.testing.assert_allclose(weighted, [1 / 3, 2 / 3, 0.0])
    assert rr.genre_mix(np.zeros((2, 3))).sum() == 0


def test_calibration_error_is_zero_for_the_same_mix_and_the_known_kl_otherwise() -> None:
    genres = np.array([[1, 0], [0, 1], [1, 0]])
    lists = np.array([[0, 1], [0, 2]])
    error = rr.calibration_error(lists, genres, np.array([0.5, 0.5]))
    assert error[0] == pytest.approx(0.0, abs=1e-12)
    worst = 0.5 * np.log(0.5 / 0.995) + 0.5 * np.log(0.5 / 0.005)
    assert error[1] == pytest.approx(worst)


@pytest.mark.parametrize("seed", range(8))
def test_calibration_error_never_rises_with_strength(seed: int) -> None:
    score, _, genres = pool(seed)
    target = rr.genre_mix(genres[:3])
    answers = [rr.calibrate(score, genres, target, 10, strength=s) for s in STRENGTHS]
    error = -np.array([a.gain for a in answers])
    assert np.all(np.diff(error) <= 1e-12)
    assert answers[0].order.tolist() == np.argsort(-score, kind="stable")[:10].tolist()
    assert error[-1] < error[0]
    assert all(a.cost >= -1e-12 for a in answers)


def test_calibration_keeps_a_small_interest_small() -> None:
    """3.8 % of the profile must not become 38 % of the list because those films score high."""
    genres = np.zeros((200, 2))
    genres[:100, 0] = genres[100:, 1] = 1
    score = np.concatenate([np.linspace(2, 1, 100), np.linspace(1.2, 0.2, 100)])
    answer = rr.calibrate(score, genres, np.array([0.05, 0.95]), 20, strength=1.0)
    assert np.sum(answer.order < 100) == 1


def test_calibration_without_a_profile_leaves_the_list_alone() -> None:
    score, _, genres = pool(1)
    answer = rr.calibrate(score, genres, np.zeros(8), 5, strength=1.0)
    assert answer.order.tolist() == np.argsort(-score, kind="stable")[:5].tolist()


def test_a_pool_with_an_infinite_score_is_refused() -> None:
    score, similarity, genres = pool(2)
    score[3] = -np.inf
    with pytest.raises(ValueError, match="finite"):
        rr.mmr(score, similarity, 5, strength=0.5)
    with pytest.raises(ValueError, match="finite"):
        rr.calibrate(score, genres, rr.genre_mix(genres), 5, strength=0.5)


def test_freshness_sinks_more_with_every_ignored_showing_and_forgets_with_time() -> None:
    score = np.array([3.0, 2.0, 1.0, 0.0], dtype=np.float32)
    days = np.zeros(4)
    levels = [rr.freshness(score, np.array([c, 0, 0, 0]), days, strength=1.0)[0] for c in range(6)]
    assert np.all(np.diff(levels) < 0)
    strengths = [
        rr.freshness(score, np.array([2, 0, 0, 0]), days, strength=s)[0] for s in STRENGTHS
    ]
    assert np.all(np.diff(strengths) < 0)
    assert strengths[0] == 3.0
    later = [
        rr.freshness(score, np.array([2, 0, 0, 0]), np.full(4, d), strength=1.0)[0]
        for d in (0, 7, 14, 60)
    ]
    assert np.all(np.diff(later) > 0)
    untouched = rr.freshness(score, np.array([2, 0, 0, 0]), days, strength=1.0)[1:]
    assert untouched.tolist() == score[1:].tolist()


def test_freshness_halves_after_its_half_life() -> None:
    score = np.array([1.0, -1.0])
    sunk = rr.freshness(
        score, np.array([2.0, 0.0]), np.array([14.0, 0.0]), strength=1.0, half_life_days=14
    )
    assert sunk[0] == pytest.approx(1.0 - np.log2(1 + 1.0))


def test_overlap_with_the_last_visit_is_limited_unless_pinned() -> None:
    order = np.arange(30)
    before = np.arange(30) < 10
    ten = rr.limit_overlap(order, before, 10)
    assert np.sum(ten < 10) == 7
    assert ten.tolist() == [0, 1, 2, 3, 4, 5, 6, 10, 11, 12]
    pinned = np.isin(np.arange(30), [8, 9])
    with_pins = rr.limit_overlap(order, before, 10, pinned=pinned)
    assert with_pins.tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9, 10]
    assert rr.limit_overlap(order[:10], before[:10], 10).tolist() == list(range(10))
