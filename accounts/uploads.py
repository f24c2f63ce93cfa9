"""How large an uploaded file may be, decided while it arrives: more of it is read, none is kept."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

MAX_FILE_BYTES = 20 * 1024 * 1024
_FLAG = "marquee.file_too_large"


class UploadCap(FileUploadHandler):
    """Stands before the handlers that keep files; a proxy should refuse such bodies, too."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Counts each file for itself."""
        super().new_file(*args, **kwargs)
        self._n_bytes = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Passes on what is within the limit; a larger file is dropped whole."""
        self._n_bytes += len(raw_data)
        if self._n_bytes > MAX_FILE_BYTES:
            if self.request is not None:
                self.request.META[_FLAG] = True
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The file is made by the handlers that follow."""


def is_file_too_large(request: HttpRequest) -> bool:
    """A file of this request was dropped."""
    return bool(request.META.get(_FLAG))
