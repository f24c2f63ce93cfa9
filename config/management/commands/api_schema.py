"""``manage.py api_schema``: the committed OpenAPI document, and what would break its clients."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from config.api_changes import breaking_changes

DOCUMENT = settings.BASE_DIR / "docs" / "openapi.yaml"


class Command(BaseCommand):
    """Writes ``docs/openapi.yaml`` anew, unless that would break somebody's client."""

    help = "Compares the API with docs/openapi.yaml; --write stores it, if nothing would break."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do with what was found."""
        parser.add_argument("--write", action="store_true", help="Store the document.")
        parser.add_argument(
            "--break-clients", action="store_true", help="With --write: although clients break."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 1 where clients would break, or where the document is not the API's."""
        new = document_now()
        old = DOCUMENT.read_text() if DOCUMENT.exists() else ""
        broken = breaking_changes(yaml.safe_load(old), yaml.safe_load(new)) if old else []
        for said in broken:
            self.stdout.write(f"breaks: {said}")
        if broken and not options["break_clients"]:
            raise CommandError(
                f"{len(broken)} changes would break clients. Keep the old beside the new "
                "(docs/api.md, Changes), or --write --break-clients before a first release."
            )
        if options["write"]:
            DOCUMENT.write_text(new)
            self.stdout.write(f"Wrote docs/openapi.yaml, {len(new.splitlines())} lines.")
        elif new != old:
            raise CommandError("docs/openapi.yaml is old. Run manage.py api_schema --write.")
        else:
            self.stdout.write("docs/openapi.yaml is the API's.")


def document_now() -> str:
    """The API as it is, as YAML."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return OpenApiYamlRenderer().render(schema, renderer_context={}).decode()
