"""What every mail of a batch asks for, remembered until the batch is committed: a list, its bans, its texts.

Nothing is remembered from one transaction to the next, so nothing is ever out of date; and what a mail that failed may
have left behind is forgotten with it. Only for rows that the stage itself does not change.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_batch: ContextVar[dict[Hashable, Any] | None] = ContextVar("batch", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Remember what is looked up from here to the end of the block."""
    token = _batch.set({})
    try:
        yield
    finally:
        _batch.reset(token)


def forget() -> None:
    """Look everything up anew."""
    found = _batch.get()
    if found is not None:
        found.clear()


def once(key: Hashable, look_up: Callable[[], T]) -> T:
    """The value of a key: looked up once in a batch, each time outside of one."""
    found = _batch.get()
    if found is None:
        return look_up()
    if key not in found:
        found[key] = look_up()
    value: T = found[key]
    return value
