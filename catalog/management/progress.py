"""Progress of long commands, for people who watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Show = Callable[[str, int, int | None], None]


@contextmanager
def progress_shown(*, is_quiet: bool = False) -> Iterator[Show]:
    """A function to call with (what, done, total); one bar for each ``what``.

    Drawn on stderr, and only for a terminal: a log file gets no bars.
    """
    console = Console(stderr=True)
    bars: dict[str, TaskID] = {}
    with Progress(
        TextColumn("{task.description:<22}"),
        BarColumn(complete_style="yellow", finished_style="yellow"),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=console,
        disable=is_quiet or not console.is_terminal,
    ) as drawn:

        def show(what: str, done: int, total: int | None) -> None:
            if what not in bars:
                for task in bars.values():
                    _finish(drawn, task)
                bars[what] = drawn.add_task(what, total=total)
            drawn.update(bars[what], completed=done, total=total)

        yield show
        for task in bars.values():
            _finish(drawn, task)


def _finish(drawn: Progress, task: TaskID) -> None:
    total = drawn.tasks[task].total or 1
    drawn.update(task, completed=total, total=total)
    drawn.stop_task(task)
