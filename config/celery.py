"""The Celery application: long work, batch inference, retraining."""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import before_task_publish

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

# A worker under root (a container, a fresh machine) is dangerous where messages are pickles; ours
# are JSON and nothing else is accepted. `manage.py up` would show this warning at every start.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("marquee")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@before_task_publish.connect
def _say_when(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Celery's messages do not say when they were sent; the age of a queue is read off this."""
    if headers is not None:
        headers["published_at"] = time.time()
