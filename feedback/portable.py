"""What an export and its re-import agree upon."""

from __future__ import annotations

from django.utils.crypto import salted_hmac

FORMAT = "marquee-export"
VERSION = 1
MANIFEST = "marquee.json"
FOLDER = "json"
#: Our own film ids, in exports; of use to this installation only.
SITE = "site"


def site_key() -> str:
    """The same for every export of this installation: only here do its own film ids mean a film."""
    return salted_hmac("marquee.export", "site").hexdigest()[:16]
