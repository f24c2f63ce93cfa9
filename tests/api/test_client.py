"""A client generated from the document walks the main path, and every operation once."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
import zipfile
from datetime import datetime
from typing import Any

import pytest
import yaml
from django.utils import timezone

from accounts.models import DeletionRequest, User
from config.schema import EXAMPLES
from feedback.exports.jobs import export_run
from feedback.exports.models import ExportJob
from feedback.imports.jobs import import_run
from feedback.models import Interaction, Rating
from recommendations.models import ModelVersion, ScheduledRun, TrainingRun
from recommendations.services.forgetting import deletions_run
from recommendations.services.training import train
from tests.api.client_generator import ApiError, client_of
from tests.api.conftest import WRITE_EXAMPLES, prove

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_main_path(served, sign_up):
    """Register, quiz, rate, recommend, why, and a batch of swipes from offline."""
    me = sign_up()
    assert me.me_retrieve()["email"] == "you@example.org"
    assert len(me.quiz_answer(mood="tense", n=5)["results"]) == 5
    for _ in range(6):
        film = me.next_film()["movie"]
        is_crime = film["main_genre"] == "Crime"
        me.ratings_set(movie_id=film["id"], stars=5 if is_crime else 1)
    found = me.recommendations_for_me(n=10)
    crime = {film.pk for film in served.films[0]}
    assert len({row["movie_id"] for row in found["results"]} & crime) >= 8
    first = found["results"][0]
    why = me.recommendations_why(movie_id=first["movie_id"])
    assert sum(part["contribution"] for part in why["parts"]) == pytest.approx(why["score"])
    cause = next(part for part in why["parts"] if part["movie_id"])
    without = me.recommendations_why(movie_id=first["movie_id"], without=cause["movie_id"])
    assert len(without["without"]["results"]) == 20
    deal = me.swipe_deal(n=5)
    events = [
        {
            "event_id": str(uuid.uuid4()),
            "movie_id": card["movie_id"],
            "verb": "like",
            "request_id": deal["request_id"],
            "position": card["position"],
        }
        for card in deal["cards"]
    ]
    before = Interaction.objects.count()
    sent = me.feedback_send(events=[*events, {**events[0], "verb": "juggle"}])
    assert (sent["recorded"], sent["refused"]) == (5, 1)
    again = me.feedback_send(events=events)  # the answer was lost, the phone sends again
    assert (again["recorded"], again["repeated"]) == (0, 5)
    assert Interaction.objects.count() == before + 5
    liked = {event["movie_id"] for event in events}
    after = {row["movie_id"] for row in me.recommendations_for_me(n=20)["results"]}
    assert not liked & after
    _leave(me)


def _leave(me: Any) -> None:
    """Everything taken along, and the account given up: each after the password."""
    for act in (me.exports_create, me.deletion_request):
        with pytest.raises(ApiError) as refused:
            act()
        assert (refused.value.status, refused.value.code) == (403, "reauthentication_required")
    assert not ExportJob.objects.exists()
    assert not DeletionRequest.objects.exists()
    prove(me)
    asked = me.exports_create()
    export_run(asked["id"])
    assert me.exports_retrieve(id=asked["id"])["status"] == "done"
    file = me.exports_download(id=asked["id"])
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert len(json.loads(archive.read("json/ratings.json"))) == 6
    assert hashlib.sha256(file).hexdigest() == me.exports_list()["results"][0]["sha256"]
    due_at = me.deletion_request()["due_at"]
    assert me.deletion_retrieve()["due_at"] == due_at
    person = User.objects.get(email="you@example.org").pk
    assert deletions_run(now=datetime.fromisoformat(due_at)) == 1
    assert not User.objects.filter(pk=person).exists()
    with pytest.raises(ApiError) as refused:
        me.me_retrieve()
    assert refused.value.code == "invalid_session"


def test_one_key_is_one_act_and_refusals_carry_codes(served, sign_up):
    me = sign_up()
    film = served.films[0][0].pk
    key = str(uuid.uuid4())
    first = me.ratings_set(movie_id=film, stars=4, key=key)
    assert me.ratings_set(movie_id=film, stars=4, key=key) == first
    with pytest.raises(ApiError) as refused:
        me.ratings_set(movie_id=film, stars=2, key=key)
    assert (refused.value.status, refused.value.code) == (422, "idempotency_key_reused")
    with pytest.raises(ApiError) as refused:
        me.ratings_set(movie_id=film, stars=7)
    assert list(refused.value.fields) == ["stars"]
    with pytest.raises(ApiError) as refused:
        me.models_list()
    assert (refused.value.status, refused.value.code) == (403, "permission_denied")
    with pytest.raises(ApiError) as refused:
        me.movies_retrieve(movie_id=10**9)
    assert refused.value.code == "not_found"
    assert float(Rating.objects.get(user__email="you@example.org").stars) == 4


def test_every_operation_answers_as_its_document_says(served, sign_up, live_server, document):
    me = sign_up()
    film, other = served.films[0][0].pk, served.films[0][9].pk
    _films(me, film)
    _feedback(me, film, other)
    _lists(me, film)
    _diary(me, film)
    _recommendations(me, served)
    _identity(me, live_server, document)
    _my_data(me, served.films[0][10:])
    _staff(me)
    called = {name: (sent, answer) for name, sent, answer in reversed(me.calls)}
    assert set(called) == set(me.operations)
    if WRITE_EXAMPLES:
        _write(called)


def _films(me: Any, film: int) -> None:
    me.health()
    me.genres_list()
    me.movies_list(genre=["crime"], page_size=2)
    me.movies_retrieve(movie_id=film)
    me.search(q="crime film")
    me.title_or_prompt(input_text="Crime Film 3")
    me.films_similar(movie_id=film, n=3)


def _feedback(me: Any, film: int, other: int) -> None:
    me.ratings_set(movie_id=film, stars=4.5)
    me.ratings_retrieve(movie_id=film)
    me.ratings_list()
    me.reactions_set(movie_id=other, kind="never")
    me.reactions_list(kind="never")
    me.hidden_list()
    me.hidden_put_back(movie_id=other)
    me.reactions_set(movie_id=other, kind="like")
    me.reactions_clear(movie_id=other, kind="like")
    me.watchlist_add(movie_id=other)
    me.watchlist_list()
    me.film_state(movie_id=other)
    me.watchlist_remove(movie_id=other)
    event = {"event_id": str(uuid.uuid4()), "movie_id": other, "verb": "seen"}
    me.feedback_send(events=[event])
    me.history_list(page_size=2)
    me.ratings_clear(movie_id=film)


def _lists(me: Any, film: int) -> None:
    made = me.lists_create(name="Rainy nights", note="Nothing loud")
    me.lists_put_film(id=made["id"], movie_id=film, note="The first of its kind")
    me.lists_update(id=made["id"], name="Rainy evenings")
    me.lists_list()
    me.lists_retrieve(id=made["id"])
    shared = me.lists_share(id=made["id"])
    me.shared_lists_retrieve(key_=shared["key"])
    me.lists_unshare(id=made["id"])
    me.lists_remove_film(id=made["id"], movie_id=film)
    me.lists_delete(id=made["id"])


def _diary(me: Any, film: int) -> None:
    day = str(timezone.now().date())
    entry = me.diary_add(movie_id=film, watched_on=day, note="With the lights off")
    me.diary_list()
    me.diary_remove(id=entry["id"])


def _recommendations(me: Any, served: Any) -> None:
    me.quiz_answer(mood="tense", n=2)
    me.tonight()
    me.next_film()
    for movie in served.films[0][:6]:
        me.ratings_set(movie_id=movie.pk, stars=5)
    found = me.recommendations_for_me(n=2)
    movie_id = found["results"][0]["movie_id"]
    me.recommendations_why(movie_id=movie_id, without=served.films[0][0].pk)
    me.recommendations_debug()
    me.recommend(text="crime from the 1960s", dials={"surprise": 0.5}, n=2)
    me.sources_list()
    me.home()
    me.surprise()
    me.predictions_retrieve(movie_id=movie_id)
    me.swipe_deal(n=2)
    me.reasons_mute(reason="trending_now")
    me.reasons_unmute(reason="trending_now")
    me.settings_update(surprise=0.25, languages=["en"])
    me.settings_retrieve()
    me.settings_update(languages=[])
    me.taste_retrieve()


def _identity(me: Any, live_server: Any, document: dict[str, Any]) -> None:
    me.me_retrieve()
    me.me_update(display_name="You")
    prove(me)
    made = me.tokens_create(name="Notebook", scopes=["read"], days=30)
    program = client_of(live_server.url, document, {"Authorization": f"Bearer {made['token']}"})
    assert program.me_retrieve()["display_name"] == "You"
    with pytest.raises(ApiError) as refused:
        program.me_update(display_name="Me")
    assert refused.value.code == "insufficient_scope"
    me.tokens_list()
    me.tokens_revoke(id=made["id"])
    with pytest.raises(ApiError) as refused:
        program.me_retrieve()
    assert refused.value.code == "invalid_token"
    body = {"email": "you@example.org", "password": "a-long-enough-phrase"}
    url = f"{live_server.url}/_allauth/app/v1/auth/login"
    assert me.session.post(url, json=body, headers={"X-Session-Token": None}).status_code == 200
    devices = me.devices_list()["results"]
    me.devices_end(id=next(d["id"] for d in devices if not d["is_current"]))


def _my_data(me: Any, films: list[Any]) -> None:
    """Imports and exports; the worker's part is done here."""
    rows = [f"2021-05-0{i},{film.title},{film.year},u,4" for i, film in enumerate(films[:3], 1)]
    text = "\n".join(["Date,Name,Year,Letterboxd URI,Rating", *rows, "2021-05-09,Nothing,1999,u,3"])
    held = me.imports_create(file=("ratings.csv", text.encode()))
    me.imports_cancel(id=held["id"])
    brought = me.imports_create(file=("ratings.csv", text.encode()))["id"]
    import_run(brought)
    assert me.imports_retrieve(id=brought)["report"]["n_found"] == 3
    [lost] = me.imports_films_list(id=brought, state="unknown")["results"]
    chosen = me.imports_films_choose(id=brought, film_id=lost["id"], movie_id=films[5].pk)
    assert chosen["movie"]["id"] == films[5].pk
    me.imports_apply(id=brought)
    import_run(brought)
    assert me.imports_retrieve(id=brought)["report"]["n_written"] == 4
    assert me.ratings_retrieve(movie_id=films[5].pk)["stars"] == 3
    me.imports_undo(id=brought)
    import_run(brought)
    assert me.imports_retrieve(id=brought)["status"] == "undone"
    with pytest.raises(ApiError) as refused:
        me.ratings_retrieve(movie_id=films[5].pk)
    assert refused.value.code == "not_found"
    me.imports_list()
    me.imports_forget(id=brought)
    asked = me.exports_create()["id"]
    with pytest.raises(ApiError) as refused:
        me.exports_download(id=asked)
    assert (refused.value.status, refused.value.code) == (409, "under_way")
    export_run(asked)
    me.exports_list()
    me.exports_retrieve(id=asked)
    assert me.exports_download(id=asked)[:2] == b"PK"
    me.deletion_request()
    me.deletion_retrieve()
    me.deletion_cancel()


