"""WSGI entry point, served by granian."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

application = get_wsgi_application()

# After Django is set up: the model is in memory before the first request, and kept current.
from recommendations.watch import start_watching  # noqa: E402

start_watching()
