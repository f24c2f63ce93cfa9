"""What can be done for a search that waits for its turn.

Nearly all that a search costs a web process is done for it alone. Its vector is not: four in one
pass take less than half the time of four passes (``catalog.embeddings.encoders``). So each search
in line is read while it waits and says which vector it will want; whoever has their turn takes
those along.
"""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest
from django.urls import reverse

from catalog.embeddings.encoders import query_vectors
from catalog.reading import is_wish, read_at_hand
from catalog.search_request import SearchRequest
from catalog.shelf import current_shelf


def read_ahead(request: HttpRequest) -> None:
    """Reads a search and announces its vector; for ``settings.WHILE_IN_LINE``.

    Without a query to Postgres: who waits takes no connection from those who work.
    """
    shelf = current_shelf()
    if shelf is None or shelf.space is None:
        return
    if request.method != "GET" or request.path_info not in _search_paths():
        return
    asked = SearchRequest.from_query(request.GET)
    text = asked.text
    if not is_wish(text):
        return
    if asked.chips is None:
        reading = read_at_hand(text)
        if reading is None:
            return
        if reading.chips:  # else all of its words count
            text = reading.text
    if text:
        query_vectors.announce(text, encoder=shelf.space.encoder)


@cache
def _search_paths() -> frozenset[str]:
    return frozenset((reverse("catalog:search"), reverse("api-search")))
