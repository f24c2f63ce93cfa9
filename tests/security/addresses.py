"""Every address of the URL map, so that a page that is added later is walked too."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

#: Every row of the walks' owner has this key: one address per pattern names whatever it can name.
KEY = 4242
UUID_KEY = uuid.UUID(int=KEY)
#: What a path part may hold, by its name or its converter; a new converter fails the walk.
SAMPLES = {
    "int": str(KEY),
    "str": str(KEY),
    "slug": str(KEY),
    "uuid": str(UUID_KEY),
    "path": str(KEY),
    "kind": "like",
}
_PART = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
# A named group of a regular expression (allauth, the admin), with at most one group inside.
_GROUP = re.compile(r"\(\?P<\w+>(?P<body>(?:[^()]|\([^()]*\))*)\)")


def patterns(found: URLResolver, before: str = "") -> Iterator[str]:
    """Every pattern of a URL map, as text."""
    for entry in found.url_patterns:
        text = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, text)
        elif isinstance(entry, URLPattern):
            yield text


def addresses(samples: dict[str, str] | None = None) -> list[str]:
    """One address for each pattern of the URL map in use; raises KeyError for a new converter."""
    values = SAMPLES | (samples or {})
    made = set()
    for pattern in patterns(get_resolver()):
        text = _GROUP.sub(lambda m: _first_of(m["body"]) or values["str"], pattern)
        text = _PART.sub(lambda m: values.get(m["name"]) or values[m["kind"] or "str"], text)
        text = re.sub(r"\(\?:([^|)]*)[^)]*\)", r"\1", text)
        made.add("/" + re.sub(r"\\Z|\.\*|\\|\^|\$", "", text.replace(r"\w+", "app")))
    return sorted(made)


def _first_of(body: str) -> str:
    """The first word of a group that lists words, such as the admin's names of apps."""
    words = body.split("|")
    return words[0] if len(words) > 1 and all(word.isidentifier() for word in words) else ""
