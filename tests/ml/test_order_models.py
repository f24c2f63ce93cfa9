"""EASE's two routes, and SLIT and transitions against the plain way of writing them down."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from ml.data import to_csr
from ml.models.als import Als
from ml.models.ease import Ease, ease_weights, weights_by_people
from ml.models.item_to_item import keep_largest
from ml.models.like_moments import LikeMoments
from ml.models.slit import Slit
from ml.models.transition import Transition, ordered_events
from ml.types import Histories
from tests.ml.data import interactions, two_tastes

EVENTS = two_tastes(n_users=60, n_items=30)


def test_ease_is_the_ridge_of_each_film_on_the_others() -> None:
    x = to_csr(EVENTS).toarray().astype(np.float64)
    table = Ease(l2=5.0).fit(EVENTS).table
    for film in (0, 7, 20):
        others = np.delete(np.arange(30), film)
        a, y = x[:, others], x[:, film]
        expected = np.linalg.solve(a.T @ a + 5.0 * np.eye(29), a.T @ y)
        assert table[others, film] == pytest.approx(expected, abs=1e-5)
        assert table[film, film] == 0


def test_both_routes_of_ease_agree() -> None:
    matrix = to_csr(two_tastes(n_users=20, n_items=60, n_unseen=0))
    penalty = np.linspace(2, 9, 60).astype(np.float32)
    gram = (matrix.T @ matrix).toarray().astype(np.float32)
    gram[np.diag_indices(60)] += penalty
    assert np.allclose(weights_by_people(matrix, penalty), ease_weights(gram), atol=1e-5)


def test_near_ease_counts_pairs_by_how_far_apart_they_were_rated() -> None:
    users, items = ordered_events(EVENTS)
    gram = np.zeros((30, 30))
    for user in range(EVENTS.n_users):
        own = items[users == user]
        place = np.arange(len(own))
        gram[np.ix_(own, own)] += np.exp(-np.abs(place[:, None] - place[None, :]) / 2.5)
    inverse = np.linalg.inv(gram + np.diag(4.0 + gram.diagonal()))
    expected = -inverse / inverse.diagonal()[None, :]
    np.fill_diagonal(expected, 0.0)
    table = Ease(l2=4.0, dropout=0.5, reach=2.5).fit(EVENTS).table
    assert table == pytest.approx(expected, abs=1e-4)
    assert not np.allclose(table, Ease(l2=4.0, dropout=0.5).fit(EVENTS).table, atol=1e-2)


def test_a_reach_beyond_all_histories_is_plain_ease() -> None:
    near = Ease(l2=5.0, min_rating=4.0, alpha=0.5, reach=1e6).fit(EVENTS).table
    plain = Ease(l2=5.0, min_rating=4.0, alpha=0.5).fit(EVENTS).table
    assert near == pytest.approx(plain, abs=1e-4)


def test_a_reach_must_be_positive() -> None:
    with pytest.raises(ValueError, match="reach must be positive"):
        Ease(reach=0.0)


def slit_rows(decay: float, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """X and Y of SLIT, one row per event but the first of each person, written out."""
    users, items = ordered_events(EVENTS)
    x, y = [], []
    for user in range(EVENTS.n_users):
        own = items[users == user]
        for t in range(1, len(own)):
            row, target = np.zeros(30), np.zeros(30)
            for j in range(t):
                row[own[j]] += max(decay ** (t - 1 - j), floor)
            target[own[t]] = 1
            x.append(row / len(own) ** 0.25)  # squared: 1 / sqrt(n)
            y.append(target / len(own) ** 0.25)
    return np.array(x), np.array(y)


def test_slit_is_the_ridge_of_the_next_film_on_the_decayed_history() -> None:
    x, y = slit_rows(0.7, 0.05)
    gram = x.T @ x
    penalty = np.diag(3.0 + 0.5 / 0.5 * gram.diagonal())
    expected = np.linalg.solve(gram + penalty, x.T @ y)
    model = Slit(l2=3.0, dropout=0.5, memories=[(0.7, 0.05)]).fit(EVENTS)
    assert np.asarray(model.table) == pytest.approx(expected, abs=1e-5)


def test_two_memories_are_one_regression_on_both_histories() -> None:
    (short, y), (long, _) = slit_rows(0.3, 0.0), slit_rows(0.9, 0.1)
    x = np.hstack([short, long])
    gram = x.T @ x
    penalty = np.diag(3.0 + 0.5 / 0.5 * gram.diagonal())
    expected = np.linalg.solve(gram + penalty, x.T @ y)
    model = Slit(l2=3.0, dropout=0.5, memories=[(0.3, 0.0), (0.9, 0.1)]).fit(EVENTS)
    assert np.asarray(model.table) == pytest.approx(expected, abs=1e-5)


def test_slit_uses_only_the_latest_events() -> None:
    rows = [(0, i, 5.0, i) for i in range(6)]
    long = interactions(rows, n_users=1, n_items=6)
    short = interactions(rows[2:], n_users=1, n_items=6)
    a = Slit(max_events=4, l2=1.0).fit(long).table
    b = Slit(max_events=4, l2=1.0).fit(short).table
    assert np.array_equal(np.asarray(a), np.asarray(b))


def test_transitions_of_one_person_by_hand() -> None:
    events = interactions([(0, 2, 5.0, 30), (0, 0, 5.0, 10), (0, 1, 5.0, 20)], n_users=1, n_items=4)
    model = Transition(gamma=0.5, shrinkage=1.0, source_power=1.0, target_power=0.0).fit(events)
    table = np.asarray(
        model.table if isinstance(model.table, np.ndarray) else model.table.todense()
    )
    expected = np.zeros((4, 4))
    expected[0, 1], expected[0, 2], expected[1, 2] = 0.5, 0.25, 0.5
    assert table == pytest.approx(expected)


def test_order_matters_to_slit_and_not_to_flat_ease() -> None:
    forth, back = Histories.from_lists([[1, 5, 9]]), Histories.from_lists([[9, 5, 1]])
    slit, ease = Slit(l2=3.0).fit(EVENTS), Ease(l2=5.0).fit(EVENTS)
    assert not np.allclose(slit.score(forth)[0, :20], slit.score(back)[0, :20])
    assert ease.score(forth)[0, :20] == pytest.approx(ease.score(back)[0, :20])


def test_als_reaches_the_exact_least_squares_solution() -> None:
    model = Als(n_factors=6, n_epochs=60, l2=0.02, alpha0=0.2).fit(EVENTS, seed=1)
    matrix = to_csr(EVENTS).toarray().astype(np.float64)
    y = model.item_factors.astype(np.float64)
    people = Histories.from_interactions(EVENTS)
    users = model.user_vectors(people).astype(np.float64)
    for film in (0, 3, 11):
        liked = matrix[:, film] > 0
        penalty = 0.02 * (liked.sum() + 0.2 * EVENTS.n_users)
        system = users[liked].T @ users[liked] + 0.2 * users.T @ users + penalty * np.eye(6)
        expected = np.linalg.solve(system, users[liked].sum(axis=0))
        assert y[film] == pytest.approx(expected, abs=2e-3)


def test_a_dislike_lowers_what_a_like_raises() -> None:
    for model in (Ease(l2=5.0).fit(EVENTS), Als(n_factors=6).fit(EVENTS, seed=1)):
        like = Histories.from_lists([[1, 2]], weights=[[1.0, 1.0]])
        dislike = Histories.from_lists([[1, 2]], weights=[[1.0, -1.0]])
        same_taste = np.arange(3, 14)
        raised = model.score(like)[0, same_taste] - model.score(dislike)[0, same_taste]
        assert raised.mean() > 0


def test_slit_keeps_to_the_films_with_most_events() -> None:
    count = np.bincount(EVENTS.item_index, minlength=EVENTS.n_items)
    head = np.argsort(-count, kind="stable")[:8]
    small = Slit(l2=3.0, max_films=8).fit(EVENTS)
    alone = Slit(l2=3.0).fit(EVENTS.select(np.isin(EVENTS.item_index, head)))
    assert np.array_equal(np.flatnonzero(small.seen), np.sort(head))
    assert np.allclose(small.table, alone.table)
    scores = small.score(Histories.from_lists([head[:2].tolist()]))
    assert np.isneginf(np.delete(scores[0], head)).all()
    assert np.isfinite(scores[0, head]).all()


def test_als_folds_many_people_in_as_it_does_one_by_one() -> None:
    model = Als(n_factors=8, n_epochs=3, decay=0.9, floor=0.1).fit(EVENTS)
    people = Histories.from_interactions(EVENTS, users=np.arange(50))
    people = Histories(
        indptr=np.append(people.indptr, people.indptr[-1]),  # one without any event
        item_index=people.item_index,
        weight=np.where(np.arange(len(people.weight)) % 5 == 0, -0.5, people.weight),
        rating=people.rating,
        timestamp=people.timestamp,
    )
    many = model.user_vectors_of_many(people)
    assert np.allclose(many, model.user_vectors(people), rtol=1e-4, atol=1e-6)
    assert not many[-1].any()


def test_like_moments_are_what_the_formula_says() -> None:
    model = LikeMoments(
        decay=0.8, reach=4, power=2.5, after=0.5, n_after=2, source_power=0.3, target_power=0.2
    ).fit(EVENTS)
    shown = [3, 8, 1, 15, 2, 7]
    users, items = ordered_events(EVENTS)
    n = np.bincount(items, minlength=30)
    film_weight = (n + 10.0) ** -0.3
    # The weight that each film of a moment has in it; a film weighs once per time it is there.
    present = {film: 0.8**age for age, film in enumerate(reversed(shown[-4:]))}
    expected = np.zeros(30)
    for user in range(EVENTS.n_users):
        own = items[users == user]
        for t in range(len(own) - 1):
            past = own[max(t - 3, 0) : t + 1][::-1]
            likeness = sum(
                present.get(film, 0.0) * film_weight[film] * 0.8**age
                for age, film in enumerate(past)
            )
            for m, film in enumerate(own[t + 1 : t + 3]):
                expected[film] += likeness**2.5 * 0.5**m
    expected *= (n + 10.0) ** -0.2
    (scores,) = model.score(Histories.from_lists([shown]))
    assert scores[n > 0] == pytest.approx(expected[n > 0], rel=1e-4)
    assert np.all(np.isneginf(scores[n == 0]))


def test_two_films_seen_together_say_more_than_each_alone() -> None:
    # After 0 and 1 in a row comes 2; after either without the other comes 3.
    people = [[0, 1, 2], [0, 5, 3], [4, 1, 3], [0, 6, 3], [7, 1, 3]]
    rows = [(user, item, 4.0, at) for user, own in enumerate(people) for at, item in enumerate(own)]
    events = interactions(rows, n_users=5, n_items=8)
    model = LikeMoments(power=4.0, decay=0.9, source_power=0.0).fit(events)
    (scores,) = model.score(Histories.from_lists([[0, 1]]))
    assert scores[2] > scores[3]
    (alone,) = model.score(Histories.from_lists([[0]]))
    assert alone[3] > alone[2]


@pytest.mark.parametrize(
    "settings", [{"decay": 0.0}, {"after": 2.0}, {"reach": 0}, {"power": 0.0}, {"n_after": 0}]
)
def test_like_moments_refuse_settings_without_meaning(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        LikeMoments(**settings)  # type: ignore[arg-type]


def test_transitions_kept_are_the_largest_of_each_row() -> None:
    whole = Transition().fit(EVENTS).table
    dense = whole if isinstance(whole, np.ndarray) else whole.toarray()
    kept = Transition(n_kept=4).fit(EVENTS).table
    assert isinstance(kept, sparse.csr_matrix)
    assert kept.has_sorted_indices
    assert np.diff(kept.indptr).max() == 4
    for i in range(len(dense)):
        stored = kept.indptr[i], kept.indptr[i + 1]
        columns = kept.indices[slice(*stored)]
        assert np.array_equal(kept.data[slice(*stored)], dense[i, columns])
        left_out = np.delete(dense[i], columns)
        assert left_out.max() <= dense[i, columns].min(initial=np.inf)
        assert len(columns) == min(4, np.count_nonzero(dense[i]))
    everything = keep_largest(sparse.csr_matrix(dense), 10_000).toarray()
    assert np.array_equal(everything, dense)
    with pytest.raises(ValueError, match="n_kept"):
        Transition(n_kept=0)
