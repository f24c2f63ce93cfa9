"""Every operation of the document costs a fixed number of queries, whatever was done before."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from model_bakery import baker

from accounts.models import ApiToken, User
from accounts.tokens import token_create
from catalog.models import Movie
from config.schema import METHODS
from feedback import journal, services
from feedback.events import EventContext
from feedback.exports.models import ExportJob
from feedback.imports.jobs import import_run
from feedback.imports.models import ImportJob
from feedback.imports.services import import_apply, import_create
from feedback.models import DiaryEntry, FilmList, Reaction
from recommendations.models import Experiment, ModelVersion, TrainingRun
from recommendations.services.experiments import (
    Wanted,
    experiment_create,
    experiment_read,
    experiment_start,
)
from recommendations.snapshot import forget_snapshot
from tests.api.fuzz_world import PASSWORD, PEOPLE, make_fuzz_world

# An export reads a snapshot of its own: not inside a transaction of the test.
pytestmark = pytest.mark.django_db(transaction=True)
JSON = "application/json"
CSV = b"Date,Name,Year,Letterboxd URI,Rating\n2021-05-01,Crime Film 3,1953,u,4\n"

#: With the session and its account, which all but the public ones read. Savepoints count.
BUDGETS: dict[str, int] = {
    # for staff
    "experiments_list": 4,
    "experiments_create": 7,
    "experiments_read": 4,
    "experiments_start": 10,
    "experiments_stop": 11,
    "jobs_list": 3,
    "models_list": 3,
    "models_activate": 9,
    "models_reload": 3,
    "models_rollback": 14,
    "trainings_list": 3,
    "trainings_start": 2,
    "trainings_cancel": 5,
    # feedback, the diary, lists; a write locks its person, notes the event, and counts it
    "feedback_send": 18,
    "diary_list": 4,
    "diary_add": 15,
    "diary_remove": 4,
    "film_state": 6,
    "hidden_list": 4,
    "hidden_put_back": 7,
    "history_list": 4,
    "lists_list": 3,
    "lists_create": 8,
    "lists_retrieve": 5,
    "lists_update": 6,
    "lists_delete": 5,
    "lists_put_film": 14,
    "lists_remove_film": 8,
    "lists_share": 3,
    "lists_unshare": 4,
    "ratings_list": 3,
    "ratings_retrieve": 3,
    "ratings_set": 17,
    "ratings_clear": 13,
    "reactions_list": 4,
    "reactions_set": 22,
    "reactions_clear": 16,
    "watchlist_list": 4,
    "watchlist_add": 15,
    "watchlist_remove": 12,
    "shared_lists_retrieve": 5,
    # films and search
    "genres_list": 3,
    "health": 3,
    "movies_list": 4,
    "movies_retrieve": 9,
    "films_similar": 19,
    "search": 10,
    "sources_list": 3,
    "title_or_prompt": 28,
    # recommendations: feedback, settings and limits, the active model, films and genres, the slate
    "home": 24,
    "next_film": 16,
    "predictions_retrieve": 5,
    "recommendations_for_me": 13,
    "recommendations_why": 14,
    "recommendations_debug": 16,
    "tonight": 16,
    "quiz_answer": 19,
    "recommend": 18,
    "surprise": 12,
    "swipe_deal": 16,
    # me
    "me_retrieve": 2,
    "me_update": 3,
    "devices_list": 4,
    "devices_end": 6,
    "reasons_mute": 10,
    "reasons_unmute": 9,
    "settings_retrieve": 3,
    "settings_update": 10,
    "taste_retrieve": 18,
    "tokens_list": 3,
    "tokens_create": 11,
    "tokens_revoke": 4,
    # my data
    "deletion_retrieve": 3,
    "deletion_request": 16,
    "deletion_cancel": 3,
    "exports_list": 3,
    "exports_create": 10,
    "exports_retrieve": 3,
    "exports_download": 7,
    "imports_list": 3,
    "imports_create": 15,
    "imports_retrieve": 9,
    "imports_forget": 12,
    "imports_apply": 14,
    "imports_cancel": 11,
    "imports_films_list": 7,
    "imports_films_choose": 9,
    "imports_undo": 14,
}

#: What is sent, where something must be.
SENT: dict[str, dict[str, Any]] = {
    "diary_add": {"movie_id": "{film}", "watched_on": "2024-01-01"},
    "experiments_create": {
        **{"name": "Again", "kind": "split", "policy_a": "hybrid", "policy_b": "als"},
    },
    "feedback_send": {
        "events": [
            {
                "event_id": "6f0d3f0e-2d5c-4bb7-9f8c-6d1c5a2b7a11",
                "movie_id": "{film}",
                "verb": "like",
            }
        ]
    },
    "imports_films_choose": {"movie_id": "{film}"},
    "lists_create": {"name": "Sunny days"},
    "lists_update": {"name": "Sunny days"},
    "me_update": {"display_name": "Ada"},
    "quiz_answer": {"mood": "tense"},
    "ratings_set": {"stars": 4},
    "recommend": {"mood": "tense", "recommender": "cf"},
    "settings_update": {"surprise": 0.5},
    "title_or_prompt": {"input_text": "Crime Film 3"},
    "search": {"q": "crime film"},
    "tokens_create": {"name": "Shelf", "scopes": ["read"]},
}


def logged_in() -> Client:
    """Another device of the user's; allauth notes those that come in by its door."""
    client = Client()
    answer = client.post("/accounts/login/", {"login": PEOPLE["user"], "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return client


class Measured:
    """The user of the fuzzed world, who is staff here: one person may ask everything."""

    def __init__(self) -> None:
        known = make_fuzz_world()
        self.films = list(Movie.objects.filter(pk__in=known["movie_id"]).order_by("pk"))
        self.user = User.objects.get(email=PEOPLE["user"])
        User.objects.filter(pk=self.user.pk).update(is_staff=True)
        self.client = logged_in()
        self.client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        self.client.post("/api/v1/quiz/", {"mood": "tense"}, content_type=JSON)
        event = EventContext()
        services.watchlist_set(user=self.user, movie=self.films[2], is_on=True, event=event)
        journal.diary_add(
            user=self.user, movie=self.films[0], watched_on=timezone.now().date(), is_rewatch=False
        )
        token_create(user=self.user, name="Script", scopes=["read"], days=3)
        logged_in()
        self.key = known["key"][0]
        self.rolled_back = ModelVersion.objects.filter(kind="hybrid").latest("created_at").version

    def places(self) -> dict[str, Any]:
        """Name of a part of an address -> what stands there; ``id`` goes by what is before it."""
        job = ImportJob.objects.filter(user=self.user).earliest("created_at")
        lost = job.films.get(state="unknown")
        return {
            "movie_id": self.films[1].pk,
            "film": self.films[1].pk,
            "kind": "like",
            "reason": "trending_now",
            "key": self.key,
            "version": self.rolled_back,
            "film_id": lost.pk,
            "lists": FilmList.objects.filter(user=self.user).earliest("pk").pk,
            "diary": DiaryEntry.objects.filter(user=self.user).earliest("pk").pk,
            "imports": job.pk,
            "exports": ExportJob.objects.filter(user=self.user).earliest("created_at").pk,
            "tokens": ApiToken.objects.filter(user=self.user).earliest("pk").pk,
            "devices": UserSession.objects.filter(user=self.user).earliest("pk").pk,
            "experiments": Experiment.objects.earliest("pk").pk,
        }

    def grow(self) -> None:
        """More of everything."""
        event = EventContext
        made = FilmList.objects.filter(user=self.user).earliest("pk")
        for film in self.films[6:]:
            services.rating_set(user=self.user, movie=film, stars=Decimal(4), event=event())
            services.watchlist_set(user=self.user, movie=film, is_on=True, event=event())
            journal.list_put(film_list=made, movie=film, is_in=True)
            journal.list_create(user=self.user, name=f"More {film.pk}")
            journal.diary_add(
                user=self.user, movie=film, watched_on=timezone.now().date(), is_rewatch=True
            )
        for film in self.films[8:]:
            services.reaction_set(
                user=self.user, movie=film, kind=Reaction.Kind.NEVER, event=event()
            )
        for number in range(2):
            token_create(user=self.user, name=f"Script {number}", scopes=["read"], days=3)
            import_run(import_create(user=self.user, filename="r.csv", content=CSV).pk)
            experiment = experiment_create(
                Wanted(name=f"Try {number}", kind="split", policy_a="hybrid", policy_b="als")
            )
            experiment_read(experiment)
            logged_in()
            baker.make(TrainingRun, status="done", kind="hybrid")


def _applied(here: Measured) -> None:
    job = ImportJob.objects.get(pk=here.places()["imports"])
    assert import_apply(job)
    import_run(job.pk)


def _waiting(here: Measured) -> None:
    import_create(user=here.user, filename="r.csv", content=CSV)


def _training(here: Measured) -> None:
    TrainingRun.objects.create(kind="lightgcn", stage="Fitting")


def _started(here: Measured) -> None:
    experiment_start(Experiment.objects.earliest("pk"))


#: What must be so for the operation to have something to do.
BEFORE: dict[str, Callable[[Measured], None]] = {
    "imports_undo": _applied,
    "imports_cancel": _waiting,
    "trainings_cancel": _training,
    "experiments_stop": _started,
}


@pytest.fixture
def here(settings, tmp_path):
    settings.MODELS_DIR = tmp_path / "models"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
    forget_snapshot()
    yield Measured()
    forget_snapshot()


def operations(document):
    """(its id, method, address) of all of them."""
    return [
        (operation["operationId"], method, path)
        for path, by_method in document["paths"].items()
        for method, operation in by_method.items()
        if method in METHODS
    ]


def test_every_operation_costs_what_its_budget_says(here, document):
    found = {"little was done": costs(here, document)}
    here.grow()
    found["much was done"] = costs(here, document)
    assert found == dict.fromkeys(found, BUDGETS)


def costs(here, document):
    """Operation -> queries, each taken back, the second time it is asked."""
    found = {}
    for name, method, path in operations(document):
        for _ in range(2):
            with transaction.atomic():
                found[name] = cost(here, name, method, path)
                transaction.set_rollback(True)
    return found


def cost(here, name, method, path):
    """Of one operation that succeeds."""
    BEFORE.get(name, lambda _: None)(here)
    places = here.places()
    if name == "imports_cancel":
        places["imports"] = ImportJob.objects.filter(user=here.user).latest("created_at").pk
    if name == "trainings_cancel":
        places["trainings"] = TrainingRun.objects.get(status="running").pk
    url = path
    for part in [p for p in path.split("/") if p.startswith("{")]:
        before = path.split("/")[path.split("/").index(part) - 1]
        url = url.replace(part, str(places[before if part == "{id}" else part.strip("{}")]), 1)
    sent = filled(SENT.get(name, {}), places)
    ask = getattr(here.client, method)
    with CaptureQueriesContext(connection) as queries:
        if name == "imports_create":
            answer = ask(url, {"file": SimpleUploadedFile("r.csv", CSV)})
        elif method == "get":
            answer = ask(url, sent)
        else:
            answer = ask(url, sent, content_type=JSON)
    assert answer.status_code < 300, (name, url, answer.content)
    return len(queries)


def filled(value, places):
    """The body with what its words in braces stand for."""
    if isinstance(value, dict):
        return {name: filled(one, places) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, places) for one in value]
    is_place = isinstance(value, str) and value.startswith("{")
    return places[value.strip("{}")] if is_place else value
