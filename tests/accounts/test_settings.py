"""One's own name and taste."""

from __future__ import annotations

import pytest

from accounts.choices import GENRES
from accounts.models import TasteSettings, User
from accounts.selectors import taste_of
from accounts.services import Taste, taste_settings_set
from catalog.genres import PRECEDENCE

pytestmark = pytest.mark.django_db

FORM = {
    "display_name": "Ada",
    "year_from": "1950",
    "year_to": "",
    "runtime_max_min": "130",
    "age_ceiling": "",
    "excluded_genres": ["Horror", "War"],
    "languages": ["fr"],
}
TASTE = Taste(
    year_from=1950,
    runtime_max_min=130,
    languages=("fr",),
    excluded_genres=("Horror", "War"),
)


def generation(user):
    return User.objects.values_list("feedback_generation", flat=True).get(pk=user.pk)


def test_settings_are_for_who_is_logged_in(client):
    answer = client.get("/settings/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/settings/")


def test_settings_are_saved_shown_again_and_make_stored_lists_stale(client, ada):
    client.force_login(ada)
    answer = client.post("/settings/", FORM)
    assert (answer.status_code, answer["Location"]) == (302, "/settings/")
    ada.refresh_from_db()
    assert ada.display_name == "Ada"
    assert taste_of(ada) == TASTE
    assert ada.feedback_generation == 1
    page = client.get("/settings/")
    assert page.context["taste"]["year_from"].value() == 1950
    assert "no-store" in page["Cache-Control"]


def test_saving_the_same_again_changes_nothing(client, ada):
    client.force_login(ada)
    client.post("/settings/", FORM)
    client.post("/settings/", FORM)
    assert generation(ada) == 1
    assert TasteSettings.objects.count() == 1


def test_untouched_dials_do_not_make_lists_stale(ada):
    assert taste_settings_set(ada, Taste()) is False
    assert generation(ada) == 0
    assert taste_of(ada) == Taste()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("year_from", "1066"),
        ("age_ceiling", "nan"),
        ("year_to", "1900"),
        ("runtime_max_min", "-4"),
        ("excluded_genres", ["Horrible"]),
        ("languages", ["xx"]),
        ("display_name", "A" * 61),
    ],
)
def test_wrong_values_are_refused_and_nothing_is_saved(client, ada, field, value):
    client.force_login(ada)
    answer = client.post("/settings/", {**FORM, field: value})
    ada.refresh_from_db()
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert ada.display_name == ""
    assert TasteSettings.objects.count() == 0


def test_the_genres_to_leave_out_are_the_catalogues():
    assert tuple(sorted(PRECEDENCE)) == GENRES
