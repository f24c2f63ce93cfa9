"""Imports that are stopped, lied to or attacked leave everything as it was."""

import http.server
import os
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection

from catalog import warehouse
from catalog.ingestion import sources
from catalog.ingestion.errors import IngestionError
from catalog.ingestion.movielens import import_movielens
from catalog.models import Dataset, Movie
from tests.catalog.conftest import NOW_S, run_import, write_csv

pytestmark = pytest.mark.usefixtures("warehouse_dir")


def zipped(folder: Path, path: Path, *, prefix: str = "ml-small/") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, prefix + file.name)
    return path


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.django_db
def test_a_zip_is_read_and_named_by_its_folder(tmp_path):
    path = zipped(write_csv(tmp_path / "source"), tmp_path / "download.zip")
    assert run_import(path).dataset.slug == "ml-small"
    assert Movie.objects.count() == 5


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv", "C:/x.csv"])
def test_odd_paths_in_a_zip_are_refused(tmp_path, name):
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(IngestionError, match="odd path"):
        run_import(path)
    assert not list(tmp_path.rglob("evil.csv"))


@pytest.mark.django_db
def test_links_in_a_zip_are_refused(tmp_path):
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("ml/movies.csv")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(IngestionError, match="holds a link"):
        run_import(path)


@pytest.mark.django_db
def test_a_zip_bomb_is_refused(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ml/ratings.csv", b"0" * 30_000_000)
    with pytest.raises(IngestionError, match="ZIP bomb"):
        run_import(path)


@pytest.mark.django_db
def test_a_damaged_zip_is_refused(tmp_path):
    path = zipped(write_csv(tmp_path / "source"), tmp_path / "ml.zip")
    raw = bytearray(path.read_bytes())
    raw[60:90] = b"\0" * 30
    path.write_bytes(raw)
    with pytest.raises(IngestionError, match="damaged ZIP"):
        run_import(path)
    assert not Movie.objects.exists()


@pytest.fixture
def served(tmp_path):
    """An HTTP server on loopback over ``tmp_path / "www"``; its address."""
    (tmp_path / "www").mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path / "www"))

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.django_db
def test_an_address_is_downloaded(tmp_path, served):
    zipped(write_csv(tmp_path / "source"), tmp_path / "www" / "x.zip")
    seen = set()
    import_movielens(f"{served}/x.zip", progress=lambda what, *_: seen.add(what), now_s=NOW_S)
    assert Movie.objects.count() == 5
    assert {"Downloading", "Unpacking", "Reading ratings"} <= seen


@pytest.mark.django_db
def test_a_missing_address_says_so(served):
    with pytest.raises(IngestionError, match="answered 404"):
        run_import(f"{served}/none.zip")


@pytest.mark.django_db
def test_a_download_over_the_cap_is_refused(tmp_path, served, monkeypatch):
    zipped(write_csv(tmp_path / "source"), tmp_path / "www" / "x.zip")
    monkeypatch.setattr(sources, "MAX_DOWNLOAD_BYTES", 100)
    with pytest.raises(IngestionError, match="too big"):
        run_import(f"{served}/x.zip")
    assert not Movie.objects.exists()


@pytest.mark.django_db
def test_an_address_that_serves_a_page_is_refused(tmp_path, served):
    (tmp_path / "www" / "x.zip").write_text("<html>log in first</html>")
    with pytest.raises(IngestionError, match="is not a ZIP file"):
        run_import(f"{served}/x.zip")


@pytest.mark.django_db
def test_other_schemes_are_refused():
    with pytest.raises(IngestionError, match="only http"):
        run_import("ftp://127.0.0.1/x.zip")


@pytest.mark.django_db
@pytest.mark.parametrize("stage", ["Reading ratings", "Writing films", "Indexing for search"])
def test_ctrl_c_changes_nothing(tmp_path, warehouse_dir, stage):
    def stop(what, done, total):
        if what == stage:
            raise KeyboardInterrupt

    folder = write_csv(tmp_path / "ml")
    with pytest.raises(KeyboardInterrupt):
        import_movielens(str(folder), progress=stop, now_s=NOW_S)
    assert not Movie.objects.exists()
    assert not Dataset.objects.exists()
    assert run_import(folder).films.created == 5
    assert len(files_in(warehouse_dir)) == 1


@pytest.mark.django_db
def test_the_command_says_that_it_was_stopped(tmp_path, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("catalog.ingestion.movielens.upsert_films", stop)
    with pytest.raises(CommandError, match="Stopped. Nothing was changed.") as stopped:
        call_command("import_movielens", str(write_csv(tmp_path / "ml")))
    assert stopped.value.returncode == 130


@pytest.mark.django_db(transaction=True)
def test_kill_9_in_the_last_moment_changes_nothing(tmp_path, warehouse_dir):
    """Killed with the file renamed and every row written, but not yet committed."""
    folder = write_csv(tmp_path / "ml")
    run_import(folder)
    before = warehouse.fingerprint()
    with (folder / "ratings.csv").open("a") as file:
        file.write("9,1,2.0,1000000000\n")
    name = connection.settings_dict["NAME"]
    script = f"""
import os, signal, sys
sys.path.insert(0, {str(django_settings.BASE_DIR)!r})
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = {name!r}
django.setup()
from pathlib import Path
settings.VAR_DIR = Path({str(tmp_path / "var")!r})
settings.WAREHOUSE_DIR = Path({str(warehouse_dir)!r})
from catalog.ingestion import movielens
movielens.search_vectors_refresh = lambda ids: os.kill(os.getpid(), signal.SIGKILL)
movielens.import_movielens({str(folder)!r}, progress=lambda *args: None, now_s={NOW_S})
"""
    done = subprocess.run([sys.executable, "-c", script], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    left = files_in(warehouse_dir)
    assert len(left) > 1
    assert warehouse.fingerprint() == before
    assert warehouse.read_ratings().height == 5
    again = run_import(folder)
    assert (again.ratings.n_ratings, again.films.changed) == (6, 0)
    assert warehouse.read_ratings().height == 6
    assert len(files_in(warehouse_dir)) == 1


@pytest.mark.django_db
def test_two_imports_at_once_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("catalog.ingestion.movielens.import_lock_take", lambda: False)
    with pytest.raises(IngestionError, match="Another import is running"):
        run_import(write_csv(tmp_path / "ml"))


@pytest.mark.django_db
def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device", "ratings.parquet")

    monkeypatch.setattr("catalog.warehouse.write_ratings", full)
    with pytest.raises(CommandError, match="ratings.parquet: No space left on device"):
        call_command("import_movielens", str(write_csv(tmp_path / "ml")))
    assert not Movie.objects.exists()
