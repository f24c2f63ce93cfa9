"""A person with an account."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress

from accounts.models import User

EMAIL = "ada@example.org"
PASSWORD = "a-long-enough-phrase"


@pytest.fixture
def ada():
    user = User.objects.create_user(EMAIL, PASSWORD)
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
    return user
