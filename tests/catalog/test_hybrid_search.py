"""Hybrid search: exact titles win, conditions hold, meaning helps, and its absence is said."""

import json
from html.parser import HTMLParser

import pytest
from django.core.management import CommandError, call_command

from catalog.embeddings.encoders import query_vectors
from catalog.fusion import Evidence, reciprocal_ranks, weighted_sum
from catalog.hybrid import search
from catalog.intent import Chip, Kind
from catalog.known_names import people_forget
from catalog.models import Credit, Movie, Person
from catalog.services.embeddings import films_embed
from catalog.services.search_index import search_vectors_refresh
from catalog.services.search_terms import search_terms_rebuild
from catalog.similar import Similar, few_of_series, similar_by_makers, similar_by_meaning
from catalog.tmdb.models import Franchise, TmdbFacts
from ml.text import HashingEncoder

pytestmark = pytest.mark.django_db


@pytest.fixture
def films(make_movie):
    """A catalogue in small, with vectors and words."""
    people_forget()
    made = {
        "heat": make_movie(
            "Heat", 1995, "Crime", "Thriller", runtime_min=170, language="en", countries=["US"],
            certification="R", rating_count=90, synopsis="A detective hunts a gang of robbers.",
        ),
        "amelie": make_movie(
            "Amelie", 2001, "Comedy", "Romance", runtime_min=122, language="fr", countries=["FR"],
            certification="R", rating_count=80, synopsis="A shy waitress in Montmartre does good.",
        ),
        "job": make_movie(
            "The Italian Job", 1969, "Crime", "Comedy", runtime_min=99, language="en",
            countries=["GB"], certification="G", rating_count=40, synopsis="Thieves steal gold.",
        ),
        "french": make_movie(
            "The French Connection", 1971, "Crime", "Thriller", runtime_min=104, language="en",
            countries=["US"], rating_count=50, synopsis="Detectives follow a heroin shipment.",
        ),
        "et": make_movie(
            "E.T.", 1982, "Sci-Fi", "Children", runtime_min=115, language="en", countries=["US"],
            certification="PG", rating_count=70, synopsis="A boy hides a stranded alien at home.",
        ),
        "alien": make_movie(
            "Alien", 1979, "Horror", "Sci-Fi", runtime_min=117, language="en", countries=["US"],
            certification="R", rating_count=85, synopsis="A creature hunts the crew of a ship.",
        ),
        "aliens": make_movie("Aliens", 1986, "Horror", "Sci-Fi", synopsis="Creatures hunt crews."),
        "alien 3": make_movie("Alien 3", 1992, "Horror", "Sci-Fi", synopsis="A creature hunts."),
        "alien 4": make_movie("Alien: Resurrection", 1997, "Sci-Fi", synopsis="A clone hunts."),
        "taxi": make_movie("Taxi", 1998, "Comedy", language="fr", countries=["FR"]),
    }  # fmt: skip
    mann = Person.objects.create(name="Michael Mann")
    Credit.objects.create(movie=made["heat"], person=mann, role=Credit.Role.DIRECTOR)
    made["collateral"] = make_movie("Collateral", 2004, "Thriller", synopsis="A cabbie drives.")
    Credit.objects.create(movie=made["collateral"], person=mann, role=Credit.Role.DIRECTOR)
    search_vectors_refresh()
    films_embed(HashingEncoder(256))
    search_terms_rebuild()
    assert query_vectors.get("warm", encoder="hashing-256", wait_s=20.0) is not None
    yield made
    people_forget()


def names(films: dict, answer) -> list[str]:
    """Short names of what was found, in order."""
    by_id = {movie.pk: name for name, movie in films.items()}
    return [by_id[film.movie_id] for film in answer.found]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("heat", "heat"),
        ("The Italian Job", "job"),
        ("the italien job", "job"),
        ("french connection", "french"),
        ("the frensh connection", "french"),
        ("a boy hides a stranded alien", "et"),
        ("a gang of robbers and a detective", "heat"),
    ],
)
def test_titles_win_and_plots_are_found(films, typed, first):
    assert names(films, search(typed))[0] == first


