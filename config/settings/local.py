"""One machine, one operator: what ``make run`` uses. Nothing to configure."""

from __future__ import annotations

from config import env
from config.local_secret import local_secret_key
from config.settings.base import *  # noqa: F403 - settings modules extend each other
from config.settings.base import STORAGES, VAR_DIR

SECRET_KEY = env.text("SECRET_KEY") or local_secret_key(VAR_DIR)
DEBUG = env.flag("DEBUG", default=False)
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
# On one's own machine a password is enough. Where HOST opens it to others, set this to 1.
STAFF_MFA_REQUIRED = env.flag("STAFF_MFA_REQUIRED", default=False)
# `manage.py up` makes a login for trying; production settings never do.
DEMO_LOGIN = True
# Hashed names, but not compressed: brotli would spend 20 s of the first start to spare the loopback
# interface some bytes.
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
