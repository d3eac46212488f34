"""How far an import is: bars on a terminal, a line for each finished step elsewhere, nothing where that was asked."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from postroad.upgrade.importing.plan import Step


class Told:
    """How far one step is."""

    def __init__(self, advance: Callable[[int], object]) -> None:
        self._advance = advance
        self.total = 0

    def advance(self, number: int) -> None:
        """So many objects more are done."""
        self.total += number
        self._advance(number)


class Progress(Protocol):
    """Told by the engine what it does."""

    @contextmanager
    def step(self, step: Step) -> Iterator[Told]:
        """A step begins, and ends."""
        yield Told(lambda _: None)


class Silent(Progress):
    """Says nothing."""


class Lines(Progress):
    """One line for each step when it is over; for logs."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say

    @contextmanager
    def step(self, step: Step) -> Iterator[Told]:
        """Time a step."""
        told, started = Told(lambda _: None), time.monotonic()
        yield told
        self._say(f"{step.kind:28}{told.total:>10,}{time.monotonic() - started:10.1f} s")


class Terminal(Progress):
    """A bar for each step, on standard error."""

    @contextmanager
    def step(self, step: Step) -> Iterator[Told]:
        """Show a bar; without a known total, how many are done."""
        columns = (TextColumn("{task.description:28}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bars(*columns, console=Console(stderr=True)) as bars:
            task = bars.add_task(step.kind, total=step.count() if step.count else None)
            yield Told(lambda number: bars.advance(task, number))


def progress_for(say: Callable[[str], object], *, silent: bool = False) -> Progress:
    """Bars where somebody looks, else lines given to `say`; nothing if `silent`."""
    if silent:
        return Silent()
    return Terminal() if sys.stderr.isatty() else Lines(say)