def test_a_title_is_taken_for_a_title_and_the_rest_is_offered(films):
    answer = search("the italian job")
    assert answer.exact is not None
    assert answer.reading.chips == ()


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ("french comedies", {"amelie", "taxi"}),
        ("crime films under 100 minutes", {"job"}),
        ("thriller, not from the US", set()),
        ("sci-fi but no horror", {"et", "alien 4"}),
        ("films from the 70s", {"french", "alien"}),
        ("in French", {"amelie", "taxi"}),
        ("PG or lower", {"job", "et"}),
        ("directed by Michael Mann", {"heat", "collateral"}),
        ("a crime film about gold", {"heat", "job", "french"}),
        ("horror or romance", {"alien", "aliens", "alien 3", "amelie"}),
    ],
)
def test_every_film_meets_every_hard_condition(films, said, allowed):
    answer = search(said)
    assert set(names(films, answer)) == allowed
    assert answer.reading.hard


def test_like_a_film_leaves_the_film_out_and_taste_moves_films(films):
    answer = search("like alien")
    assert "alien" not in names(films, answer)
    assert names(films, answer)[0] in {"alien 3", "aliens", "alien 4"}
    less = names(films, search("like alien, less horror"))
    assert less[0] == "alien 4"


def test_chips_given_are_kept_to_and_the_text_is_not_read(films):
    answer = search("horror", chips=[Chip(Kind.COUNTRY, "US")])
    assert {chip.encoded() for chip in answer.reading.chips} == {"country:US"}
    assert set(names(films, answer)) <= {"heat", "french", "et", "alien"}
    assert search("", chips=[]).found == ()


def test_hidden_films_are_found_by_nothing(films):
    Movie.objects.filter(pk=films["et"].pk).update(is_hidden=True)
    for said in ("e.t.", "a boy hides a stranded alien", "children films from the 80s"):
        assert "et" not in names(films, search(said))


def test_without_vectors_words_answer_and_it_is_said(films, client):
    from catalog.embeddings.models import EncoderSpace

    EncoderSpace.objects.update(is_active=False)
    answer = search("a boy hides a stranded alien")
    assert answer.is_meaning_missing
    assert names(films, answer)[0] == "et"
    html = client.get("/search/", {"q": "a boy hides a stranded alien"}).content.decode()
    assert "data-meaning-off" in html
    assert "data-meaning-off" not in client.get("/search/", {"q": "heat"}).content.decode()


def test_what_is_merely_near_is_called_so(films, client):
    guess = search("qwzx vbnmk")
    assert guess.is_guess
    assert guess.found
    html = client.get("/search/", {"q": "qwzx vbnmk"}).content.decode()
    assert "No film here has any of these words" in html
    for known in ("a gang of robbers", "the frensh connection", "heat", "french comedies"):
        assert not search(known).is_guess, known
    html = client.get("/search/", {"q": "a gang of robbers"}).content.decode()
    assert "No film here has any of these words" not in html


def test_fusion_prefers_what_both_ways_find():
    evidence = Evidence({1: 8.0, 2: 7.0}, {2: 0.6, 3: 0.65, 4: 0.1}, {}, {})
    for fused in (weighted_sum(evidence, words_weight=0.5), reciprocal_ranks(evidence)):
        assert max(fused, key=fused.get) == 2
    assert weighted_sum(Evidence({1: 2.0}, {}, {}, {}))[1] == 1.0


def test_fame_decides_between_films_that_fit_alike_and_no_further():
    evidence = Evidence({1: 5.0, 2: 5.0, 3: 1.0}, {}, ratings={2: 60, 3: 900})
    scores = weighted_sum(evidence)
    assert sorted(scores, key=scores.get, reverse=True) == [2, 1, 3]
    assert weighted_sum(evidence, fame_weight=0.0)[1] == weighted_sum(evidence, fame_weight=0.0)[2]


