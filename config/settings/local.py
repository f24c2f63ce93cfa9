"""One machine, one operator: what ``make run`` uses. Nothing to configure."""

from __future__ import annotations

from config import env
from config.local_secret import local_secret_key
from config.settings.base import *  # noqa: F403 - settings modules extend each other
from config.settings.base import VAR_DIR

SECRET_KEY = env.text("SECRET_KEY") or local_secret_key(VAR_DIR)
DEBUG = env.flag("DEBUG", default=False)
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
