"""Imports, exports and the end of an account by API: whose, in which order, after what proof."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import DeletionRequest, KeptAnswer, User
from accounts.tokens import token_create
from accounts.uploads import MAX_FILE_BYTES
from feedback.exports.jobs import export_run
from feedback.exports.models import ExportJob
from feedback.imports.models import ImportJob
from feedback.models import Rating
from tests.feedback.imports import files
from tests.feedback.imports.conftest import ada, bring, films, run, write  # noqa: F401 - fixtures
from tests.feedback.test_exports import proven

pytestmark = pytest.mark.django_db
JSON = "application/json"
API = "/api/v1/me"


@pytest.fixture
def mine(ada):  # noqa: F811
    """Ada's browser, her password given a moment ago."""
    client = Client()
    proven(client, ada)
    return client


@pytest.fixture
def eve():
    client = Client()
    proven(client, User.objects.create_user("eve@example.org", "a-long-password"))
    return client


def upload(client, content=files.RATINGS, name="ratings.csv", **headers):
    content = content if isinstance(content, bytes) else content.encode()
    body = {"file": SimpleUploadedFile(name, content)}
    return client.post(f"{API}/imports/", body, headers=headers)


def code_of(answer):
    return answer.json()["error"]["code"]


def test_a_file_is_read_repaired_written_and_taken_back(mine, films):  # noqa: F811
    answer = upload(mine, files.RATINGS + "2021-05-06,Nowhere to be found,2006,u,3\n")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    path = answer["Location"]
    job = run(ImportJob.objects.get())
    shown = mine.get(path).json()
    assert (shown["status"], shown["report"]["n_unknown"]) == ("ready", 1)
    assert not Rating.objects.exists()
    [lost] = mine.get(f"{path}films/?state=unknown").json()["results"]
    choose = f"{path}films/{lost['id']}/"
    answer = mine.put(choose, {"movie_id": films["stalker"].pk}, content_type=JSON)
    assert (answer.json()["state"], answer.json()["movie"]["title"]) == ("chosen", "Stalker")
    assert mine.post(f"{path}apply/").status_code == 202
    assert code_of(mine.delete(path)) == "under_way"
    assert code_of(mine.put(choose, {"movie_id": None}, content_type=JSON)) == "under_way"
    run(job)
    assert float(Rating.objects.get(movie=films["stalker"]).stars) == 3
    assert code_of(mine.put(choose, {"movie_id": None}, content_type=JSON)) == "nothing_to_do"
    assert code_of(mine.post(f"{path}apply/")) == "nothing_to_do"
    assert mine.post(f"{path}undo/").status_code == 202
    run(job)
    assert not Rating.objects.exists()
    assert code_of(mine.post(f"{path}undo/")) == "nothing_to_do"
    assert code_of(mine.post(f"{path}cancel/")) == "nothing_to_do"
    assert mine.delete(path).status_code == 204
    assert mine.get(path).status_code == 404


def test_a_film_is_left_out_or_is_one_that_is_there(mine, films):  # noqa: F811
    path = upload(mine, files.RATINGS + "2021-05-06,Nowhere to be found,2006,u,3\n")["Location"]
    run(ImportJob.objects.get())
    [lost] = mine.get(f"{path}films/?state=unknown").json()["results"]
    choose = f"{path}films/{lost['id']}/"
    answer = mine.put(choose, {"movie_id": 10**9}, content_type=JSON)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["movie_id"])
    assert mine.put(choose, {"movie_id": None}, content_type=JSON).json()["state"] == "skipped"
    assert mine.get(path).json()["report"]["n_skipped"] == 1
    assert mine.get(f"{path}films/?state=odd").status_code == 400


def test_pages_of_imports_repeat_and_skip_none(mine):
    made = [upload(mine)["Location"].split("/")[-2] for _ in range(3)]
    first = mine.get(f"{API}/imports/?page_size=2").json()
    second = mine.get(first["next"]).json()
    seen = [row["id"] for row in first["results"] + second["results"]]
    assert seen == list(reversed(made))
    assert second["next"] is None
    refused = upload(mine)
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["file"])
    assert ImportJob.objects.count() == 3


def test_one_key_is_one_upload_whatever_the_boundary(mine):
    key = {"Idempotency-Key": "k1"}
    first = upload(mine, **key)
    again = upload(mine, **key)
    assert again["Idempotency-Replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    other = upload(mine, files.DIARY, **key)
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
    assert ImportJob.objects.count() == KeptAnswer.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"", 400, "invalid"), (b"x" * (MAX_FILE_BYTES + 1), 413, "too_large")],
)
def test_an_empty_and_a_huge_file_are_refused(mine, content, status, code):
    answer = upload(mine, content)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert not ImportJob.objects.exists()


def test_a_body_that_is_no_form_is_refused(mine):
    answer = mine.post(f"{API}/imports/", {}, content_type=JSON)
    assert (answer.status_code, code_of(answer)) == (415, "unsupported_media_type")
    answer = mine.post(f"{API}/imports/", {})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["file"])