def _staff(me: Any) -> None:
    User.objects.filter(email="you@example.org").update(is_staff=True)
    ScheduledRun.objects.create(
        name="check-drift", finished_at=timezone.now(), outcome={"is_drifted": False}
    )
    served_now = ModelVersion.objects.get(kind="hybrid", status="active").version
    assert train(is_forced=True).status in {TrainingRun.Status.DONE, TrainingRun.Status.REFUSED}
    newest = ModelVersion.objects.filter(kind="hybrid").latest("created_at").version
    me.models_list()
    me.models_activate(version=newest)
    me.models_reload()
    assert me.models_rollback()["version"] == served_now
    run = TrainingRun.objects.create(kind="lightgcn", stage="Fitting", progress=0.4)
    me.trainings_list()
    assert me.trainings_cancel(id=run.pk)["is_cancel_requested"] is True
    me.trainings_start()
    me.jobs_list()
    made = me.experiments_create(
        name="Blend or ALS", kind="split", policy_a="hybrid", policy_b="als", n_target=100
    )
    me.experiments_list()
    me.experiments_read(id=made["id"])
    me.experiments_start(id=made["id"])
    me.experiments_stop(id=made["id"], reason="Enough seen")


#: Operations whose answer is a file.
FILES = {"exports_download"}


