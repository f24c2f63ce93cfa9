"""The swipe deck as the API speaks of it."""

from __future__ import annotations

from rest_framework import serializers

from accounts.api.inputs import Body, IdField
from catalog.reading import MAX_TEXT
from catalog.search_request import MAX_CHIPS
from ml.intent import Mood
from recommendations.swipe import MAX_CARDS, MAX_FIRST, MAX_HELD
from recommendations.swipe_slates import MAX_RECEIPT

MAX_SHOWN = 60
MOODS = [mood.value for mood in Mood]


class ShownSerializer(Body):
    """Cards of one deal that were turned up."""

    receipt = serializers.CharField(max_length=MAX_RECEIPT)
    positions = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=MAX_CARDS), max_length=MAX_CARDS
    )


class DealBodySerializer(Body):
    """What to deal for."""

    n = serializers.IntegerField(
        min_value=0, max_value=MAX_CARDS, default=12, help_text="0: only note what was shown."
    )
    held = serializers.ListField(
        child=IdField(),
        max_length=MAX_HELD,
        default=list,
        help_text="Films in hand, or answered and not yet sent: they are not dealt.",
    )
    first = serializers.ListField(
        child=IdField(),
        max_length=MAX_FIRST,
        default=list,
        help_text="Films to put on top, such as one that was just taken back.",
    )
    mood = serializers.ChoiceField(choices=MOODS, required=False)
    q = serializers.CharField(
        max_length=MAX_TEXT, required=False, allow_blank=True, help_text="A wish in words."
    )
    chip = serializers.ListField(
        child=serializers.CharField(max_length=120),
        max_length=MAX_CHIPS,
        required=False,
        help_text="Conditions as in the search; with any, q is taken as it is.",
    )
    understood = serializers.BooleanField(
        required=False, help_text="true: q is taken as it is, without conditions."
    )
    shown = serializers.ListField(child=ShownSerializer(), required=False, max_length=MAX_SHOWN)


class ReasonPartSerializer(serializers.Serializer):
    """A stretch of the reason; the strong ones are its substance."""

    text = serializers.CharField()
    is_strong = serializers.BooleanField()


class SwipeCardSerializer(serializers.Serializer):
    """A film, and why it was dealt."""

    movie_id = serializers.IntegerField()
    title = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    runtime_min = serializers.IntegerField(allow_null=True)
    genres = serializers.ListField(child=serializers.CharField())
    main_genre = serializers.CharField(
        allow_blank=True, help_text="The genre that says most about the film."
    )
    genre_labels = serializers.ListField(
        child=serializers.CharField(), help_text="The genres in the language of the answer."
    )
    main_genre_label = serializers.CharField(
        allow_blank=True, help_text="The same in the language of the answer."
    )
    certification = serializers.CharField(allow_blank=True)
    rating_mean = serializers.FloatField(allow_null=True, help_text="Stars, 0.5 to 5.")
    rating_count = serializers.IntegerField()
    synopsis = serializers.CharField(allow_blank=True)
    directors = serializers.ListField(child=serializers.CharField())
    cast = serializers.ListField(child=serializers.CharField())
    url = serializers.CharField()
    poster_url = serializers.CharField()
    # A field named source hides no attribute: the metaclass takes declared fields off the class.
    source = serializers.CharField()  # type: ignore[assignment]
    score = serializers.FloatField(allow_null=True)
    position = serializers.IntegerField(help_text="Send it back with feedback, and in shown.")
    reason = ReasonPartSerializer(many=True)


class DealtChipSerializer(serializers.Serializer):
    """A condition that was read in the words; the deck without it is at ``?query``."""

    # As with source: a declared field is no attribute.
    label = serializers.CharField()  # type: ignore[assignment]
    query = serializers.CharField(allow_blank=True)
    is_hard = serializers.BooleanField()


class DealSerializer(serializers.Serializer):
    """The next cards, best first; fewer than asked for only where a wish leaves no more."""

    request_id = serializers.CharField(help_text="Send it back with feedback on these films.")
    receipt = serializers.CharField(
        help_text="Signed. Send it back in shown with the positions that were turned up."
    )
    source = serializers.CharField()  # type: ignore[assignment]
    model_version = serializers.CharField(allow_blank=True)
    fallback = serializers.CharField(allow_blank=True)
    chips = DealtChipSerializer(many=True)
    cards = SwipeCardSerializer(many=True)
    noted = serializers.IntegerField(help_text="How many cards of shown were new to the log.")