def test_an_export_needs_proof_and_is_its_persons_until_it_expires(mine, eve, ada):  # noqa: F811
    session_only = Client()
    session_only.force_login(ada)
    answer = session_only.post(f"{API}/exports/")
    assert (answer.status_code, code_of(answer)) == (403, "reauthentication_required")
    assert not ExportJob.objects.exists()
    answer = mine.post(f"{API}/exports/")
    assert answer.status_code == 202
    path = answer["Location"]
    assert mine.post(f"{API}/exports/").json()["id"] == answer.json()["id"]
    assert code_of(mine.get(f"{path}file/")) == "under_way"
    export_run(ExportJob.objects.get().pk)
    assert mine.get(path).json()["status"] == "done"
    file = mine.get(f"{path}file/", headers={"Accept": "application/zip"})
    assert (file["Content-Type"], file.content[:2]) == ("application/zip", b"PK")
    assert file["Cache-Control"] == "private, no-store"
    kept = mine.get(f"{path}file/", headers={"If-None-Match": file["ETag"]})
    assert (kept.status_code, kept.content) == (304, b"")
    assert code_of(session_only.get(f"{path}file/")) == "reauthentication_required"
    for theirs in (path, f"{path}file/"):
        assert eve.get(theirs).status_code == 404
        assert Client().get(theirs).status_code == 401
    ExportJob.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    gone = mine.get(f"{path}file/", headers={"Accept": "application/zip"})
    assert (gone.status_code, code_of(gone)) == (410, "expired")


def test_an_import_is_nobody_elses(mine, eve, films):  # noqa: F811
    path = upload(mine)["Location"]
    film = run(ImportJob.objects.get()).films.first().pk
    for client, status in ((eve, 404), (Client(), 401)):
        asked = [client.get(path), client.get(f"{path}films/"), client.delete(path)]
        asked += [client.post(f"{path}{act}/") for act in ("apply", "undo", "cancel")]
        asked.append(client.put(f"{path}films/{film}/", {"movie_id": None}, content_type=JSON))
        assert {answer.status_code for answer in asked} == {status}
    assert eve.get(f"{API}/imports/").json()["results"] == []
    assert ImportJob.objects.get().status == "ready"


def test_giving_up_an_account_needs_proof_and_can_be_taken_back(mine, ada):  # noqa: F811
    elsewhere = Client()
    elsewhere.force_login(ada)
    answer = elsewhere.put(f"{API}/deletion/")
    assert (answer.status_code, code_of(answer)) == (403, "reauthentication_required")
    assert not DeletionRequest.objects.exists()
    asked = mine.put(f"{API}/deletion/").json()
    assert asked["due_at"]
    assert mine.put(f"{API}/deletion/").json() == asked
    assert elsewhere.get(f"{API}/deletion/").status_code == 401  # every other session has ended
    assert mine.get(f"{API}/deletion/").json() == asked
    assert mine.delete(f"{API}/deletion/").status_code == 204
    assert mine.get(f"{API}/deletion/").json()["due_at"] is None
    assert not DeletionRequest.objects.exists()


def test_no_program_with_a_token_takes_all_data_or_the_account(client, ada):  # noqa: F811
    made = token_create(user=ada, name="Script", scopes=["read", "write"], days=1)
    headers = {"Authorization": f"Bearer {made.secret}"}
    for method, path in (("post", "exports"), ("get", "exports"), ("put", "deletion")):
        answer = getattr(client, method)(f"{API}/{path}/", headers=headers)
        assert (answer.status_code, code_of(answer)) == (403, "login_required")
    assert upload(client, **headers).status_code == 202  # bringing a file is writing
    assert not ExportJob.objects.exists()


FORM = "multipart/form-data"
PART = '--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{text}\r\n'
BROKEN_FORMS = {
    "no boundary": (FORM, "--x--\r\n"),
    "a boundary that is none": (f"{FORM}; boundary=\u00e4", "--x--\r\n"),
    "a thousand fields": (
        f"{FORM}; boundary=x",
        "".join(PART.format(name=f"f{i}", more="", text="") for i in range(1001)) + "--x--\r\n",
    ),
    "a hundred files": (
        f"{FORM}; boundary=x",
        "".join(PART.format(name=f"f{i}", more='; filename="a"', text="") for i in range(101))
        + "--x--\r\n",
    ),
}


@pytest.mark.parametrize("what", BROKEN_FORMS)
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k1"}], ids=["plain", "with a key"])
def test_a_form_that_cannot_be_read_is_said_in_the_one_shape(mine, what, headers):
    kind, body = BROKEN_FORMS[what]
    answer = mine.generic("POST", f"{API}/imports/", body, content_type=kind, headers=headers)
    assert (answer.status_code, code_of(answer)) == (400, "parse_error")
    assert not ImportJob.objects.exists()


def test_a_field_that_is_longer_than_what_is_held_in_memory_is_too_large(mine, settings):
    text = "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    body = PART.format(name="note", more="", text=text) + "--x--\r\n"
    answer = mine.generic("POST", f"{API}/imports/", body, content_type=f"{FORM}; boundary=x")
    assert (answer.status_code, code_of(answer)) == (413, "too_large")