def _write(called: dict[str, tuple[Any, Any]]) -> None:
    """The examples of the document, from what was really sent and answered."""
    examples = {}
    for name, (sent, answer) in sorted(called.items()):
        both = {"request": sent or None, "response": answer if name not in FILES else None}
        shown = {k: _shortened(v) for k, v in both.items() if v is not None}
        if shown:
            examples[name] = shown
    text = yaml.safe_dump(examples, sort_keys=True, allow_unicode=True, width=100)
    EXAMPLES.write_text(
        "# Recorded by tests/api/test_client.py: MARQUEE_WRITE_EXAMPLES=1 pytest tests/api\n" + text
    )


def _shortened(value: Any) -> Any:
    """One entry says what a list holds, three what plain values are like."""
    if isinstance(value, dict):
        return {name: _shortened(one) for name, one in value.items()}
    if isinstance(value, list):
        n = 1 if isinstance(value[0] if value else None, dict) else 3
        return [_shortened(one) for one in value[:n]]
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, str):
        return _neutral(value)
    return value


def _neutral(text: str) -> str:
    """Without what only held for one run: the test server's port, a token that opens nothing."""
    if text.startswith("http://localhost:"):
        return "https://films.example.org/" + text.split("/", 3)[3]
    return "mq_" + "x" * 43 if text.startswith("mq_") and len(text) > 20 else text[:400]
