"""A person goes: every row, session, file and weight; and a restored backup forgets them again."""

from __future__ import annotations

import io
from datetime import timedelta

import numpy as np
import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.deletion import deletion_cancel, deletion_request
from accounts.models import ApiToken, DeletionRequest, ErasureReceipt, Tombstone, User
from accounts.tokens import token_create, token_of
from accounts.tombstones import tombstone_file
from feedback.models import Rating
from recommendations.feature_store import build
from recommendations.services.forgetting import deletions_run, is_retraining_due, person_forget
from recommendations.services.traces import Subject, traces_of
from recommendations.services.unlearning import prove, remember
from tests.worlds import make_world

pytestmark = pytest.mark.django_db
EMAIL = "ada.lovelace@example.org"


@pytest.fixture
def world(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    settings.FEATURES_DIR = tmp_path / "features"
    settings.WAREHOUSE_DIR = tmp_path / "warehouse"
    settings.MODELS_DIR = tmp_path / "models"
    return make_world()


@pytest.fixture
def ada(world):
    ada = User.objects.create_user(EMAIL, "a-long-password")
    Rating.objects.bulk_create(
        Rating(user=ada, movie=film, stars=stars)
        for film, stars in zip(world.films[0][:9] + world.films[1][:5], [5, 4.5] * 7, strict=True)
    )
    return ada


def forget(*words):
    out = io.StringIO()
    call_command("forget", *words, stdout=out)
    return out.getvalue()


def test_nothing_is_left_and_the_weights_are_those_of_a_refit(ada):
    client = Client()
    client.force_login(ada)
    client.get("/settings/import/")
    build()
    subject = Subject.of(ada)
    where = {trace.where for trace in traces_of(subject)}
    assert {"accounts_user.email", "feedback_rating.user_id", "sessions"} <= where
    assert any("user_features" in one for one in where)
    said = forget("--user", EMAIL, "--prove", "--yes")
    assert "no trace is left" in said
    assert traces_of(subject) == []
    receipt = ErasureReceipt.objects.get()
    assert str(receipt.pk) in said
    assert receipt.report["rows"]["feedback.Rating"] == 14
    proof = receipt.report["proof"]
    assert proof["events"] == 14
    assert proof["is_exact"]
    assert max(proof["ease"], proof["item_item"]) < 1e-9
    assert EMAIL not in str(receipt.report)
    assert Session.objects.count() == 0
    assert is_retraining_due(receipt.erased_at - timedelta(hours=1))
    assert not is_retraining_due(timezone.now())
    # And again: nobody is there any more.
    assert "found nowhere" in forget("--user", EMAIL)


def test_the_proof_fails_where_the_person_was_not_really_taken_out(ada):
    before = remember(ada)
    Rating.objects.filter(user=ada).first().delete()
    proof = prove(before)
    assert not proof.is_exact
    assert np.isfinite(proof.ease)


def test_a_trace_that_was_left_is_found_and_fails_the_command(ada, settings):
    (settings.VAR_DIR / "notes.log").write_text(f"mailed {EMAIL}\n")
    with pytest.raises(CommandError, match="notes.log"):
        forget("--user", EMAIL, "--yes")
    assert not User.objects.filter(email=EMAIL).exists()
    with pytest.raises(CommandError, match="notes.log"):
        forget("--user", EMAIL)


def test_a_restored_backup_forgets_again_and_a_namesake_stays(ada):
    row = User.objects.filter(pk=ada.pk).values().get()
    person_forget(ada)
    Tombstone.objects.all().delete()  # the backup is from before
    namesake = User.objects.create_user(EMAIL, "another-long-password")
    assert forget("--replay-tombstones").startswith("Forgot 0 people")
    namesake.email = "else@example.org"
    namesake.save(update_fields=["email"])
    User.objects.create(**row)
    tombstone_file().open("a").write('{"digest": "cut off')
    assert forget("--replay-tombstones").startswith("Forgot 1 people")
    assert User.objects.filter(pk=namesake.pk).exists()
    assert not User.objects.filter(pk=row["id"]).exists()


def test_wrong_words_are_answered_with_what_to_do(ada):
    for words in ([], ["--replay-tombstones", "--tombstones", "/nowhere.jsonl"]):
        with pytest.raises(CommandError):
            forget(*words)
    assert User.objects.filter(pk=ada.pk).exists()


def test_the_grace_period_lets_somebody_stay(ada, settings):
    settings.DELETION_GRACE_DAYS = 14
    other = Client()
    other.force_login(ada)
    other.get("/settings/import/")
    secret = token_create(user=ada, name="program", scopes=["read"], days=9).secret
    assert token_of(secret) is not None
    asked = deletion_request(ada)
    assert token_of(secret) is None
    assert not ApiToken.objects.exists()
    assert other.get("/settings/import/").status_code == 302  # logged out everywhere
    assert mail.outbox[0].to == [EMAIL]
    assert deletion_request(ada).due_at == asked.due_at
    assert deletions_run(now=timezone.now() + timedelta(days=13)) == 0
    assert deletion_cancel(ada)
    assert deletions_run(now=timezone.now() + timedelta(days=15)) == 0
    assert User.objects.filter(pk=ada.pk).exists()
    deletion_request(ada)
    assert deletions_run(now=timezone.now() + timedelta(days=15)) == 1
    assert not User.objects.filter(pk=ada.pk).exists()
    assert ErasureReceipt.objects.get().requested_at is not None


def test_the_page_asks_for_the_password_and_a_log_in_offers_to_stay(ada):
    client = Client()
    client.force_login(ada)
    answer = client.post("/settings/delete/")
    assert answer.status_code == 302
    assert "/reauthenticate/" in answer["Location"]
    assert not DeletionRequest.objects.exists()
    # The password given, what was asked for is done.
    answer = client.post(answer["Location"], {"password": "a-long-password"})
    assert answer.status_code == 302
    assert DeletionRequest.objects.get().user == ada
    client.logout()
    answer = client.post("/accounts/login/", {"login": EMAIL, "password": "a-long-password"})
    assert answer["Location"] == "/settings/delete/"
    page = client.get("/settings/delete/").content.decode()
    assert "Keep my account" in page
    client.post("/settings/keep/")
    assert not DeletionRequest.objects.exists()
