"""The Celery application: long work, batch inference, retraining."""

from __future__ import annotations

import os
import warnings

from celery import Celery
from celery.platforms import SecurityWarning

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

# A worker under root (a container, a fresh machine) is dangerous where messages are pickles; ours
# are JSON and nothing else is accepted. `manage.py up` would show this warning at every start.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("marquee")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
