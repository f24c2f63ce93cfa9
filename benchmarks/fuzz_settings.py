"""As ``make run`` serves, but that nobody asks too often, and a proof of who one is lasts."""

from config.settings.local import *  # noqa: F403 - settings modules extend each other
from config.settings.local import REST_FRAMEWORK, STORAGES

# The throttles count as they always do; a fuzzer asks more in a minute than they allow.
REST_FRAMEWORK = {
    **REST_FRAMEWORK,
    "DEFAULT_THROTTLE_RATES": {"anon": "1000000/min", "user": "1000000/min"},
}
ACCOUNT_RATE_LIMITS = False  # type: ignore[assignment]  # allauth: no limits at all
ACCOUNT_REAUTHENTICATION_TIMEOUT = 24 * 3600
# No page is asked for: nothing has to be gathered first.
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
