"""``manage.py smoke``: does what is installed here answer?"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.test import Client, override_settings
from django.urls import reverse

from catalog.models import Movie
from recommendations.models import ModelVersion
from recommendations.snapshot import look_for_snapshot


class Command(BaseCommand):
    """Asks the pages that everybody sees, in this process: after a deployment or a restore."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = [*self._wrong_model(), *self._wrong_pages()]
        if wrong:
            raise CommandError("; ".join(wrong))
        self.stdout.write("Smoke test: every page answers, and the model's files are whole.")

    def _wrong_model(self) -> list[str]:
        active = ModelVersion.objects.filter(kind="hybrid", status="active").first()
        if active is None:
            return []
        served = look_for_snapshot()
        if served is None or served.version_id != active.pk:
            return [f"the active model {active.version} cannot be read (see the log)"]
        return []

    def _wrong_pages(self) -> list[str]:
        paths = ["/readyz", "/livez", reverse("home"), reverse("catalog:browse")]
        paths += [reverse("account_login"), reverse("about"), "/api/v1/genres/"]
        movie = Movie.objects.visible().order_by("pk").first()
        if movie is not None:
            paths.append(movie.get_absolute_url())
        host = next((host for host in settings.ALLOWED_HOSTS if host != "*"), "localhost")
        wrong = []
        # Plain addresses of static files: they may not have been collected here yet.
        plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
        storages = {**settings.STORAGES, "staticfiles": {"BACKEND": plain}}
        with override_settings(STORAGES=storages):
            client = Client(raise_request_exception=False, SERVER_NAME=host.lstrip("."))
            for path in paths:
                status = client.get(path, secure=True).status_code
                if status != 200:
                    wrong.append(f"{path} answered {status}")
        return wrong
