"""The way back of an act: a toast beside the widget that asked, or a sentence on the next page."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest
from django.template.loader import render_to_string

from catalog.models import Movie

# What marks a message with a way back; other messages may carry tags of their own.
_MARK = "undo "


@dataclass(frozen=True)
class Toast:
    """What was done, and the form that undoes it."""

    message: str
    undo_url: str
    undo_fields: dict[str, str] = field(default_factory=dict)
    # Where the toast is the ticket stub of a rating.
    stars: Decimal | None = None


def toast_html(request: HttpRequest, toast: Toast, *, movie: Movie, target: str) -> str:
    """For the end of a fragment; ``target`` is the id of the widget that the undo answers to."""
    context = {
        "message": toast.message,
        "undo_url": toast.undo_url,
        "undo_fields": list(toast.undo_fields.items()),
        "undo_target": target,
        "movie": movie,
        "stars": toast.stars,
    }
    return render_to_string("feedback/_undo_toast.html", context, request)


def say_with_undo(request: HttpRequest, toast: Toast) -> None:
    """For the page that is shown next: the sentence, and a button that takes the act back."""
    way_back = json.dumps([toast.undo_url, toast.undo_fields])
    messages.success(request, toast.message, extra_tags=_MARK + way_back)


def undo_of(message: Message) -> tuple[str, list[tuple[str, str]]] | None:
    """Address and fields that ``say_with_undo`` put into a message; None for any other one."""
    if not (message.extra_tags or "").startswith(_MARK):
        return None
    url, fields = json.loads((message.extra_tags or "").removeprefix(_MARK))
    return url, list(fields.items())
