"""What can go wrong around the embedded servers, each said in one sentence."""

from __future__ import annotations

import errno
from pathlib import Path


class EmbeddedServiceError(RuntimeError):
    """An embedded server cannot be used; the message says why and what to do about it."""


def explain_os_error(error: OSError, path: Path) -> EmbeddedServiceError:
    """The sentence for an operating system's refusal to let us write at ``path``."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(path)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return EmbeddedServiceError(
            f"Marquee cannot write to {path} ({error.strerror}): make the folder writable for this "
            "user, or set MARQUEE_VAR to a folder that is."
        )
    if error.errno in {errno.EEXIST, errno.ENOTDIR}:
        return EmbeddedServiceError(
            f"Marquee needs a folder at {path}, but a file is in the way: "
            "move it, or set MARQUEE_VAR to another folder."
        )
    return EmbeddedServiceError(
        f"Marquee cannot use {path} ({error.strerror or error}): "
        "set MARQUEE_VAR to a folder that works."
    )


def disk_full(path: Path) -> EmbeddedServiceError:
    """The sentence for a full disk."""
    return EmbeddedServiceError(
        f"The disk that holds {path} is full: free some space, "
        "or set MARQUEE_VAR to a folder on another disk."
    )
