"""Titles as people type them and as MovieLens writes them."""

import pytest

from catalog.genres import by_precedence, canonical_genre, main_genre
from catalog.titles import ParsedTitle, normalize_title, parse_movielens_title, trigrams


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("The Matrix", "matrix"),
        ("Amélie", "amelie"),
        ("Cœur en hiver", "coeur en hiver"),
        ("Ægir & Ørn", "aegir and orn"),
        ("Straße", "strasse"),
        ("Ocean\u2019s Eleven", "oceans eleven"),
        ("Mr. & Mrs. Smith", "mr and mrs smith"),
        ("E.T. the Extra-Terrestrial", "et the extra terrestrial"),
        ("S.W.A.T.", "swat"),
        ("The Godfather: Part II", "godfather part 2"),
        ("Harry Potter: Part Two", "harry potter part 2"),
        ("Star Trek V: The Final Frontier", "star trek 5 the final frontier"),
        ("V for Vendetta", "v for vendetta"),
        ("Rocky V", "rocky 5"),
        ("8½", "8 1 2"),
        ("Alien³", "alien3"),
        ("Ｗｉｄｅ", "wide"),
        ("A", "a"),
        ("???", "???"),
        ("七人の侍", "七人の侍"),
    ],
)
def test_titles_are_folded(title, expected):
    assert normalize_title(title) == expected


@pytest.mark.parametrize("title", ["The Matrix", "Amélie", "Part II", "S.W.A.T.", "Rocky V", "8½"])
def test_folding_twice_changes_nothing(title):
    once = normalize_title(title)
    assert normalize_title(once) == once


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Matrix, The (1999)", ParsedTitle("The Matrix", "", (), 1999)),
        ("Babylon 5", ParsedTitle("Babylon 5", "", (), None)),
        ("Death Note (2006–2007)", ParsedTitle("Death Note", "", (), 2006)),
        (
            "Fantastic Planet, The (Planète sauvage, La) (1973)",
            ParsedTitle("The Fantastic Planet", "La Planète sauvage", (), 1973),
        ),
        (
            "Apartment, The (Appartement, L') (1996)",
            ParsedTitle("The Apartment", "L'Appartement", (), 1996),
        ),
        (
            "Bicycle Thieves (a.k.a. The Bicycle Thief) (Ladri di biciclette) (1948)",
            ParsedTitle("Bicycle Thieves", "Ladri di biciclette", ("The Bicycle Thief",), 1948),
        ),
        ("(500) Days of Summer (2009)", ParsedTitle("(500) Days of Summer", "", (), 2009)),
        (
            "Birdman: Or (The Unexpected Virtue of Ignorance) (2014)",
            ParsedTitle("Birdman: Or (The Unexpected Virtue of Ignorance)", "", (), 2014),
        ),
        (
            "Good, the Bad, the Weird, The (Joheunnom) (2008)",
            ParsedTitle("The Good, the Bad, the Weird", "Joheunnom", (), 2008),
        ),
    ],
)
def test_movielens_titles_are_taken_apart(raw, expected):
    assert parse_movielens_title(raw) == expected


def test_trigrams_pad_each_word():
    assert trigrams("up it") == ["  i", "  u", " it", " up", "it ", "up "]


def test_the_rarer_genre_says_more():
    assert main_genre(["Drama", "Comedy", "Film-Noir"]) == "Film-Noir"
    assert main_genre([]) == ""
    assert main_genre(["Unheard-of", "Drama"]) == "Drama"
    assert by_precedence(["Drama", "War", "IMAX"]) == ["War", "Drama", "IMAX"]


def test_genres_have_one_name():
    assert canonical_genre("Children's") == "Children"
    assert canonical_genre("(no genres listed)") == ""
    assert canonical_genre("sci-fi") == "Sci-Fi"


@pytest.mark.django_db
def test_saving_a_film_keeps_its_normalised_titles_right(make_movie):
    movie = make_movie("The Matrix", 1999, alternative_titles=["Matriks"])
    movie.title = "Amélie"
    movie.save(update_fields=["title"])
    movie.refresh_from_db()
    assert movie.title_normalized == "amelie"
    assert movie.titles_normalized == ["amelie", "matriks"]
    assert "ame" in movie.title_trigrams


@pytest.mark.django_db
def test_the_poster_version_follows_what_the_poster_shows(make_movie):
    movie = make_movie("Heat", 1995, "Crime")
    before = movie.poster_version
    movie.synopsis = "Not on the poster."
    assert movie.poster_version == before
    movie.year = 1996
    assert movie.poster_version != before
