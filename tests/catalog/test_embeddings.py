"""Vectors of films: only what changed is embedded, and search is never without them."""

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from catalog.embeddings import nearest
from catalog.embeddings.encoders import encoder_name
from catalog.embeddings.models import EncoderSpace, MovieEmbedding, SearchTerm
from catalog.embeddings.texts import film_texts
from catalog.models import DataSource, FieldSource, Keyword, Movie
from catalog.services.embeddings import (
    changed_films_embed,
    films_embed,
    films_to_embed,
    spaces_drop_others,
)
from catalog.services.search_index import search_vectors_refresh
from catalog.services.search_terms import search_terms_rebuild
from catalog.words import films_by_words
from ml.text import HashingEncoder

pytestmark = pytest.mark.django_db


@pytest.fixture
def films(make_movie):
    """Three films that say different things."""
    return [
        make_movie("Heat", 1995, synopsis="A thief and a detective in Los Angeles."),
        make_movie("Alien", 1979, synopsis="A creature hunts the crew of a spaceship."),
        make_movie("Babe", 1995, synopsis="A pig learns to herd sheep."),
    ]


class CountingEncoder(HashingEncoder):
    """Remembers what it was asked for."""

    def __init__(self, dim: int = 256) -> None:
        super().__init__(dim)
        self.seen: list[str] = []

    def encode(self, texts):
        """As the hashing encoder."""
        self.seen.extend(texts)
        return super().encode(texts)


def test_a_second_run_embeds_nothing_and_a_changed_text_alone(films):
    encoder = CountingEncoder()
    first = films_embed(encoder)
    assert (first.n_embedded, first.n_unchanged, first.has_switched) == (3, 0, True)
    assert films_embed(encoder).n_embedded == 0
    films[2].synopsis = "A piglet is raised by a sheepdog."
    films[2].save(update_fields=["synopsis"])
    again = films_embed(encoder)
    assert (again.n_embedded, again.n_unchanged) == (1, 2)
    assert encoder.seen[3:] == ["Babe (1995). A piglet is raised by a sheepdog"]
    assert MovieEmbedding.objects.count() == 3


def test_a_run_that_breaks_off_goes_on_where_it_stopped(films, monkeypatch):
    monkeypatch.setattr("catalog.services.embeddings.CHUNK", 1)

    class Breaking(CountingEncoder):
        def encode(self, texts):
            if len(self.seen) == 2:
                raise KeyboardInterrupt
            return super().encode(texts)

    with pytest.raises(KeyboardInterrupt):
        films_embed(Breaking())
    assert MovieEmbedding.objects.count() == 2
    assert not EncoderSpace.objects.get().is_active
    encoder = CountingEncoder()
    report = films_embed(encoder)
    assert len(encoder.seen) == 1
    assert report.has_switched


def test_a_new_encoder_takes_over_when_it_has_every_film_and_not_before(films):
    films_embed(HashingEncoder(256))
    films_embed(HashingEncoder(64), limit=2)
    assert nearest.active_space().encoder == "hashing-256"
    assert MovieEmbedding.objects.filter(encoder="hashing-64").count() == 2
    report = films_embed(HashingEncoder(64))
    assert report.has_switched
    assert nearest.active_space().encoder == "hashing-64"
    assert EncoderSpace.objects.filter(is_active=True).count() == 1
    assert MovieEmbedding.objects.filter(encoder="hashing-256").count() == 3
    assert spaces_drop_others() == ["hashing-256"]
    assert MovieEmbedding.objects.count() == 3


def test_the_text_is_title_year_genres_keywords_tagline_synopsis(make_movie):
    film = make_movie("Heat", 1995, "Crime", tagline="Cold.", synopsis="A thief.")
    film.keywords.add(Keyword.objects.create(name="bank robbery"))
    (text,) = film_texts([film.pk])
    assert text.text == "Heat (1995). Crime. bank robbery. Cold. A thief"
    assert len(text.sha256) == 64


def test_tmdb_text_stays_out_where_the_operator_says_so(make_movie, settings):
    film = make_movie("Heat", 1995, tagline="Ours.", synopsis="Theirs.")
    FieldSource.objects.create(movie=film, field="synopsis", source=DataSource.TMDB)
    settings.EMBED_TMDB_TEXT = False
    assert next(film_texts([film.pk])).text == "Heat (1995). Ours"
    settings.EMBED_TMDB_TEXT = True
    assert next(film_texts([film.pk])).text == "Heat (1995). Ours. Theirs"


def test_what_may_have_changed_is_found_without_reading_texts(films):
    films_embed(HashingEncoder(256))
    assert films_to_embed("hashing-256") == []
    films[1].save(update_fields=["synopsis", "updated_at"])
    assert films_to_embed("hashing-256") == [films[1].pk]
    films_embed(HashingEncoder(256), movie_ids=[films[1].pk])
    assert films_to_embed("hashing-256") == []
    assert set(films_to_embed("hashing-64")) == {film.pk for film in films}


def test_the_command_says_what_it_did(films, capsys):
    call_command("embed_movies", encoder="hashing-256")
    said = capsys.readouterr().out
    assert "3 embedded" in said
    assert "Search uses hashing-256 from now on." in said
    assert "Words indexed" in said


def test_missing_weights_and_an_empty_catalogue_are_explained(films, tmp_path):
    with pytest.raises(CommandError, match=r"cannot be had.*Set TEXT_ENCODER"):
        call_command("embed_movies", encoder=str(tmp_path / "no-such-model"))
    Movie.objects.all().delete()
    with pytest.raises(CommandError, match="no films yet"):
        call_command("embed_movies", encoder="hashing-256")


def test_a_local_folder_counts_by_its_name():
    assert encoder_name("/models/all-mpnet-base-v2") == "all-mpnet-base-v2"
    assert encoder_name("all-MiniLM-L6-v2") == "all-MiniLM-L6-v2"


def test_an_unknown_encoder_gets_an_index_of_its_own(films):
    films_embed(HashingEncoder(64))
    space = EncoderSpace.objects.get()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE indexname = %s",
            [f"catalog_hnsw_space_{space.pk}"],
        )
        definition = cursor.fetchone()[0]
    assert "hnsw" in definition
    assert "halfvec(64)" in definition
    assert nearest.index_ensure(space) is False


def test_words_are_weighed_by_how_rare_they_are(films, make_movie):
    for number in range(8):
        make_movie(f"Tale {number}", 2000, synopsis="A detective story.")
    search_vectors_refresh()
    words = SearchTerm.objects.exclude(term__startswith="\u00a7")
    assert search_terms_rebuild() == words.count() > 10
    ids, scores = films_by_words("a detective and a thief", n=10)
    assert ids[0] == films[0].pk
    assert len(ids) == 9
    assert (np.diff(scores) <= 0).all()
    ids, _ = films_by_words("a detective and a thief", n=10, among=[films[1].pk, films[2].pk])
    assert len(ids) == 0
    assert films_by_words("the and of", n=5)[0].tolist() == []


def test_the_worker_embeds_what_changed_and_only_then_indexes(films, settings):
    settings.TEXT_ENCODER = "hashing-64"
    report = changed_films_embed()
    assert (report.n_embedded, report.has_switched) == (3, True)
    assert SearchTerm.objects.exists()
    assert changed_films_embed() is None
    settings.TEXT_ENCODER = "/nowhere/no-such-model"
    assert changed_films_embed() is None
    assert nearest.active_space().encoder == "hashing-64"
