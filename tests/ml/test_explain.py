"""Evidence adds up, tags are true, counterfactuals are recomputed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml import explain as ex
from ml.retrieval import history_mask, top_k
from ml.types import FloatArray, Histories

N_ITEMS = 30


def linear_score(histories: Histories) -> FloatArray:
    """A small item-item model in which newer events count more, so that positions matter."""
    weights = np.random.default_rng(3).random((N_ITEMS, N_ITEMS)).astype(np.float32) ** 4
    out = np.zeros((len(histories), N_ITEMS), dtype=np.float32)
    for i in range(len(histories)):
        row = histories.row(i)
        items = histories.item_index[row]
        age = np.arange(len(items))[::-1]
        out[i] = (0.8**age) @ weights[items]
    return out


def test_evidence_adds_up_to_the_score_and_positive_shares_to_one() -> None:
    found = ex.explain(np.array([0.5, -0.2, 0.3]), baseline=0.2)
    assert found.score == pytest.approx(0.8)
    assert sum(e.contribution for e in found.evidence) == pytest.approx(found.score)
    assert sum(e.share for e in found.evidence if e.share > 0) == pytest.approx(1.0)
    assert [e.event for e in found.evidence] == [0, 2, ex.BASELINE, 1]
    assert [e.event for e in found.reasons(2)] == [0, 2]
    named, percent = found.percentages(2)
    assert [e.event for e in named] == [0, 2]
    assert percent == (50, 30, 20)


def test_nothing_positive_gives_no_reason() -> None:
    found = ex.explain(np.array([-1.0, 0.0]))
    assert found.reasons() == ()
    assert found.percentages() == ((), ())
    assert ex.explain(np.empty(0)).evidence == ()


@given(st.lists(st.floats(0.001, 100), min_size=1, max_size=12))
def test_whole_percentages_add_up_to_100_and_are_off_by_less_than_one(parts: list[float]) -> None:
    shares = np.array(parts) / sum(parts)
    percent = ex.whole_percentages(shares.tolist())
    assert sum(percent) == 100
    assert np.all(np.abs(np.array(percent) - 100 * shares) < 1)


def test_a_blend_of_standardised_sources_still_adds_up() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(4, 9)), rng.normal(size=(4, 9))
    popularity = rng.random(9)
    scores = [first.sum(0), second.sum(0) + popularity]
    blended = sum(w * (s - s.mean()) / s.std() for w, s in zip((0.6, 0.4), scores, strict=True))
    parts = [
        ex.Part(first, 0.6, float(scores[0].mean()), float(scores[0].std())),
        ex.Part(second, 0.4, float(scores[1].mean()), float(scores[1].std()), popularity),
    ]
    contributions, baseline = ex.blend(parts)
    np.testing.assert_allclose(contributions.sum(axis=0) + baseline, blended, atol=1e-12)
    with pytest.raises(ValueError, match="spread"):
        ex.blend([ex.Part(first, 1.0, spread=0.0)])


def test_each_tag_is_given_exactly_when_its_condition_holds() -> None:
    strong = ex.explain(np.array([0.31, 0.29, 0.2, 0.2]))
    spread = ex.explain(np.full(10, 0.1))
    assert ex.tags(strong, ex.Facts()) == (ex.Tag.BECAUSE_WATCHED,)
    assert ex.tags(spread, ex.Facts()) == ()
    assert ex.tags(spread, ex.Facts(trend_place=49)) == (ex.Tag.TRENDING_NOW,)
    assert ex.tags(spread, ex.Facts(trend_place=50)) == ()
    assert ex.tags(spread, ex.Facts(genre_match=0.5)) == (ex.Tag.MATCHES_GENRES,)
    assert ex.tags(spread, ex.Facts(collaborative_share=0.6)) == (ex.Tag.SIMILAR_TASTE,)
    boosted = ex.Facts(place=3, place_without_recent_likes=4, has_recent_likes=True)
    assert ex.tags(spread, boosted) == (ex.Tag.BOOSTED_BY_LIKES,)
    same = ex.Facts(place=3, place_without_recent_likes=3, has_recent_likes=True)
    assert ex.tags(spread, same) == ()
    gone = ex.Facts(place=3, place_without_recent_likes=None, has_recent_likes=True)
    assert ex.tags(spread, gone) == (ex.Tag.BOOSTED_BY_LIKES,)
    nothing_new = ex.Facts(place=3, place_without_recent_likes=None, has_recent_likes=False)
    assert ex.tags(spread, nothing_new) == ()
    everything = ex.Facts(0, 1.0, 1.0, 0, 9, True)
    assert ex.tags(ex.explain(np.empty(0)), everything) == (
        ex.Tag.BOOSTED_BY_LIKES,
        ex.Tag.MATCHES_GENRES,
        ex.Tag.TRENDING_NOW,
    )


def test_without_leaves_out_exactly_the_given_events() -> None:
    history = Histories.from_lists([[4, 5, 6]], ratings=[[1, 2, 3]])
    left = ex.without(history, [1])
    assert left.item_index.tolist() == [4, 6]
    assert left.rating.tolist() == [1, 3]
    assert left.timestamp.tolist() == [0, 2]
    assert len(ex.without(history, [0, 1, 2]).item_index) == 0


def test_claims_are_true_when_the_list_is_made_again() -> None:
    claims = 0
    rng = np.random.default_rng(0)
    for _ in range(20):
        history = Histories.from_lists([rng.choice(N_ITEMS, 6, replace=False)])
        exclude = history_mask(history, N_ITEMS)
        items = top_k(linear_score(history), 5, exclude=exclude).item_index[0]
        causes = ex.sole_causes(linear_score, history, items, k=5, exclude=exclude)
        for event in range(6):
            left = ex.without(history, [event])
            again = top_k(linear_score(left), 5, exclude=exclude).item_index[0]
            for j, item in enumerate(items):
                gone = item not in again
                assert causes[event, j] == gone
                claim = ex.leaves_top_k_without(
                    linear_score, history, [event], item=int(item), k=5, exclude=exclude
                )
                assert claim == gone
                claims += gone
    assert claims > 20


def test_a_film_outside_the_list_cannot_leave_it() -> None:
    history = Histories.from_lists([[1, 2]])
    outside = int(np.argmin(linear_score(history)[0]))
    assert not ex.leaves_top_k_without(linear_score, history, [0], item=outside, k=3)
