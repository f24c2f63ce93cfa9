#!/usr/bin/env python
"""Marquee's command line."""

import os
import sys


def main() -> None:
    """Run a command with Postgres and Redis at hand, on a fresh checkout too."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    from config.embedded import ensure_services

    ensure_services()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
