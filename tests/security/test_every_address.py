"""Every address of the URL map: asked by a stranger, a person and a chief."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.test import Client

from accounts.models import User
from feedback.models import DiaryEntry, FilmList, Rating
from tests.security.addresses import addresses
from tests.worlds import make_film

pytestmark = pytest.mark.django_db

#: Rows that looking may write: that somebody was here, what they were shown.
NOTED_BY_LOOKING = {
    *("sessions.Session", "feedback.Slate", "feedback.Impression"),
    *("catalog.LlmCall", "recommendations.Recommendation"),
}
#: Where the API takes a form, for files.
API_FORMS = {"/api/v1/me/imports/"}
# Pages that a stranger may see are the same for all strangers and may be cached.
OPEN_TO_CACHES = ("/manifest.webmanifest", "/favicon.ico", "/sw.js", "/offline/")


@pytest.fixture
def film():
    return make_film("Heat", year=1995)


def counts() -> dict[str, int]:
    return {
        model._meta.label: model._base_manager.count()
        for model in apps.get_models(include_auto_created=True)
        if model._meta.label not in NOTED_BY_LOOKING
    }


@pytest.fixture(params=["a stranger", "a person", "a chief"])
def somebody(request, film):
    """Who asks; the film is theirs in every way."""
    client = Client(raise_request_exception=False)
    if request.param == "a stranger":
        return client
    make = User.objects.create_superuser if "chief" in request.param else User.objects.create_user
    person = make("somebody@example.org")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    Rating.objects.create(user=person, movie=film, stars="4.5")
    client.force_login(person)
    return client


def test_the_map_is_large_enough_to_be_the_map(film):
    found = addresses({"int": str(film.pk)})
    assert len(found) > 120
    assert {"/", "/accounts/login/", "/api/v1/movies/", f"/films/{film.pk}/", "/admin/"} <= set(
        found
    )


def test_looking_breaks_nothing_changes_nothing_and_is_guarded(somebody, film):
    before = counts()
    wrong = []
    for path in addresses({"int": str(film.pk)}):
        answer = somebody.get(path, secure=True)
        policy = answer.get("Content-Security-Policy", "")
        kind = answer.get("Content-Type", "")
        expected = {
            "status": answer.status_code < 500,
            "CSP": "default-src 'none'" in policy and "unsafe-" not in policy,
            "nosniff": answer.get("X-Content-Type-Options") == "nosniff",
            "frames": answer.get("X-Frame-Options") == "DENY",
            "referrer": answer.get("Referrer-Policy") == "same-origin",
            "opener": answer.get("Cross-Origin-Opener-Policy") == "same-origin",
            "request id": bool(answer.get("X-Request-ID")),
            "charset": "charset=" in kind or not kind.startswith("text/"),
            "no CORS": not answer.has_header("Access-Control-Allow-Origin"),
            "no server name": not answer.has_header("Server"),
        }
        wrong += [
            f"{path}: {what} ({answer.status_code})" for what, ok in expected.items() if not ok
        ]
    assert wrong == []
    assert counts() == before


def test_what_a_session_is_shown_is_kept_by_no_cache(somebody, film):
    is_stranger = "_auth_user_id" not in somebody.session
    wrong = []
    for path in addresses({"int": str(film.pk)}):
        answer = somebody.get(path, secure=True)
        if is_stranger:
            # Looking around gives nobody a session, so there is nothing to keep.
            assert not answer.cookies.get("sessionid") or path.startswith("/accounts/"), path
            continue
        kept = answer.get("Cache-Control", "")
        is_public = "public" in kept or "immutable" in kept or kept == "no-cache"
        if kept.startswith("public") and path.startswith("/api/v1/"):
            # What the API lets caches keep says the same to everybody.
            assert answer.content == Client().get(path, secure=True).content, path
            continue
        is_picture = answer.get("Content-Type", "").startswith(("image/", "text/css"))
        is_for_all = is_picture or path in OPEN_TO_CACHES
        if kept.startswith("public") and path.startswith("/api/"):
            # The catalogue: a person is told what a stranger is told, to the letter.
            is_for_all = answer.content == Client().get(path, secure=True).content
        if "no-store" not in kept and not (is_public and is_for_all):
            wrong.append(f"{path}: {answer.status_code} {kept!r}")
    assert wrong == []


def test_an_address_with_a_nul_names_nothing(somebody):
    """Postgres keeps none, and refuses a query that asks for one."""
    broken = dict.fromkeys(("str", "slug", "path", "kind", "int", "uuid"), "a%00b")
    wrong = []
    for path in addresses(broken):
        if "%00" in path:
            answer = somebody.get(path, secure=True)
            is_api = path.startswith("/api/")
            if answer.status_code >= 500 or (is_api and answer.status_code == 200):
                wrong.append(f"{path}: {answer.status_code}")
    assert wrong == []


def test_strangers_are_refused_what_is_not_theirs(film):
    """Another person's rows answer as if there were none."""
    owner = User.objects.create_user("owner@example.org")
    diary = DiaryEntry.objects.create(user=owner, movie=film, watched_on="2026-01-02")
    mine = FilmList.objects.create(user=owner, name="Mine")
    other = Client()
    other.force_login(User.objects.create_user("other@example.org"))
    for path in (f"/lists/{mine.pk}/",):
        assert other.get(path).status_code == 404
    for path in (
        f"/diary/{diary.pk}/remove/",
        f"/lists/{mine.pk}/change/",
        f"/lists/{mine.pk}/share/",
        f"/lists/{mine.pk}/delete/",
        f"/lists/{mine.pk}/films/{film.pk}/",
    ):
        assert other.post(path, {"name": "Taken", "on": "1"}).status_code == 404, path
    assert DiaryEntry.objects.filter(user=owner).count() == 1
    assert FilmList.objects.get(user=owner).name == "Mine"


def test_posts_without_a_token_are_refused_everywhere(film):
    """The one thing that stands between another site's form and a logged-in person."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(User.objects.create_superuser("chief@example.org"))
    before = counts()
    wrong = []
    for path in addresses({"int": str(film.pk)}):
        is_json = path.startswith("/api/") and path not in API_FORMS
        sent = {"content_type": "application/json"} if is_json else {}
        answer = client.post(path, {"stars": "4", "kind": "like", "next": "/"}, **sent)
        if path.startswith("/_allauth/app/") and answer.status_code in {400, 401, 409}:
            continue  # apps bring no cookie, so nobody's browser can be made to act there
        # 405: takes no posts. 404: no such row. A token is asked for before anything is done.
        # Apps have no cookies for another site to use: they are asked for a session token first.
        is_for_apps = path.startswith("/_allauth/app/")
        refusals = {403, 404, 405} | ({400, 401, 409, 410} if is_for_apps else set())
        if answer.status_code not in refusals:
            wrong.append(f"{path}: {answer.status_code}")
    assert wrong == []
    assert counts() == before


def test_there_is_nothing_to_list_or_trace():
    client = Client(raise_request_exception=False)
    for path in ("/static/", "/static/css/", "/static/../manage.py", "/.git/config", "/.env"):
        assert client.get(path).status_code == 404, path
    for path in ("/", "/about/", "/api/v1/genres/"):
        assert client.generic("TRACE", path, headers={"X-Secret": "told"}).status_code == 405
