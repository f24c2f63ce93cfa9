"""Dealing the swipe deck: what is on it, what is not, and what of it was logged as shown."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from model_bakery import baker

from accounts.models import TasteSettings, User
from catalog.models import Genre, Movie
from catalog.services.search_index import search_vectors_refresh
from feedback import services
from feedback.events import EventContext
from feedback.models import Impression, Interaction, Reaction, Slate
from tests.worlds import make_film

URL = "/api/v1/swipe/"


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada@example.org", "a-long-password")


@pytest.fixture
def mine(client, ada):
    client.force_login(ada)
    return client


def deal(client, **body):
    answer = client.post(URL, body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def ids(dealt):
    return [card["movie_id"] for card in dealt["cards"]]


def like(user, film):
    services.reaction_set(user=user, movie=film, kind=Reaction.Kind.LIKE, event=EventContext())


def test_the_next_deal_knows_the_last_answer(trained, mine, ada):
    before = deal(mine, n=10)
    musical = trained.films[1][0]
    like(ada, musical)
    after = deal(mine, n=10)
    assert ids(after) != ids(before)
    assert set(ids(after)[:5]) <= {film.pk for film in trained.films[1]}
    assert musical.pk not in ids(after)
    reason = "".join(part["text"] for part in after["cards"][0]["reason"])
    assert musical.title in reason


def test_nothing_answered_saved_passed_held_or_barred_is_dealt(trained, mine, ada):
    films = trained.films[0]
    like(ada, films[0])
    event = EventContext
    services.watchlist_set(user=ada, movie=films[1], is_on=True, event=event())
    services.film_passed(user=ada, movie=films[2], is_on=True, event=event())
    services.reaction_set(user=ada, movie=films[3], kind=Reaction.Kind.NEVER, event=event())
    services.reaction_set(user=ada, movie=films[4], kind=Reaction.Kind.NOT_TONIGHT, event=event())
    Movie.objects.filter(pk=films[5].pk).update(is_hidden=True)
    TasteSettings.objects.create(user=ada, excluded_genres=["Musical"])
    dealt = ids(deal(mine, n=50, held=[films[6].pk]))
    assert sorted(dealt) == sorted(film.pk for film in films[7:])
    services.film_passed(user=ada, movie=films[2], is_on=False, event=event())
    assert films[2].pk in ids(deal(mine, n=50))


def test_a_film_taken_back_is_put_on_top_unless_it_is_answered(trained, mine, ada):
    wanted, answered = trained.films[0][20], trained.films[0][21]
    like(ada, answered)
    dealt = deal(mine, n=5, first=[answered.pk, wanted.pk])
    assert ids(dealt)[0] == wanted.pk
    assert answered.pk not in ids(dealt)
    assert len(dealt["cards"]) == 5
    assert dealt["cards"][0]["source"] == "put_back"
    # A film that is among the next ones anyway keeps its own reason.
    third = dealt["cards"][2]
    again = deal(mine, n=5, first=[third["movie_id"]])["cards"]
    assert again[0] == {**third, "position": 0}


def test_a_mood_narrows_the_deck(mine):
    comedy, war = (baker.make(Genre, name=name, slug=name.lower()) for name in ("Comedy", "War"))
    funny = {make_film(f"Funny {i}", genre=comedy).pk for i in range(4)}
    [make_film(f"Grim {i}", genre=war) for i in range(4)]
    dealt = deal(mine, n=4, mood="happy")
    assert set(ids(dealt)) == funny


@pytest.fixture
def heists(db):
    """Heat (170 minutes), and ten crime films of 90 to 180 minutes."""
    crime = baker.make(Genre, name="Crime", slug="crime")
    films = [make_film("Heat", year=1995, genre=crime)]
    films += [make_film(f"Heist {i}", year=1990 + i, genre=crime) for i in range(10)]
    for film, minutes in zip(films, [170, *range(90, 190, 10)], strict=True):
        Movie.objects.filter(pk=film.pk).update(runtime_min=minutes)
    search_vectors_refresh()
    return films


def test_shorter_than_a_named_film_is_a_condition_that_every_card_meets(mine, heists):
    dealt = deal(mine, n=20, q="crime films like Heat but shorter")
    labels = [chip["label"] for chip in dealt["chips"]]
    assert {"like Heat", "up to 169 minutes"} <= set(labels)
    assert all(card["runtime_min"] < 170 for card in dealt["cards"])
    assert heists[0].pk not in ids(dealt)
    # A chip taken out leads to an address with the others.
    without = next(chip["query"] for chip in dealt["chips"] if "minutes" in chip["label"])
    page = mine.get(f"/swipe/?{without}").content.decode()
    assert "up to 169 minutes" not in page
    assert "like Heat" in page


def test_like_a_film_asks_the_people_who_like_it(trained, mine):
    film = trained.films[1][0]
    search_vectors_refresh()
    dealt = deal(mine, n=6, q=f"like {film.title}")
    assert len(dealt["cards"]) == 6
    assert set(ids(dealt)) <= {other.pk for other in trained.films[1][1:]}
    reason = [(part["text"], part["is_strong"]) for part in dealt["cards"][0]["reason"]]
    assert reason == [("Like ", False), (film.title, True)]


def test_a_wish_that_nothing_meets_deals_nothing_and_the_page_says_so(mine, heists):
    assert deal(mine, q="crime films from the 1930s")["cards"] == []
    page = mine.get("/swipe/?q=crime+films+from+the+1930s").content.decode()
    assert "That is all that fits" in page
    assert "Deal from everything" in page


class TestShown:
    def test_the_page_logs_its_first_card_and_no_other(self, trained, mine, ada):
        page = mine.get("/swipe/").content.decode()
        data = json.loads(re.search(r'id="deck-data"[^>]*>(.*?)</script>', page, re.S)[1])
        assert len(data["deal"]["cards"]) == 16
        slate = Slate.objects.get()
        assert (slate.surface, slate.user) == ("swipe", ada)
        assert str(slate.request_id) == data["deal"]["request_id"]
        [impression] = Impression.objects.all()
        assert impression.position == 0
        assert impression.movie_id == data["deal"]["cards"][0]["movie_id"]

    def test_a_dealt_card_is_logged_when_it_is_turned_up_and_once(self, trained, mine):
        dealt = deal(mine, n=5)
        assert not Slate.objects.exists()
        shown = [{"receipt": dealt["receipt"], "positions": [0, 2]}]
        assert deal(mine, n=0, shown=shown)["noted"] == 2
        assert deal(mine, n=0, shown=shown)["noted"] == 0
        rows = list(Impression.objects.order_by("position").values_list("position", "movie_id"))
        assert rows == [(0, ids(dealt)[0]), (2, ids(dealt)[2])]
        assert Slate.objects.get().context["generation"] == 0

    def test_forged_and_foreign_receipts_log_nothing(self, trained, mine, client):
        dealt = deal(mine, n=5)
        forged = [{"receipt": dealt["receipt"][:-2] + "xx", "positions": [0]}]
        assert deal(mine, n=0, shown=forged)["noted"] == 0
        outside = [{"receipt": dealt["receipt"], "positions": [7]}]
        assert deal(mine, n=0, shown=outside)["noted"] == 0
        client.force_login(User.objects.create_user("eve@example.org", "a-long-password"))
        stolen = [{"receipt": dealt["receipt"], "positions": [0]}]
        assert deal(client, n=0, shown=stolen)["noted"] == 0
        assert not Impression.objects.exists()


class TestWithoutAScript:
    def form(self, page, **changes):
        form = re.search(r'<form class="verbs".*?</form>', page, re.S)[0]
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.split("<button")[0]))
        return {**fields, **changes}

    def test_a_button_answers_and_leads_to_the_next_card(self, trained, mine, ada):
        fields = self.form(mine.get("/swipe/").content.decode(), verb="like")
        answer = mine.post("/swipe/answer/", fields)
        assert (answer.status_code, answer["Location"]) == (302, "/swipe/")
        assert Reaction.objects.get().movie_id == int(fields["movie"])
        interaction = Interaction.objects.get()
        assert str(interaction.request_id) == fields["request_id"]
        assert (interaction.position, interaction.surface) == (0, "swipe")
        # The browser's Back and a second press: the same event.
        mine.post("/swipe/answer/", fields)
        assert Interaction.objects.count() == 1
        page = mine.get("/swipe/").content.decode()
        assert self.form(page)["movie"] != fields["movie"]
        assert "Take back" in page

    def test_taking_back_puts_the_film_on_top_and_keeps_the_wish(self, trained, mine):
        wish = "mood=happy"
        fields = self.form(mine.get("/swipe/").content.decode(), verb="never", wish=wish)
        assert mine.post("/swipe/answer/", fields)["Location"] == f"/swipe/?{wish}"
        undo = {**fields, "on": "0", "event_id": str(uuid.uuid4())}
        answer = mine.post("/swipe/answer/", undo)
        assert answer["Location"] == f"/swipe/?{wish}&film={fields['movie']}"
        assert not Reaction.objects.exists()
        assert (
            self.form(mine.get("/swipe/?film=" + fields["movie"]).content.decode())["movie"]
            == (fields["movie"])
        )

    def test_nonsense_is_refused_and_changes_nothing(self, trained, mine):
        assert mine.post("/swipe/answer/", {"movie": "1", "verb": "adore"}).status_code == 400
        missing = {"movie": "999999", "verb": "like"}
        assert mine.post("/swipe/answer/", missing).status_code == 302
        assert not Interaction.objects.exists()

    def test_a_visitor_swipes_without_an_account(self, trained, client):
        fields = self.form(client.get("/swipe/").content.decode(), verb="like")
        assert not User.objects.filter(is_visitor=True).exists()
        client.post("/swipe/answer/", fields)
        visitor = User.objects.get(is_visitor=True)
        assert Reaction.objects.get(user=visitor).movie_id == int(fields["movie"])
        assert self.form(client.get("/swipe/").content.decode())["movie"] != fields["movie"]


@pytest.mark.parametrize("film", ["", "abc", "99999999999999999999999", "-1", "0"])
def test_any_film_in_the_address_is_harmless(trained, mine, film):
    assert mine.get("/swipe/", {"film": film}).status_code == 200


@pytest.mark.parametrize(
    "body", [{"n": 51}, {"n": -1}, {"mood": "hungry"}, {"held": ["x"]}, {"held": [1] * 301}]
)
def test_a_wrong_body_is_named(mine, body):
    answer = mine.post(URL, body, content_type="application/json")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == list(body)


def test_a_deal_costs_the_same_for_few_and_for_many_cards(
    trained, mine, ada, django_assert_num_queries
):
    for film in trained.films[0][:5]:
        like(ada, film)
    deal(mine, n=1)
    for n in (2, 12):
        # session, user · feedback · taste, limits · watchlist, passed · model · standing, facts of
        # the shortlist · films, genres, titles, simulated · synopses, credits
        with django_assert_num_queries(16):
            deal(mine, n=n)
