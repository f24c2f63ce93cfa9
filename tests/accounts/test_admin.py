"""The admin: nobody there becomes somebody else, everything done is noted, nothing is counted."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import admin_base
from accounts.models import User
from feedback.models import Rating
from tests.worlds import make_film

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    user = User.objects.create_user("ada@example.org", "a long and old password")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.fixture
def chief(client):
    person = User.objects.create_superuser("chief@example.org")
    client.force_login(person)
    return client


@pytest.fixture
def helper():
    """Staff who may look at people and change them, and nothing else."""
    person = User.objects.create_user("helper@example.org", is_staff=True)
    person.user_permissions.set(
        Permission.objects.filter(codename__in=["view_user", "change_user"])
    )
    client = Client()
    client.force_login(person)
    return client


def change_page(thing) -> str:
    meta = thing._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[thing.pk])


def list_page(model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def test_every_list_answers_with_and_without_a_search(chief, ada):
    for model, its in admin.site._registry.items():
        for query in ({}, {"q": "ada@example.org"}):
            if query and not its.search_fields:
                continue
            answer = chief.get(list_page(model), query)
            assert answer.status_code == 200, (model, query)
            assert "css/admin" in answer.content.decode()


def test_no_page_shows_a_hash_or_takes_a_password_or_another_address(chief, ada):
    page = chief.get(change_page(ada)).content.decode()
    assert ada.password not in page
    assert "argon2" not in page.lower()
    before = ada.password
    address = f"/admin/accounts/user/{ada.pk}/password/"
    new = {"password1": "another 9 password", "password2": "another 9 password"}
    assert chief.get(address).status_code == 403
    assert chief.post(address, new).status_code == 403
    form = chief.get(change_page(ada)).context["adminform"].form
    assert "email" not in form.fields
    ada.refresh_from_db()
    assert ada.password == before


def test_rights_are_given_by_superusers_alone(helper, chief, ada):
    page = helper.get(change_page(ada)).context
    form = page["adminform"].form
    assert not {"is_staff", "is_superuser", "groups", "user_permissions"} & set(form.fields)
    sent = {"display_name": "Ada", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    for inline in page["inline_admin_formsets"]:
        prefix = inline.formset.prefix
        sent |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    helper.post(change_page(ada), sent)
    ada.refresh_from_db()
    assert ada.display_name == "Ada"
    assert not ada.is_staff
    assert not ada.is_superuser
    boss = User.objects.get(email="chief@example.org")
    assert helper.post(change_page(boss), {"display_name": "x"}).status_code == 403
    assert chief.get(change_page(ada)).context["adminform"].form.fields.keys() >= {"is_staff"}


def test_a_mail_for_a_new_password_goes_to_the_person_and_is_noted(chief, ada):
    data = {"action": "send_reset", "_selected_action": [ada.pk]}
    chief.post(list_page(User), data)
    assert [message.to for message in mail.outbox] == [["ada@example.org"]]
    entry = LogEntry.objects.get()
    assert entry.object_id == str(ada.pk)
    assert "new password" in entry.get_change_message()


def test_second_factors_are_listed_without_their_secret_and_taken_away_by_superusers(
    chief, helper, ada
):
    factor = Authenticator.objects.create(
        user=ada, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"}
    )
    page = chief.get(change_page(factor))
    assert page.status_code == 200
    assert "OF-ADA" not in page.content.decode()
    delete = reverse("admin:mfa_authenticator_delete", args=[factor.pk])
    assert helper.post(delete, {"post": "yes"}).status_code == 403
    assert Authenticator.objects.exists()
    chief.post(delete, {"post": "yes"})
    assert not Authenticator.objects.exists()
    assert LogEntry.objects.filter(object_id=str(factor.pk)).exists()


def test_addresses_cannot_be_verified_for_somebody(chief, ada):
    address = EmailAddress.objects.get(user=ada)
    EmailAddress.objects.update(verified=False)
    answer = chief.post(change_page(address), {"verified": "on", "email": ada.email})
    assert answer.status_code == 403
    assert not EmailAddress.objects.get(pk=address.pk).verified


def test_staff_log_a_person_out_everywhere(chief, ada):
    browser = Client()
    browser.post(
        reverse("account_login"), {"login": ada.email, "password": "a long and old password"}
    )
    assert browser.get("/settings/").status_code == 200
    ids = list(UserSession.objects.filter(user=ada).values_list("pk", flat=True))
    assert ids
    chief.post(list_page(UserSession), {"action": "end", "_selected_action": ids})
    assert browser.get("/settings/").status_code == 302
    assert LogEntry.objects.filter(object_id=str(ada.pk)).exists()


def test_the_log_of_staff_is_read_by_staff_and_changed_by_nobody(chief, ada):
    chief.post(list_page(User), {"action": "send_reset", "_selected_action": [ada.pk]})
    entry = LogEntry.objects.get()
    assert "new password" in chief.get(list_page(LogEntry)).content.decode()
    assert chief.post(change_page(entry), {"object_repr": "x"}).status_code == 403
    delete = reverse("admin:admin_logentry_delete", args=[entry.pk])
    assert chief.post(delete, {"post": "yes"}).status_code == 403
    assert LogEntry.objects.filter(pk=entry.pk).exists()


def test_a_large_table_is_never_counted_from_end_to_end(chief, ada, monkeypatch):
    film = make_film("Heat", year=1995)
    Rating.objects.create(user=ada, movie=film, stars="4.5")
    monkeypatch.setattr(admin_base, "LARGE", 0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE feedback_rating")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = chief.get(list_page(Rating))
    counts = [q["sql"] for q in asked.captured_queries if "COUNT(" in q["sql"].upper()]
    assert not [sql for sql in counts if "feedback_rating" in sql and "LIMIT" not in sql]
    assert page.context["cl"].result_count == 1


@pytest.mark.parametrize(("term", "found"), [("ADA@example.org", 1), ("Heat", 1), ("eat", 0)])
def test_feedback_is_found_by_whole_names(chief, ada, term, found):
    Rating.objects.create(user=ada, movie=make_film("Heat", year=1995), stars="4.5")
    page = chief.get(list_page(Rating), {"q": term})
    assert page.context["cl"].result_count == found
