"""What the feedback forms send, parsed once for pages and API."""

from __future__ import annotations

import uuid

from django import forms

from feedback.events import EventContext
from feedback.models import Reaction


class EventForm(forms.Form):
    """The part that every feedback form carries."""

    event_id = forms.UUIDField(required=False)
    surface = forms.CharField(required=False, max_length=24)
    request_id = forms.UUIDField(required=False)
    position = forms.IntegerField(required=False, min_value=0, max_value=1000)

    def event(self) -> EventContext:
        """Of a valid form. Without an id the event is taken as new."""
        data = self.cleaned_data
        return EventContext(
            event_id=data["event_id"] or uuid.uuid4(),
            surface=data["surface"],
            request_id=data["request_id"],
            position=data["position"],
        )


class RateForm(EventForm):
    """Stars; empty takes them back."""

    stars = forms.DecimalField(required=False, max_digits=2, decimal_places=1)


class ReactForm(EventForm):
    """A verb, on or off."""

    kind = forms.ChoiceField(choices=Reaction.Kind.choices)
    on = forms.ChoiceField(choices=[("1", "on"), ("0", "off")], required=False)


class WatchlistForm(EventForm):
    """On the watchlist or off it."""

    on = forms.ChoiceField(choices=[("1", "on"), ("0", "off")], required=False)
