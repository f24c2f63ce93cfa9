"""An upload as a list of members: the file itself, or what a ZIP holds, within strict limits.

Nothing is ever written to disk, so that no name in an archive can lead anywhere. Sizes are what the
archive declares; ``zipfile`` reads no member further than that.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from django.utils.translation import gettext as _

from catalog.numbers import count_text
from feedback.imports.errors import ImportFileError

MAX_UPLOAD_BYTES = 20 * 1024 * 1024
MAX_ROWS = 100_000
# A Letterboxd archive has some ten files, and one for each list.
MAX_MEMBERS = 2_000
MAX_EXPANDED_BYTES = 100 * 1024 * 1024
# Tables of films shrink to a fifth or a tenth. A bomb shrinks to a thousandth.
MAX_RATIO = 100
RATIO_FROM_BYTES = 1024 * 1024

_KNOWN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
#: What a broken member raises while it is read.
READ_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError)


@dataclass(frozen=True)
class Member:
    """One file. ``path`` is without the folder that the whole archive may lie in."""

    path: str
    size: int
    open: Callable[[], BinaryIO]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(self.path).name

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return PurePosixPath(self.path).stem

    @property
    def suffix(self) -> str:
        """The ending, lower case: ".csv"."""
        return PurePosixPath(self.path).suffix.lower()


def members_of(content: bytes, filename: str) -> list[Member]:
    """The members of an upload. Raises ImportFileError."""
    if not content:
        raise ImportFileError(_("The file is empty. Download it again where you got it."))
    if len(content) > MAX_UPLOAD_BYTES:
        raise ImportFileError(
            _("The file is larger than %(mb)s MB. Import its parts one by one.")
            % {"mb": MAX_UPLOAD_BYTES // 1024 // 1024}
        )
    if content[:2] == b"PK":
        return _unpacked(content)
    if filename.lower().endswith(".zip"):
        raise ImportFileError(
            _("The name says ZIP, but the file is none. Download it again where you got it.")
        )
    return [Member(filename or "file", len(content), lambda: io.BytesIO(content))]


def _unpacked(content: bytes) -> list[Member]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        infos = [info for info in archive.infolist() if not info.is_dir()]
    # zipfile raises NotImplementedError for a way of compressing that it does not know.
    except (*READ_ERRORS, NotImplementedError, IndexError) as error:
        raise ImportFileError(
            _("The ZIP file is damaged, or was not downloaded to its end. Download it again.")
        ) from error
    _check(infos)
    root = _common_folder([info.filename for info in infos])
    return [
        Member(info.filename[len(root) :], info.file_size, _opener(archive, info)) for info in infos
    ]


def _check(infos: list[zipfile.ZipInfo]) -> None:
    if not infos:
        raise ImportFileError(_("The ZIP file is empty."))
    if len(infos) > MAX_MEMBERS:
        raise ImportFileError(
            _("The ZIP file holds more than %(n)s files: this is no export of films.")
            % {"n": count_text(MAX_MEMBERS)}
        )
    if any(info.flag_bits & _ENCRYPTED for info in infos):
        raise ImportFileError(
            _("The ZIP file is locked with a password. Unpack it, and import its files.")
        )
    if any(info.compress_type not in _KNOWN_METHODS for info in infos):
        raise ImportFileError(
            _("The ZIP file is packed in an unusual way. Unpack it, and import its files.")
        )
    expanded = sum(info.file_size for info in infos)
    bombs = [
        info
        for info in infos
        if info.file_size > RATIO_FROM_BYTES
        and info.file_size > MAX_RATIO * max(1, info.compress_size)
    ]
    if expanded > MAX_EXPANDED_BYTES or bombs:
        raise ImportFileError(
            _("Unpacked, the ZIP file would be far too large for an export of films.")
        )


def _common_folder(names: list[str]) -> str:
    """ "letterboxd-ada-2024/" where everything lies in it, else ""."""
    first, slash, _rest = names[0].partition("/")
    root = first + slash
    return root if slash and all(name.startswith(root) for name in names) else ""


def _opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    def opened() -> BinaryIO:
        try:
            return archive.open(info)  # type: ignore[return-value]  # reads like any other
        # As above; RuntimeError where a password is asked for.
        except (*READ_ERRORS, NotImplementedError, RuntimeError) as error:
            raise damaged(info.filename) from error

    return opened


def damaged(name: str) -> ImportFileError:
    """What to say of a member that cannot be read to its end."""
    return ImportFileError(
        _("“%(name)s” is damaged and cannot be read to its end. Download the file again.")
        % {"name": printable(name)[-60:]}
    )


def too_many_rows() -> ImportFileError:
    """What to say of a file beyond the limit."""
    return ImportFileError(
        _("This is more than %(n)s rows. Split the file and import its parts.")
        % {"n": count_text(MAX_ROWS)}
    )


def printable(text: str) -> str:
    """A name as it may stand in a sentence."""
    return "".join(char if char.isprintable() else "?" for char in text)
