"""A person, and the limits as they are in earnest."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command

from accounts.models import User

EMAIL = "ada@example.org"
PASSWORD = "a-long-enough-phrase"


@pytest.fixture
def ada(db):
    user = User.objects.create_user(EMAIL, PASSWORD)
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
    return user


@pytest.fixture
def chief(db):
    user = User.objects.create_superuser("chief@example.org", PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.fixture
def limits(db, settings):
    """Limits on, counted where production counts them: a table of Postgres."""
    settings.CACHES = {
        **settings.CACHES,
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "marquee_cache",
            "OPTIONS": {"MAX_ENTRIES": 1_000_000},
        },
    }
    settings.ACCOUNT_RATE_LIMITS = {"visitor": "3/h/ip"}
    call_command("createcachetable")
    return settings