class Links(HTMLParser):
    """Addresses of the chips on a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "a" and given.get("class") == "chip":
            self.found.append(given["href"])


def test_chips_are_links_that_take_one_condition_away(films, client):
    html = client.get("/search/", {"q": "crime films under 100 minutes"}).content.decode()
    links = Links(html).found
    assert len(links) == 2
    assert "The Italian Job" in html
    without_runtime = next(link for link in links if "runtime" not in link)
    html = client.get(without_runtime).content.decode()
    assert "Heat" in html
    assert len(Links(html).found) == 1
    html = client.get(Links(html).found[0]).content.decode()
    assert Links(html).found == []


def test_nonsense_in_the_address_is_left_out(films, client):
    for query in (
        {"q": "heat", "chip": ["x", "genre:", "years:9-9-9", "certification:Z"]},
        {"q": "\0", "page": "x"},
        {"q": "x" * 3000},
        {"chip": ["like:999999999999", "person:Nobody"]},
    ):
        assert client.get("/search/", query).status_code == 200


def test_the_api_answers_with_chips_and_reasons(films, client):
    body = client.get("/api/v1/search/", {"q": "french comedies", "limit": 1}).json()
    assert [chip["parameter"] for chip in body["chips"]] == ["country:FR", "genre:Comedy"]
    assert (body["n_found"], len(body["results"])) == (2, 1)
    assert body["results"][0]["title"] == "Amelie"
    assert body["results"][0]["why"] == ["conditions"]
    wrong = client.get("/api/v1/search/", {"chip": "nonsense"})
    assert wrong.status_code == 400
    assert wrong.json()["error"]["code"] == "invalid"


def test_title_or_prompt_tells_titles_from_wishes(films, client):
    by_title = client.get("/api/v1/title-or-prompt/", {"input_text": "alien"}).json()
    assert by_title["mode"] == "title"
    assert by_title["matched_title"] == "Alien"
    assert by_title["method"] == "meaning"
    assert films["alien"].pk not in [film["movie_id"] for film in by_title["results"]]
    wish = client.get("/api/v1/title-or-prompt/", {"input_text": "a stranded alien boy"}).json()
    assert (wish["mode"], wish["method"]) == ("prompt", "search")
    assert wish["results"][0]["title"] == "E.T."
    assert client.get("/api/v1/title-or-prompt/").status_code == 400


def test_similar_by_meaning_is_not_filled_with_sequels(films):
    found = [film.movie_id for film in similar_by_meaning(films["alien"], n=5, min_ratings=0)]
    series = {films[name].pk for name in ("aliens", "alien 3", "alien 4")}
    assert len(series & set(found)) == 2
    assert films["alien"].pk not in found


def test_known_films_stand_first_and_one_place_in_four_is_for_the_others(films, make_movie):
    known = [make_movie(f"Known {n}", synopsis="Dancers.", rating_count=9) for n in "abc"]
    obscure = [make_movie(f"Obscure {n}", synopsis="A crew hunts a creature.") for n in "abc"]
    films_embed(HashingEncoder(256))
    found = [film.movie_id for film in similar_by_meaning(films["alien"], n=40)]
    told = [pk for pk in found if pk in {movie.pk for movie in known + obscure}]
    assert {movie.pk for movie in obscure} <= set(found)
    assert told.index(known[0].pk) < told.index(obscure[1].pk)
    near = [film.movie_id for film in similar_by_meaning(films["alien"], n=40, min_ratings=0)]
    assert max(near.index(movie.pk) for movie in obscure) < near.index(known[0].pk)


@pytest.mark.parametrize("least", [None, 0])
def test_no_series_fills_the_list(films, make_movie, least):
    parts = [
        make_movie(f"Saw {n}" if n > 1 else "Saw", 2003 + n, synopsis="A trap.", rating_count=50)
        for n in range(1, 8)
    ]
    other = [make_movie(f"Hostel {n}", synopsis="A trap.", rating_count=20) for n in (1, 2, 3)]
    films_embed(HashingEncoder(256))
    found = {film.movie_id for film in similar_by_meaning(parts[0], n=10, min_ratings=least)}
    assert len(found & {movie.pk for movie in parts}) == 2
    assert len(found & {movie.pk for movie in other}) == 2


def test_collections_of_tmdb_count_as_series(films):
    series = Franchise.objects.create(name="Thieves", tmdb_id=1)
    for name in ("heat", "job", "french"):
        TmdbFacts.objects.create(movie=films[name], franchise=series)
    ranked = [Similar(films[name].pk, 1.0) for name in ("job", "french", "et", "amelie")]
    kept = [film.movie_id for film in few_of_series(films["collateral"], ranked, n=4)]
    assert kept == [films[name].pk for name in ("job", "french", "et", "amelie")]
    ranked.insert(0, Similar(films["heat"].pk, 2.0))
    kept = [film.movie_id for film in few_of_series(films["collateral"], ranked, n=4)]
    assert kept == [films[name].pk for name in ("heat", "job", "et", "amelie")]


def test_similar_by_makers_names_whom_both_have(films):
    (found,) = similar_by_makers(films["heat"], n=5)
    assert found.movie_id == films["collateral"].pk
    assert found.shared == ("Michael Mann",)
    assert similar_by_makers(films["taxi"], n=5) == []


def test_the_similar_api_keeps_the_kinds_apart(films, client):
    body = client.get(f"/api/v1/movies/{films['heat'].pk}/similar/", {"n": 3}).json()
    assert body["behaviour"] == []
    assert [film["title"] for film in body["makers"]] == ["Collateral"]
    assert body["makers"][0]["shared_people"] == ["Michael Mann"]
    assert 1 <= len(body["meaning"]) <= 3
    assert client.get("/api/v1/movies/999999/similar/").status_code == 404


def test_the_page_of_similar_films_names_each_kind(films, client):
    html = client.get(f"/films/{films['heat'].pk}/similar/").content.decode()
    assert "About the same things as" in html
    assert "By the people who made" in html


def test_suggestions_fall_back_to_meaning_for_a_wish(films, client):
    html = client.get("/search/suggest/", {"q": "boy hides stranded alien"}).content.decode()
    assert "E.T." in html


def test_the_command_writes_what_it_found(films, tmp_path, capsys):
    queries, out = tmp_path / "queries.txt", tmp_path / "out.json"
    queries.write_text("french comedies\n\nheat\n")
    call_command("search", queries=queries, out=out, k=2)
    first, second = json.loads(out.read_text())
    assert first["query"] == "french comedies"
    assert {chip["kind"] for chip in first["chips"]} == {"country", "genre"}
    assert set(second["results"][0]) == {"tmdb_id", "movie_id", "title", "year", "score", "why"}
    assert second["results"][0]["title"] == "Heat"
    assert len(second["results"]) <= 2
    call_command("search", "heat", k=1)
    assert "Heat (1995)" in capsys.readouterr().out
    with pytest.raises(CommandError, match="Give a query"):
        call_command("search")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no query"),
        (b"\n  \r\n", "holds no query"),
        (b"\xff\xfe\x00h", "no text in UTF-8"),
        (None, "cannot be read: No such file"),
    ],
)
def test_the_command_refuses_files_without_queries_and_writes_nothing(
    films, tmp_path, content, said
):
    queries, out = tmp_path / "queries.txt", tmp_path / "out.json"
    if content is not None:
        queries.write_bytes(content)
    with pytest.raises(CommandError, match=said):
        call_command("search", queries=queries, out=out)
    assert not out.exists()


def test_the_command_answers_rubbish_and_the_same_twice(films, tmp_path):
    queries = tmp_path / "queries.txt"
    lines = ["\ufeffe.t.", "??? ;;; --", "x" * 3000, "'; drop table x; --", "\x01heat"]
    queries.write_text("\n".join(lines), encoding="utf-8")
    answers = []
    for name in ("one.json", "two.json"):
        call_command("search", queries=queries, out=tmp_path / name, k=3, verbosity=0)
        answers.append(json.loads((tmp_path / name).read_text()))
    assert answers[0] == answers[1]
    assert len(answers[0]) == len(lines)
    assert answers[0][0]["results"][0]["title"] == "E.T."
    assert answers[0][1]["results"] == []
    with pytest.raises(CommandError, match="empty"):
        call_command("search", "  ")
