"""The login for trying: made by the first start, never under production settings."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from accounts.models import User

EMAIL = "demo@marquee.local"


@dataclass(frozen=True)
class DemoLogin:
    """What to type into the login form."""

    email: str
    password: str


def ensure_demo_login(var_dir: Path) -> DemoLogin:
    """The demo person, able to log in with the password kept in ``var/demo_login`` (mode 0600).

    A new password is made where the file is missing or no longer opens the account.
    """
    if not settings.DEMO_LOGIN:
        msg = "The demo login is for one's own machine: these settings do not allow it."
        raise ImproperlyConfigured(msg)
    path = var_dir / "demo_login"
    with transaction.atomic():
        user, _ = User.objects.get_or_create(
            email=EMAIL, defaults={"is_demo": True, "display_name": "Demo"}
        )
        password = _kept_password(path)
        if password is None or not user.check_password(password):
            password = secrets.token_urlsafe(9)
            user.set_password(password)
            user.save(update_fields=["password"])
            _keep_password(path, password)
        EmailAddress.objects.update_or_create(
            user=user, email=EMAIL, defaults={"verified": True, "primary": True}
        )
    return DemoLogin(email=EMAIL, password=password)


def _kept_password(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None


def _keep_password(path: Path, password: str) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{password}\n")
    draft.replace(path)
