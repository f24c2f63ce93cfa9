#!/usr/bin/env python
"""Marquee's command line."""

import os
import sys


def main() -> None:
    """Run a command with Postgres and Redis at hand, on a fresh checkout too."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    from django.core.exceptions import ImproperlyConfigured

    from config import env
    from config.embedded import EmbeddedServiceError, ensure_services

    try:
        env.load_file()
        # Behind a wrong DJANGO_SETTINGS_MODULE an empty local database would look like lost data:
        # production names its servers.
        if os.environ["DJANGO_SETTINGS_MODULE"] != "config.settings.production":
            ensure_services()
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
    except (EmbeddedServiceError, ImproperlyConfigured) as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
