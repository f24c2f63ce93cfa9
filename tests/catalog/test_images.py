"""Posters and backdrops: fetched on request only, checked, served in sizes, forgotten in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from catalog.images import images_cache, images_forget, images_lost_forget, images_wanted
from catalog.models import CachedImage, Movie
from catalog.tmdb.pictures import NotAPictureError, read_picture
from tests.catalog.tmdb_world import movielens_films, row, tmdb

NOW = datetime(2026, 3, 1, tzinfo=UTC)
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xc0\x00\x11\x08\x02\x0d\x01\x56\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
)


@pytest.fixture
def images(settings, tmp_path):
    """A cache of our own, and the fake as TMDB's image server."""
    settings.IMAGES_DIR = tmp_path / "images"
    with tmdb([row(1)]) as fake:
        settings.TMDB_IMAGE_URL = fake.image_url
        yield fake


def film_with_paths(**paths):
    """Our film 1, with the paths that TMDB gave."""
    pk = movielens_films([1])[1]
    Movie.objects.filter(pk=pk).update(**paths)
    return Movie.objects.get(pk=pk)


@pytest.mark.django_db(transaction=True)
def test_pictures_are_cached_in_all_sizes_and_served_for_ever(images, client):
    film = film_with_paths(poster_path="/a.jpg", backdrop_path="/b.jpg")
    drawn_version = film.poster_version
    assert images_cache(images_wanted(now=NOW), threads=3, now=lambda: NOW) == {"cached": 2}
    film.refresh_from_db()
    assert film.poster_version != drawn_version
    url = reverse("catalog:poster", args=[film.pk])
    bodies = set()
    for size in ("w185", "w342", "w780", ""):
        response = client.get(url, {"v": film.poster_version, "size": size})
        assert response["Content-Type"] == "image/png"
        assert response["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response["X-Content-Type-Options"] == "nosniff"
        bodies.add(response.content)
    assert len(bodies) == 3
    again = client.get(url, {"v": film.poster_version}, headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304
    wide = client.get(reverse("catalog:backdrop", args=[film.pk]), {"size": "w780"})
    assert wide["Content-Type"] == "image/png"
    assert wide["Cache-Control"] == "public, max-age=300"
    assert images_wanted(now=NOW) == []


@pytest.mark.django_db(transaction=True)
def test_a_film_without_a_cached_picture_gets_a_drawn_one_and_nobody_is_asked(images, client):
    film = film_with_paths(poster_path="/a.jpg")
    response = client.get(reverse("catalog:poster", args=[film.pk]))
    assert response["Content-Type"].startswith("image/svg+xml")
    assert images.requests == []


@pytest.mark.django_db(transaction=True)
def test_a_lost_file_is_drawn_for_now_and_fetched_again(images, client, settings):
    film = film_with_paths(poster_path="/a.jpg")
    images_cache(images_wanted(now=NOW), now=lambda: NOW)
    film.refresh_from_db()
    folder = settings.IMAGES_DIR / film.poster_digest[:2] / film.poster_digest
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    url = reverse("catalog:poster", args=[film.pk])
    response = client.get(url, {"v": film.poster_version})
    assert response["Content-Type"].startswith("image/svg+xml")
    assert response["Cache-Control"] == "public, max-age=300"
    assert images_lost_forget() == 1
    assert len(images_wanted(now=NOW)) == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_no_picture_is_noted_and_not_asked_for_daily(images, monkeypatch):
    film = film_with_paths(poster_path="/a.jpg")
    monkeypatch.setattr(
        "catalog.tmdb.fake.server._image",
        lambda path: (200, b"<svg onload='x'/>", {"Content-Type": "image/png"}),
    )
    assert images_cache(images_wanted(now=NOW), now=lambda: NOW) == {"failed": 1}
    noted = CachedImage.objects.get()
    assert noted.reason == "neither JPEG nor PNG nor WebP"
    film.refresh_from_db()
    assert film.poster_digest == ""
    assert images_wanted(now=NOW + timedelta(days=1)) == []
    assert len(images_wanted(now=NOW + timedelta(days=8))) == 1


@pytest.mark.django_db(transaction=True)
def test_another_poster_at_tmdb_replaces_the_cached_one(images):
    film = film_with_paths(poster_path="/a.jpg")
    images_cache(images_wanted(now=NOW), now=lambda: NOW)
    film.refresh_from_db()
    first = film.poster_digest
    Movie.objects.filter(pk=film.pk).update(poster_path="/c.jpg")
    images_cache(images_wanted(now=NOW), now=lambda: NOW)
    film.refresh_from_db()
    assert first
    assert film.poster_digest not in ("", first)


@pytest.mark.django_db(transaction=True)
def test_forgotten_pictures_leave_the_disk(images, settings):
    film = film_with_paths(poster_path="/a.jpg")
    images_cache(images_wanted(now=NOW), now=lambda: NOW)
    images_forget([film.pk])
    film.refresh_from_db()
    assert film.poster_digest == ""
    assert not [path for path in settings.IMAGES_DIR.rglob("*") if path.is_file()]


@pytest.mark.django_db
def test_the_command_needs_a_key(settings):
    settings.TMDB_API_KEY = ""
    with pytest.raises(CommandError, match="TMDB_API_KEY"):
        call_command("cache_images")


def test_bytes_are_looked_at_themselves():
    picture = read_picture(JPEG)
    assert (picture.media_type, picture.width, picture.height) == ("image/jpeg", 342, 525)
    webp = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x55\x01\x00\x0c\x02\x00"
    assert (read_picture(webp).width, read_picture(webp).height) == (342, 525)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a\x01\x00\x01\x00",
        JPEG[:26],
        b"\xff\xd8\xff\xe0\x00\x01",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x20\x00\x00\x00\x20\x00",
        b"\x89PNG\r\n\x1a\n\x00\x00",
    ],
)
def test_other_bytes_are_no_picture(data):
    with pytest.raises(NotAPictureError):
        read_picture(data)
