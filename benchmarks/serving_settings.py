"""As ``make run`` serves, plus one empty view to measure the frame itself by."""

from config.settings.local import *  # noqa: F403 - settings modules extend each other
from config.settings.local import REST_FRAMEWORK

ROOT_URLCONF = "benchmarks.serving_urls"
# The throttles run as they always do; their ceiling is not what is measured.
REST_FRAMEWORK = {
    **REST_FRAMEWORK,
    "DEFAULT_THROTTLE_RATES": {"anon": "1000000/min", "user": "1000000/min"},
}
