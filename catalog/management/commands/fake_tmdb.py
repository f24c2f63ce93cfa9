"""``manage.py fake_tmdb --data PATH``: enrichment offline, with faults on demand."""

from __future__ import annotations

from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.tmdb.fake.faults import Mischief, Rates
from catalog.tmdb.fake.records import Records
from catalog.tmdb.fake.server import FakeTmdb


class Command(BaseCommand):
    """Serves a table of films on 127.0.0.1 as TMDB would."""

    help = (
        "A development server on 127.0.0.1 that answers like TMDB from a table of film metadata, "
        "with faults at given rates. Start it, then run enrich_tmdb with the addresses it prints."
    )
    # It needs neither tables nor a checked project.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The table, the address, the faults."""
        parser.add_argument("--data", type=Path, required=True, help="a Parquet or CSV table")
        parser.add_argument("--port", type=int, default=8901, help="default 8901; 0: any free one")
        parser.add_argument("--key", default="", help="the only API key to accept (default: any)")
        parser.add_argument("--seed", type=int, default=0, help="of the faults")
        parser.add_argument("--log", type=Path, help="a file that gets one JSON line per request")
        for name, what in (
            ("429", "too many requests"),
            ("500", "internal errors"),
            ("broken", "truncated JSON, wrong types, HTML"),
            ("reset", "connection resets"),
            ("drip", "slow drips"),
            ("oversized", "answers of 3 MB"),
        ):
            option = f"--{name}" if name == "broken" else f"--rate-{name}"
            parser.add_argument(
                option, dest=f"rate_{name}", type=_share, default=0.0, help=f"share of {what}"
            )
        parser.add_argument(
            "--retry-after", type=int, default=1, help="seconds that half of the 429 ask for"
        )
        parser.add_argument("--burst-500", type=int, default=1, help="errors come in such bursts")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until Ctrl-C."""
        path = options["data"]
        if not path.is_file():
            raise CommandError(f"{path} does not exist. Give a Parquet or CSV table of films.")
        rates = Rates(
            busy=options["rate_429"],
            error=options["rate_500"],
            broken=options["rate_broken"],
            reset=options["rate_reset"],
            drip=options["rate_drip"],
            oversized=options["rate_oversized"],
            retry_after_s=options["retry_after"],
            error_burst=options["burst_500"],
        )
        log = options["log"]
        with log.open("a", encoding="utf-8") if log else nullcontext() as file:
            try:
                fake = FakeTmdb(
                    Records.from_file(path),
                    port=options["port"],
                    key=options["key"],
                    mischief=Mischief(rates, seed=options["seed"]),
                    log=file,
                )
            except OSError as error:
                raise CommandError(f"Port {options['port']}: {error.strerror}.") from error
            self.stdout.write(
                f"{len(fake.records):,} films on {fake.url}. In another terminal:\n"
                f"TMDB_BASE_URL={fake.url} TMDB_IMAGE_URL={fake.image_url} "
                f"TMDB_API_KEY={options['key'] or 'any'} python manage.py enrich_tmdb"
            )
            self.stdout.flush()
            try:
                fake.serve()
            except KeyboardInterrupt:
                self.stdout.write("Stopped.")


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError
    return value
