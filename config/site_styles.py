"""``css/site.css``: the style sheets that every page needs, as one file and one request.

They stay small files in ``static/css``; this finder puts them together whenever static files are
looked for, so that ``collectstatic`` and a server for development see the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

NAME = "css/site.css"
# In the order in which they follow each other. tokens.css names the layers, so it is the first.
PARTS = (
    *("tokens", "base", "top", "parts", "forms", "tickets", "films", "rows", "stars", "home"),
    *("film-page", "find", "choose", "person", "account"),
)


class SiteStylesFinder(BaseFinder):
    """Finds one file, which it writes below ``VAR_DIR`` when a part has changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = FileSystemStorage(location=settings.VAR_DIR / "styles")

    def check(self, **kwargs: Any) -> list[Any]:
        """Nothing can be set, so nothing can be set wrong."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """The file's path; an empty list where another file is asked for."""
        if path != NAME:
            return []
        written = self._written()
        return [written] if find_all else written

    def list(
        self, ignore_patterns: Iterable[str] | None
    ) -> Iterator[tuple[str, FileSystemStorage]]:
        """The one file and where it lies."""
        self._written()
        yield NAME, self.storage

    def _written(self) -> str:
        folder = settings.BASE_DIR / "static" / "css"
        text = "\n".join((folder / f"{part}.css").read_text(encoding="utf-8") for part in PARTS)
        path = settings.VAR_DIR / "styles" / NAME
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Several processes may do this at once; none ever reads half a file.
            draft = path.with_suffix(f".{os.getpid()}.new")
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)
        return str(path)
