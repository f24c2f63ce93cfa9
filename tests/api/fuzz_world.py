"""The world that is fuzzed: two crowds, two versions of a model, and three people with accounts."""

from __future__ import annotations

from decimal import Decimal

from allauth.account.models import EmailAddress

from accounts.models import User
from catalog.services.search_index import search_vectors_refresh
from feedback import journal, services
from feedback.events import EventContext
from feedback.exports.jobs import export_request, export_run
from feedback.imports.jobs import import_run
from feedback.imports.services import import_create
from feedback.models import FilmList, Reaction
from recommendations.models import ModelVersion
from recommendations.services.experiments import Wanted, experiment_create
from recommendations.services.training import train
from tests.worlds import World, make_world

PASSWORD = "a-long-enough-phrase"
#: Who asks -> their address; nobody has none.
PEOPLE = {
    "anonymous": None,
    "user": "user@example.org",
    "other": "other@example.org",
    "staff": "staff@example.org",
}
#: Parameter of an address -> values that name something. What else there is, answers tell.
Known = dict[str, list[int] | list[str]]


def make_fuzz_world() -> Known:
    """Everything that an address can name; whose it is, is the user's."""
    world = make_world(n_people=20)
    search_vectors_refresh()
    train()
    train(is_forced=True)
    people = {who: _person(who, email) for who, email in PEOPLE.items() if email}
    shared = _belongings(people["user"], world)
    experiment_create(
        Wanted(name="Blend or ALS", kind="split", policy_a="hybrid", policy_b="als"),
        by=people["staff"],
    )
    return {
        "movie_id": [film.pk for film in world.all_films[:12]],
        "version": list(ModelVersion.objects.values_list("version", flat=True)),
        "key": [shared.share_key or ""],
    }


def _person(who: str, email: str) -> User:
    is_staff = who == "staff"
    user = User.objects.create_user(email, PASSWORD, is_staff=is_staff, is_superuser=is_staff)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def _belongings(user: User, world: World) -> FilmList:
    """Ratings, a verb, a list that is shared, an import to look through, an export to fetch."""
    films = world.films[0]
    for film in films[:6]:
        services.rating_set(user=user, movie=film, stars=Decimal(5), event=EventContext())
    services.reaction_set(user=user, movie=films[7], kind=Reaction.Kind.NEVER, event=EventContext())
    made = journal.list_create(user=user, name="Rainy nights")
    journal.list_put(film_list=made, movie=films[0], is_in=True)
    journal.list_share(film_list=made, is_on=True)
    rows = [f"2021-05-0{i},{film.title},{film.year},u,4" for i, film in enumerate(films[12:15], 1)]
    text = "\n".join(["Date,Name,Year,Letterboxd URI,Rating", *rows, "2021-05-09,Nothing,1999,u,3"])
    import_run(import_create(user=user, filename="ratings.csv", content=text.encode()).pk)
    export_run(export_request(user).pk)
    return made
