"""Making an account, logging in and out, and where one lands after it."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import IntegrityError

from accounts.models import User
from tests.accounts.conftest import EMAIL, PASSWORD

pytestmark = pytest.mark.django_db

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/for-you/",
    "/\\evil.example",
    "javascript:alert(1)",
    "http:evil.example",
]


def who(client):
    return client.session.get("_auth_user_id")


def sign_up(client, email="new@example.org", **data):
    return client.post("/accounts/signup/", {"email": email, "password1": PASSWORD, **data})


def log_in(client, email=EMAIL, password=PASSWORD, **data):
    return client.post("/accounts/login/", {"login": email, "password": password, **data})


def test_an_account_takes_an_address_and_one_password(client, mailoutbox):
    answer = sign_up(client)
    user = User.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert user.email == "new@example.org"
    assert user.check_password(PASSWORD)
    assert who(client) == str(user.pk)
    assert [mail.to for mail in mailoutbox] == [["new@example.org"]]


def test_addresses_are_stored_in_small_letters_and_typed_in_any(client):
    sign_up(client, "Ada.Lovelace@Example.ORG")
    assert User.objects.get().email == "ada.lovelace@example.org"
    client.logout()
    answer = log_in(client, "ADA.lovelace@EXAMPLE.org")
    assert (answer.status_code, who(client)) == (302, str(User.objects.get().pk))


def test_the_database_refuses_a_second_account_that_differs_in_case(ada):
    with pytest.raises(IntegrityError):
        User.objects.create(email="ADA@example.org")


@pytest.mark.parametrize("password", ["short", "password123", "1234567890123"])
def test_weak_passwords_are_refused_with_a_reason_at_the_field(client, password):
    answer = sign_up(client, password1=password)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert User.objects.count() == 0
    assert 'aria-invalid="true"' in html
    assert 'id="id_password1_error"' in html
    assert 'aria-describedby="id_password1_helptext id_password1_error"' in html


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client, ada):
    wrong = log_in(client, password="not-the-phrase-at-all")
    unknown = log_in(client, email="nobody@example.org")
    assert wrong.context["form"].errors == unknown.context["form"].errors
    assert "do not belong together" in wrong.content.decode()
    assert who(client) is None


@pytest.mark.parametrize("act", [log_in, sign_up])
def test_the_page_that_asked_is_the_one_shown_after(client, ada, act):
    asked = client.get("/settings/?part=taste")
    assert asked.status_code == 302
    page = client.get(asked["Location"])
    assert 'value="/settings/?part=taste"' in page.content.decode()
    answer = act(client, next="/settings/?part=taste")
    assert answer["Location"] == "/settings/?part=taste"


def test_next_survives_the_way_from_log_in_to_sign_up_and_back(client):
    login = client.get("/accounts/login/", {"next": "/for-you/"})
    assert login.context["signup_url"] == "/accounts/signup/?next=%2Ffor-you%2F"
    signup = client.get(login.context["signup_url"])
    assert signup.context["login_url"] == "/accounts/login/?next=%2Ffor-you%2F"
    assert 'name="next" value="/for-you/"' in signup.content.decode()


def test_the_links_in_the_head_bring_people_back_to_the_page_they_were_on(client):
    html = client.get("/about/").content.decode()
    assert '"/accounts/login/?next=%2Fabout%2F"' in html
    assert '"/accounts/signup/?next=%2Fabout%2F"' in html


@pytest.mark.parametrize("evil", ELSEWHERE)
@pytest.mark.parametrize("act", [log_in, sign_up])
def test_nobody_is_led_to_another_site(client, ada, settings, act, evil):
    settings.ALLOWED_HOSTS = ["testserver", "evil.example"]
    assert act(client, next=evil)["Location"] == "/"


def test_logging_out_takes_a_post(client, ada):
    client.force_login(ada)
    assert client.get("/accounts/logout/").status_code == 200
    assert who(client) == str(ada.pk)
    answer = client.post("/accounts/logout/")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert who(client) is None


def test_who_is_in_already_is_not_asked_again(client, ada):
    client.force_login(ada)
    answer = client.get("/accounts/login/", {"next": "/about/"})
    assert (answer.status_code, answer["Location"]) == (302, "/about/")


def test_an_inactive_account_stays_out(client, ada):
    ada.is_active = False
    ada.save(update_fields=["is_active"])
    answer = log_in(client)
    assert answer["Location"] == "/accounts/inactive/"
    assert who(client) is None


def test_five_wrong_passwords_lock_the_door_even_for_the_right_one(client, ada, settings):
    settings.ACCOUNT_RATE_LIMITS = {}
    cache.clear()
    for _ in range(5):
        log_in(client, password="not-the-phrase-at-all")
    answer = log_in(client)
    cache.clear()
    assert "Too many tries" in answer.content.decode()
    assert who(client) is None


class TestWhereAddressesMustBeConfirmed:
    """Production's rule: no way in without the link from the mail."""

    @pytest.fixture(autouse=True)
    def _mandatory(self, settings):
        settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"

    def test_a_second_registration_does_not_reveal_the_account(self, client, ada, mailoutbox):
        taken = sign_up(client, EMAIL)
        free = sign_up(client, "new@example.org")
        assert (taken.status_code, taken["Location"]) == (free.status_code, free["Location"])
        assert (
            client.get(taken["Location"]).content.decode().count("Look in your mail")
            == client.get(free["Location"]).content.decode().count("Look in your mail")
            > 0
        )
        assert User.objects.filter(email=EMAIL).count() == 1
        told, link = mailoutbox
        assert told.to == [EMAIL]
        assert "There is one already" in told.body
        assert "/confirm-email/" not in told.body
        assert link.to == ["new@example.org"]

    def test_the_mail_leads_in_and_on_to_the_page_that_asked(self, client, mailoutbox):
        answer = sign_up(client, next="/for-you/")
        assert answer["Location"] == "/accounts/confirm-email/"
        assert who(client) is None
        link = next(word for word in mailoutbox[0].body.split() if "/confirm-email/" in word)
        assert "Yes, confirm it" in client.get(link).content.decode()
        assert not EmailAddress.objects.get().verified
        done = client.post(link)
        assert EmailAddress.objects.get().verified
        assert (done.status_code, done["Location"]) == (302, "/for-you/")
        assert who(client) == str(User.objects.get().pk)

    def test_the_link_in_another_browser_confirms_but_lets_nobody_in(
        self, client, client2, mailoutbox
    ):
        sign_up(client)
        link = next(word for word in mailoutbox[0].body.split() if "/confirm-email/" in word)
        client2.post(link)
        assert EmailAddress.objects.get().verified
        assert who(client2) is None

    @pytest.fixture
    def client2(self):
        from django.test import Client

        return Client()
