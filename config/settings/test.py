"""The tests: real Postgres and Redis of their own, mail in memory, plain static files."""

from __future__ import annotations

from config.settings.base import *  # noqa: F403 - settings modules extend each other
from config.settings.base import CACHES, REST_FRAMEWORK, STORAGES

SECRET_KEY = "only-for-tests"  # noqa: S105 - guards nothing
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Argon2 at full cost would be most of the test time; one e2e test logs in under local settings.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
CACHES = {
    **CACHES,
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}
REST_FRAMEWORK = {**REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {"anon": None, "user": None}}
ACCOUNT_RATE_LIMITS = False  # type: ignore[assignment]  # allauth: no limits at all
# Tests of the admin are about the admin; the second factor has its own.
STAFF_MFA_REQUIRED = False
# Live servers start a thread per request; the gate has tests of its own.
WEB_THREADS = 256
