"""The intent parser: conditions where they are meant, none in plots."""

import json
from pathlib import Path

import pytest

from catalog.intent import Chip, Kind, parse
from catalog.intent.chips import NoNames

QUERIES = Path(__file__).resolve().parents[2] / "benchmarks/queries/intents.jsonl"


class Names(NoNames):
    """A small catalogue's names."""

    people = {"tom hanks": "Tom Hanks", "meg ryan": "Meg Ryan", "tom cruise": "Tom Cruise"}
    surnames = {"kurosawa": "Akira Kurosawa", "hitchcock": "Alfred Hitchcock"}
    films = {"heat": "1", "alien": "2", "blade runner": "3", "inception": "5", "2001": "6"}

    def person(self, words: str, *, is_cued: bool) -> str | None:
        """Full names always, surnames where the sentence says that it is a person."""
        return self.people.get(words) or (self.surnames.get(words) if is_cued else None)

    def film(self, words: str) -> str | None:
        """By title."""
        return self.films.get(words)


def read(text: str) -> tuple[set[str], str]:
    """What was understood, and what remained."""
    reading = parse(text, names=Names(), this_year=2026)
    return {chip.encoded() for chip in reading.chips}, reading.text


@pytest.mark.parametrize(
    ("said", "understood", "rest"),
    [
        ("90s thriller under 2 hours", "years:1990-1999 genre:Thriller runtime:-119", ""),
        ("Not horror, like Alien but funnier", "not-genre:Horror like:2 more:Comedy", ""),
        ("like Heat and Inception", "like:1 like:5", ""),
        ("something like Blade Runner with more romance", "like:3 more:Romance", ""),
        ("comedy, no longer than 90 minutes", "genre:Comedy runtime:-90", ""),
        ("an hour and a half or less, comedy", "runtime:-90 genre:Comedy", ""),
        ("films between 90 and 120 minutes", "runtime:90-120", ""),
        ("drama of at least 150 minutes", "genre:Drama runtime:150-", ""),
        ("late 60s westerns", "years:1967-1969 genre:Western", ""),
        ("horror from the seventies", "genre:Horror years:1970-1979", ""),
        ("films from 1994 to 1999", "years:1994-1999", ""),
        ("sci-fi since 2010", "genre:Sci-Fi years:2010-", ""),
        ("thriller, nothing from before 1990", "genre:Thriller years:1990-", ""),
        ("recent comedies", "genre:Comedy years:2021-", ""),
        ("korean crime thriller", "country:KR genre:Crime genre:Thriller", ""),
        ("in French, drama", "language:fr genre:Drama", ""),
        ("Hindi romance", "language:hi genre:Romance", ""),
        ("films not in English", "not-language:en", ""),
        ("thriller, not from the US", "genre:Thriller not-country:US", ""),
        ("animation, PG or lower", "genre:Animation certification:PG", ""),
        ("nothing rated R, action comedy", "certification:PG-13 genre:Action genre:Comedy", ""),
        ("family friendly fantasy", "certification:PG genre:Fantasy", ""),
        (
            "romcom with Meg Ryan and Tom Hanks",
            "genre:Romance genre:Comedy person:Meg_Ryan person:Tom_Hanks",
            "",
        ),
        ("Tom Hanks comedies", "person:Tom_Hanks genre:Comedy", ""),
        ("hitchcock thrillers", "person:Alfred_Hitchcock genre:Thriller", ""),
        ("movies without Tom Cruise", "not-person:Tom_Cruise", ""),
        ("western or war film", "genre:Western|War", ""),
        ("horror, not too gory", "genre:Horror less:Horror", ""),
        ("japanese films about growing up", "country:JP", "growing up"),
        ("sci-fi about memory loss", "genre:Sci-Fi", "memory loss"),
    ],
)
def test_conditions_are_read(said, understood, rest):
    chips, text = read(said)
    assert chips == {name.replace("_", " ") for name in understood.split()}
    assert text == rest


@pytest.mark.parametrize(
    "plot",
    [
        "a documentary filmmaker finds an old tape in the woods",
        "a French girl falls in love with a soldier",
        "a man solves a mystery in a small town during the war",
        "a gangster has 24 hours to find the money",
        "a crime boss adopts an orphan",
        "a story set in 1944 in a village in Japan",
        "a year in the life of a family in 1970s Mexico City",
        "an action hero loses his memory",
        "a boy who would like to be an alien",
        "two women with nothing in common drive to the coast",
    ],
)
def test_plots_hold_no_conditions(plot):
    assert read(plot)[0] == set()


@pytest.mark.parametrize(
    "text", ["", "   ", "?!", "\u00a4 \u00a4", "no", "like", "with", "-" * 300]
)
def test_any_text_can_be_read(text):
    assert read(text)[0] == set()


def test_chips_survive_an_address_and_nonsense_does_not():
    for chip in (
        Chip(Kind.GENRE, "Horror", is_negated=True),
        Chip(Kind.YEARS, "-1979"),
        Chip(Kind.PERSON, "Agnès Varda"),
        Chip(Kind.LIKE, "12"),
    ):
        assert Chip.decoded(chip.encoded()) == chip
    for text in ("", "genre", "genre:", "years:-", "years:x-", "like:one", "runtime:99999-", "a:b"):
        assert Chip.decoded(text) is None
    assert Chip(Kind.YEARS, "1990-").bounds == (1990, None)
    assert not Chip(Kind.LIKE, "1").is_hard


def test_the_frozen_requests_are_read_without_a_catalogue_too():
    """Names need a catalogue (benchmarks/search.py has one); everything else must be read here."""
    lines = [json.loads(line) for line in QUERIES.read_text(encoding="utf-8").splitlines()]
    assert len(lines) >= 200
    right = wrong = missed = 0
    for line in lines:
        wanted = {
            text for text in line["constraints"] if "person:" not in text and "like:" not in text
        }
        found = {c.encoded() for c in parse(line["query"], this_year=2026).chips}
        right += len(found & wanted)
        wrong += len(found - wanted)
        missed += len(wanted - found)
    f1 = 2 * right / (2 * right + wrong + missed)
    assert f1 >= 0.95
