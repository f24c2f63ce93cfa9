"""From what was typed (a folder, a ZIP, an address) to a folder with a dataset in it."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import requests

from catalog.ingestion.errors import IngestionError

# ml-32m is 239 MB as a ZIP and 0.95 GB unpacked, ml-25m 262 MB and 1.2 GB; compression about 4:1.
MAX_DOWNLOAD_BYTES = 1 << 30
MAX_UNPACKED_BYTES = 6 << 30
MAX_MEMBERS = 1000
MAX_RATIO = 100
CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
_BLOCK = 1 << 20
# What an import reads; all else in a ZIP stays in it.
WANTED_NAMES = frozenset(
    {"movies.csv", "ratings.csv", "links.csv", "tags.csv", "movies.dat", "ratings.dat"}
    | {"ratings.parquet", "u.item", "u.data", "readme", "readme.txt", "readme.html"}
)

# Bytes done, bytes in all (None where unknown), what is being done.
Progress = Callable[[int, int | None, str], None]


@dataclass(frozen=True)
class Located:
    """A folder to read, and the name of what lies in it."""

    folder: Path
    name: str


@contextmanager
def located(target: str, *, scratch: Path, progress: Progress) -> Iterator[Located]:
    """The dataset that ``target`` names; what had to be unpacked lies under ``scratch``.

    Raises ``IngestionError`` for a wrong path, an unreachable address or a ZIP that is none, is
    dangerous or is too big.
    """
    if urlsplit(target).scheme in {"http", "https"}:
        archive = scratch / "download.zip"
        _download(target, archive, progress=progress)
        name = PurePosixPath(urlsplit(target).path).stem or "movielens"
        yield Located(_unpacked(archive, scratch / "unpacked", progress=progress), name)
        return
    if "://" in target:
        raise IngestionError(f"{target}: only http:// and https:// addresses can be read.")
    path = Path(target).expanduser()
    if path.is_dir():
        yield Located(path, path.resolve().name)
    elif path.is_file() and zipfile.is_zipfile(path):
        yield Located(_unpacked(path, scratch / "unpacked", progress=progress), path.stem)
    elif path.is_file():
        raise IngestionError(
            f"{path} is neither a folder nor a ZIP. Give the folder that holds movies.csv and "
            "ratings.csv (or the .dat files), or MovieLens' ZIP."
        )
    else:
        raise IngestionError(f"{path} does not exist. Give a MovieLens folder, ZIP or address.")


def _download(url: str, path: Path, *, progress: Progress) -> None:
    try:
        with requests.get(
            url, stream=True, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        ) as response:
            response.raise_for_status()
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdigit() else None
            if total is not None and total > MAX_DOWNLOAD_BYTES:
                raise IngestionError(_too_big(url, total))
            done = 0
            with path.open("wb") as file:
                for block in response.iter_content(_BLOCK):
                    done += len(block)
                    if done > MAX_DOWNLOAD_BYTES:
                        raise IngestionError(_too_big(url, done))
                    file.write(block)
                    progress(done, total, "Downloading")
    except requests.HTTPError as error:
        code = error.response.status_code if error.response is not None else "an error"
        raise IngestionError(f"{url} answered {code}. Check the address.") from error
    except requests.RequestException as error:
        raise IngestionError(
            f"{url} could not be read ({type(error).__name__}). Check the network, or download the "
            "ZIP yourself and give its path."
        ) from error
    if total is not None and done != total:
        raise IngestionError(f"{url} broke off after {done:,} of {total:,} bytes. Try again.")
    if not zipfile.is_zipfile(path):
        raise IngestionError(f"{url} is not a ZIP file.")


def _too_big(what: str, size: int) -> str:
    return f"{what} is too big: {size:,} bytes, at most {MAX_DOWNLOAD_BYTES:,} are read."


def _unpacked(archive: Path, folder: Path, *, progress: Progress) -> Path:
    """Unpack what an import reads; sizes are counted while writing, not believed."""
    try:
        with zipfile.ZipFile(archive) as source:
            members = _checked_members(source)
            total = sum(member.file_size for member in members)
            _check_space(folder.parent, total)
            done = 0
            for member in members:
                target = folder / PurePosixPath(member.filename)
                target.parent.mkdir(parents=True, exist_ok=True)
                with source.open(member) as packed, target.open("wb") as plain:
                    written = 0
                    while block := packed.read(_BLOCK):
                        written += len(block)
                        if written > member.file_size:
                            raise IngestionError(f"{archive.name}: {member.filename} lies.")
                        plain.write(block)
                        progress(done + written, total, "Unpacking")
                done += written
    # zipfile raises NotImplementedError for a way of compressing that it does not know.
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise IngestionError(f"{archive.name} is a damaged ZIP: {error}.") from error
    return folder


def _checked_members(source: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    infos = source.infolist()
    if len(infos) > MAX_MEMBERS:
        raise IngestionError(f"The ZIP holds {len(infos):,} files; MovieLens' hold a few.")
    unpacked = sum(info.file_size for info in infos)
    packed = sum(info.compress_size for info in infos)
    if unpacked > MAX_UNPACKED_BYTES or unpacked > MAX_RATIO * max(packed, 1) + _BLOCK:
        raise IngestionError(
            f"The ZIP would unpack to {unpacked:,} bytes from {packed:,}: refused as a ZIP bomb."
        )
    wanted = []
    for info in infos:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise IngestionError(f"The ZIP holds an odd path, {info.filename!r}: refused.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise IngestionError(f"The ZIP holds a link, {info.filename!r}: refused.")
        if info.is_dir() or path.name.casefold() not in WANTED_NAMES or "__MACOSX" in path.parts:
            continue
        if info.flag_bits & 0x1:
            raise IngestionError(f"The ZIP is encrypted ({info.filename}). Unpack it yourself.")
        wanted.append(info)
    return wanted


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise IngestionError(
            f"Unpacking needs {needed:,} bytes, {free:,} are free where {folder} lies. Free some."
        )
