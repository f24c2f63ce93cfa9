"""Writing the ZIP: JSON without loss, CSV for spreadsheets, and what each file is."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import User
from feedback.exports.sections import Row, Section, sections
from feedback.portable import FOLDER, FORMAT, MANIFEST, VERSION, site_key

# Spreadsheets take a cell that begins so for a formula, and may run it (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BEAT_EVERY = 2000


def export_write(
    user: User, into: IO[bytes], *, now: datetime, tell: Callable[[int], None]
) -> dict[str, int]:
    """Writes the ZIP; rows by section. ``tell`` hears of every 2,000 rows, and may raise."""
    counts: dict[str, int] = {}
    digests: dict[str, str] = {}
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for section in sections():
            rows: list[Row] = []
            path = f"{FOLDER}/{section.name}.json"
            with archive.open(path, "w", force_zip64=True) as member:
                digest = hashlib.sha256()
                for piece in _json_list(_told(section, user, rows, tell, sum(counts.values()))):
                    member.write(piece)
                    digest.update(piece)
            digests[path] = digest.hexdigest()
            counts[section.name] = len(rows)
            archive.writestr(f"csv/{section.name}.csv", table_of(rows))
        archive.writestr("README.txt", _readme(user, counts, now))
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "site": site_key(),
            "exported_at": now.isoformat(),
            "rows": counts,
            "sha256": digests,
        }
        archive.writestr(MANIFEST, json.dumps(manifest, indent=2))
    return counts


def _told(
    section: Section, user: User, kept: list[Row], tell: Callable[[int], None], before: int
) -> Iterator[Row]:
    for row in section.rows(user):
        kept.append(row)
        if len(kept) % _BEAT_EVERY == 0:
            tell(before + len(kept))
        yield row
    tell(before + len(kept))


def _json_list(rows: Iterator[Row]) -> Iterator[bytes]:
    yield b"["
    for at, row in enumerate(rows):
        yield (b",\n" if at else b"\n") + json.dumps(row, ensure_ascii=False).encode()
    yield b"\n]\n"


def table_of(rows: list[Row]) -> bytes:
    """Rows as CSV that spreadsheets open: nested values by dotted names, no cell a formula."""
    flat = [dict(_flat(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    for row in flat:
        writer.writerow(cell(row.get(name, "")) for name in names)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def cell(value: Any) -> str:
    """A value as a spreadsheet may see it: what looks like a formula gets a quote before it."""
    text = "" if value is None else str(value)
    if text.startswith(_FORMULA) and not _is_number(text):
        return f"'{text}"
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _flat(row: Row, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{before}{name}.")
        elif isinstance(value, list | dict):
            yield f"{before}{name}", json.dumps(value, ensure_ascii=False) if value else ""
        else:
            yield f"{before}{name}", value


def _readme(user: User, counts: dict[str, int], now: datetime) -> str:
    lines = [
        _("%(site)s: all data of %(email)s, as of %(when)s")
        % {
            "site": settings.SITE_NAME,
            "email": user.email,
            "when": now.isoformat(timespec="seconds"),
        },
        "",
        _(
            "json/ is complete and can be imported again, here or in another %(site)s: Settings, "
            "Import. csv/ is the same as tables; a cell that a spreadsheet would take for a "
            "formula has a quotation mark before it. Times are in UTC."
        )
        % {"site": settings.SITE_NAME},
        "",
    ]
    for section in sections():
        lines.append(f"{section.name:<10} {counts[section.name]:>8}  {section.about}")
    lines += [
        "",
        _(
            "An import takes up taste, ratings, reactions, watchlist, diary, lists, quiz, and from "
            "the log the films that you passed over. What you were shown, your account and other "
            "rows are there for you to read."
        ),
        _("Not in here: your password, keys and other secrets."),
        "",
    ]
    return "\n".join(str(line) for line in lines)
