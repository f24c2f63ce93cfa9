"""``manage.py messages``: gather the texts of code and templates into the translations' files."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import translations

MAX_SHOWN = 40


class Command(BaseCommand):
    """Gather new texts into ``locale/``; say what is still to be translated."""

    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--check", action="store_true", help="write nothing; fail where something is missing"
        )
        what.add_argument(
            "--compile", action="store_true", help="only compile what has changed, as `up` does"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["compile"]:
            done = translations.compile_changed()
            self.stdout.write(f"Compiled: {', '.join(done)}" if done else "Nothing has changed.")
            return
        missing = 0
        for language in translations.languages():
            path = translations.source_path(language)
            if not options["check"]:
                texts = translations.update(language)
                self.stdout.write(f"{path}: {len(texts)} texts")
            found = translations.problems(language)
            missing += len(found)
            for problem in found[:MAX_SHOWN]:
                self.stdout.write(f"  {problem}")
            if len(found) > MAX_SHOWN:
                self.stdout.write(f"  ... and {len(found) - MAX_SHOWN} more")
        if missing and options["check"]:
            msg = f"{missing} texts are not ready: run manage.py messages and translate them."
            raise CommandError(msg)
        translations.compile_changed()
        if not missing:
            self.stdout.write("Every text is translated.")
