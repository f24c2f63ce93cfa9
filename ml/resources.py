"""Peak memory of a stretch of work, and the threads that it may use."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from threadpoolctl import threadpool_limits

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class PeakMemory:
    """Context manager: ``peak_mib`` is the process' highest resident memory inside it.

    Linux keeps that mark itself; writing 5 to clear_refs resets it (proc(5)). Elsewhere nan.
    """

    peak_mib: float = float("nan")

    def __enter__(self) -> Self:
        self._was_reset = False
        try:
            _CLEAR.write_text("5")
            self._was_reset = True
        except OSError:
            pass  # no such file on this platform: peak_mib stays nan, which says "not measured"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._was_reset:
            found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
            self.peak_mib = int(found.group(1)) / 1024 if found else float("nan")


def one_blas_thread() -> AbstractContextManager[object]:
    """While it lasts, BLAS uses one thread in this process: around loops over small matrices, and
    around kernels whose own threads call BLAS.

    A second thread makes a product or a factorisation of a hundred rows no faster; where the two
    cores are threads of one, waiting for each other made them forty times slower.
    """
    # Looked for anew each time, a millisecond: a kernel brings its own BLAS when it is loaded.
    return threadpool_limits(1, user_api="blas")
