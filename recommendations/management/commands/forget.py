"""``manage.py forget``: deletes a person now, and proves it; forgets again after a restore."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import ErasureReceipt, User
from recommendations.services.forgetting import person_forget, tombstones_replay
from recommendations.services.traces import Subject, traces_of


class Command(BaseCommand):
    """Exit status 1 where a trace was left, or the weights are not those of a refit."""

    help = "Forget a person with everything that is theirs, or forget again after a restore."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom, and how thoroughly."""
        parser.add_argument("--user", metavar="EMAIL", help="the address of who is to go")
        parser.add_argument("--prove", action="store_true", help="compare weights with a refit")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--replay-tombstones",
            action="store_true",
            help="forget everybody again whom a restored backup brought back",
        )
        parser.add_argument("--tombstones", type=Path, help="a tombstones.jsonl kept elsewhere")

    def handle(self, *args: Any, **options: Any) -> None:
        """One of the two."""
        if options["replay_tombstones"]:
            path = options["tombstones"]
            if path is not None and not path.is_file():
                raise CommandError(f"There is no file {path}.")
            receipts = tombstones_replay(path)
            self.stdout.write(f"Forgot {len(receipts)} people again.")
            for receipt in receipts:
                self._show(receipt)
            return
        email = (options["user"] or "").strip().lower()
        if not email:
            raise CommandError("Say whom: --user EMAIL, or --replay-tombstones.")
        user = User.objects.accounts().filter(email__iexact=email).first()
        if user is None:
            self._search(email)
            return
        if not options["yes"] and input(f"Forget {email} for good? [y/N] ").lower() != "y":
            raise CommandError("Nothing was deleted.")
        self._show(person_forget(user, is_proved=options["prove"]))

    def _search(self, email: str) -> None:
        """Nobody has this address: look for it all the same."""
        found = traces_of(Subject(0, (email,)))
        if found:
            lines = "\n".join(f"  {trace.where}: {trace.n}" for trace in found)
            raise CommandError(f"No account has this address, but it was found in:\n{lines}")
        self.stdout.write("No account has this address, and it was found nowhere.")

    def _show(self, receipt: ErasureReceipt) -> None:
        report = receipt.report
        self.stdout.write(f"Receipt {receipt.pk}, {receipt.erased_at:%Y-%m-%d %H:%M} UTC")
        for table, n in report["rows"].items():
            self.stdout.write(f"  {n:>8,}  {table}")
        proof = report.get("proof")
        if proof:
            self.stdout.write(
                f"Item weights against a refit without the person ({proof['events']} events, "
                f"{proof['films']:,} films): EASE {proof['ease']:.1e}, "
                f"item-item {proof['item_item']:.1e}"
            )
        if report["to_be_trained_anew"]:
            names = ", ".join(report["to_be_trained_anew"])
            self.stdout.write(f"To be trained anew, and then deleted: {names}")
        if report["traces"]:
            raise CommandError(f"Traces were left: {json.dumps(report['traces'])}")
        self.stdout.write("Searched every table, Redis and our files: no trace is left.")
        if proof and not proof["is_exact"]:
            raise CommandError("The weights are not those of a refit.")
