"""Fitted models on disk: a .npy for each array and a manifest; atomic, checked, never pickled."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from ml.models.base import Recommender
from ml.models.registry import UnknownModelError, load_class

FORMAT = 1
MANIFEST_NAME = "manifest.json"


class ArtifactError(RuntimeError):
    """A model's files are missing, damaged or of another kind; the message says which file."""


class Storable(Protocol):
    """What can be stored: every :class:`Recommender` and every predictor of stars."""

    @property
    def name(self) -> str:
        """The name in the registry."""
        ...

    def params(self) -> dict[str, Any]:
        """The settings, JSON-able."""
        ...

    def to_arrays(self) -> dict[str, NDArray]:
        """Everything that was learned."""
        ...


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """One array of a model: its file, shape, dtype, size and sha256 (of the whole file)."""

    file: str
    shape: tuple[int, ...]
    dtype: str
    n_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model folder holds. ``sha256`` is over all else and names the model's content."""

    model: str
    params: dict[str, Any]
    arrays: dict[str, ArrayFile]
    metadata: dict[str, Any]
    format: int = FORMAT
    sha256: str = field(default="", compare=False)

    def to_json(self) -> str:
        """The manifest as written, with its own sha256."""
        return json.dumps(asdict(self) | {"sha256": self.digest()}, indent=2, sort_keys=True) + "\n"

    def digest(self) -> str:
        """sha256 of the manifest's content without that field."""
        content = asdict(self)
        content.pop("sha256")
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def save_artifact(model: Storable, folder: Path, *, metadata: dict[str, Any]) -> Manifest:
    """Write ``model`` to ``folder``: all or nothing.

    Files go to a temporary folder beside it, are flushed to disk and renamed; an earlier model of
    the same folder is replaced. ``metadata`` is any JSON-able description. Raises ArtifactError if
    the metadata or the settings aren't JSON-able or something else is in the place
    (:func:`check_place`), OSError if the disk refuses.
    """
    folder = Path(folder)
    check_place(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        arrays: dict[str, ArrayFile] = {}
        written: dict[str, ArrayFile] = {}
        for i, (name, array) in enumerate(sorted(model.to_arrays().items())):
            entry = _write_array(temporary, i, name, array)
            # Two sources of a blend may ask one table in different ways: it is kept once.
            if entry.sha256 in written:
                (temporary / entry.file).unlink()
            arrays[name] = written.setdefault(entry.sha256, entry)
        manifest = _normal(Manifest(model.name, model.params(), arrays, metadata))
        _write_flushed(temporary / MANIFEST_NAME, manifest.to_json().encode())
        temporary.chmod(0o755)  # mkdtemp makes it private; the workers may run as another user
        _flush_folder(temporary)
        _swap(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return manifest


def check_place(folder: Path) -> None:
    """Raise ArtifactError where a model would take the place of something that is no model."""
    folder = Path(folder)
    if folder.is_dir():
        if (folder / MANIFEST_NAME).is_file() or not any(folder.iterdir()):
            return
        raise ArtifactError(f"{folder} holds other files and would be replaced: name a new folder")
    if folder.exists() or folder.is_symlink():
        raise ArtifactError(f"{folder} is a file and would be replaced: name a new folder")


def load_artifact(
    folder: Path, *, verify: bool = True, mmap: bool = True
) -> tuple[Recommender, Manifest]:
    """The recommender in ``folder`` and its manifest; see :func:`load_model`."""
    model, manifest = load_model(folder, verify=verify, mmap=mmap)
    if not isinstance(model, Recommender):
        raise ArtifactError(f"{folder} holds a {manifest.model} model, which recommends nothing")
    return model, manifest


def load_model(folder: Path, *, verify: bool = True, mmap: bool = True) -> tuple[Any, Manifest]:
    """The model of any kind in ``folder`` and its manifest.

    With ``mmap`` arrays are memory-mapped read-only, so processes share one copy. ``verify`` reads
    every file once and compares its sha256. Raises :class:`ArtifactError`.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    arrays: dict[str, NDArray] = {}
    read: dict[str, NDArray] = {}  # by file, which several arrays may share
    for name, entry in manifest.arrays.items():
        if entry.file not in read:
            read[entry.file] = _read_array(folder, name, entry, verify=verify, mmap=mmap)
        arrays[name] = read[entry.file]
    try:
        model = load_class(manifest.model).from_arrays(arrays, manifest.params)
    except UnknownModelError as error:
        raise ArtifactError(f"{folder}: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"{folder}: the files don't make a {manifest.model} model of this version ({error})"
        ) from error
    return model, manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest alone, its own sha256 checked. Raises :class:`ArtifactError`."""
    source = Path(folder) / MANIFEST_NAME
    try:
        raw = json.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(f"{source} is missing: this folder holds no model") from error
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{source} cannot be read: {error}") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ArtifactError(f"{source} is not a manifest of format {FORMAT}")
    try:
        arrays = {
            name: ArrayFile(**{**entry, "shape": tuple(entry["shape"])})
            for name, entry in raw["arrays"].items()
        }
        manifest = Manifest(**{**raw, "arrays": arrays})
    except (KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{source} lacks or misnames a field ({error})") from error
    if manifest.digest() != manifest.sha256:
        raise ArtifactError(f"{source} was changed: its sha256 does not match its content")
    return manifest


def _normal(manifest: Manifest) -> Manifest:
    """The manifest as it will be read back (tuples become lists), or ArtifactError."""
    try:
        params, metadata = json.loads(json.dumps([manifest.params, manifest.metadata]))
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"settings or metadata cannot be written as JSON: {error}") from error
    plain = Manifest(manifest.model, params, manifest.arrays, metadata)
    return Manifest(plain.model, params, plain.arrays, metadata, sha256=plain.digest())


class _OnlyWriting:
    """A file without a descriptor for numpy to see.

    Given a real one, numpy calls C's ``fwrite`` and loses the reason where that fails: a full disk
    became "2256 requested and 992 written".
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        """As the file does, its errors included."""
        return self._file.write(data)


def _write_array(folder: Path, i: int, name: str, array: NDArray) -> ArrayFile:
    array = np.ascontiguousarray(array).reshape(np.shape(array))
    if array.dtype.hasobject:
        raise ArtifactError(f"array {name!r} holds Python objects, which are never written")
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", name)
    target = folder / f"{i:03d}-{slug}.npy"
    with target.open("wb") as file:
        np.lib.format.write_array(_OnlyWriting(file), array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    return ArrayFile(
        file=target.name,
        shape=tuple(array.shape),
        dtype=array.dtype.str,
        n_bytes=target.stat().st_size,
        sha256=_sha256(target),
    )


def _read_array(folder: Path, name: str, entry: ArrayFile, *, verify: bool, mmap: bool) -> NDArray:
    source = folder / entry.file
    if Path(entry.file).name != entry.file:
        raise ArtifactError(f"array {name!r} names a file outside its folder: {entry.file}")
    if not source.is_file():
        raise ArtifactError(f"{source} is missing")
    if source.stat().st_size != entry.n_bytes:
        raise ArtifactError(
            f"{source} has {source.stat().st_size} bytes, the manifest says {entry.n_bytes}"
        )
    if verify and _sha256(source) != entry.sha256:
        raise ArtifactError(f"{source} is damaged: its sha256 does not match the manifest")
    empty = 0 in entry.shape  # an empty file part cannot be mapped
    try:
        array = np.load(source, mmap_mode="r" if mmap and not empty else None, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ArtifactError(f"{source} cannot be read: {error}") from error
    if tuple(array.shape) != entry.shape or array.dtype.str != entry.dtype:
        raise ArtifactError(
            f"{source} holds {array.dtype.str}{array.shape}, "
            f"the manifest says {entry.dtype}{entry.shape}"
        )
    # A plain view: the memmap class adds attributes to every slice and slows small reads.
    return array.view(np.ndarray)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_flushed(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _swap(temporary: Path, folder: Path) -> None:
    """Put ``temporary`` in the place of ``folder``; readers of the old files keep them open."""
    retired = None
    if folder.exists():
        retired = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
        folder.rename(retired / "model")
    try:
        temporary.rename(folder)
    except OSError:
        if retired is not None:
            (retired / "model").rename(folder)
            retired.rmdir()
        raise
    _flush_folder(folder.parent)
    if retired is not None:
        shutil.rmtree(retired, ignore_errors=True)
