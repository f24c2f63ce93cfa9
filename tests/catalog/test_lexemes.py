"""A request's words, taken apart by Postgres one by one, are those of the whole."""

from __future__ import annotations

import random
import string

import pytest
from django.db import connection

from catalog import words
from catalog.words import lexemes_of

pytestmark = pytest.mark.django_db

SAID = (
    "a slow-witted man recounts how he ran, played ping-pong and shook hands with 3 presidents",
    "the U.S. army's last stand (1876); don't look back!",
    "films@home www.example.org/film 2001: a space odyssey -5 1e10 <b>bold move</b> ~root ./x",
    "caf\u00e9 \u00fcber stra\u00dfe \u4e03\u4eba\u306e\u4f8d",
    "",
)


def whole(text: str) -> list[str]:
    """As one question."""
    with connection.cursor() as cursor:
        cursor.execute(words._LEXEMES_SQL, {"parts": [words.fold(text)]})
        return sorted(set(cursor.fetchone()[1]))


@pytest.mark.parametrize("text", SAID)
def test_words_are_those_of_the_whole(text):
    assert lexemes_of(text) == whole(text)


def test_whatever_is_typed():
    draw = random.Random(5)
    letters = string.ascii_letters + string.digits + string.punctuation + "\u00e9\u00fc" + 12 * " "
    for _ in range(500):
        text = "".join(draw.choice(letters) for _ in range(draw.randrange(1, 50)))
        assert lexemes_of(text) == whole(text), text


def test_words_that_are_known_take_no_query(django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(words, "_lexemes", {})
    monkeypatch.setattr(words, "_MAX_PARTS", 3)
    with django_assert_num_queries(1):
        first = lexemes_of("heists, heists and the robbers")
    with django_assert_num_queries(0):
        assert lexemes_of("the robbers and heists,") == lexemes_of("robbers heists,")
    assert first == ["heist", "heists", "robber", "robbers"]
    lexemes_of("somebody else entirely")  # one too many: it begins anew
    assert set(words._lexemes) == {"somebody", "else", "entirely"}
