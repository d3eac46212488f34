"""Reads pickles of old installations without running them: plain values come out, and inert records for the rest.

A pickle is a program for a small machine (documented in Python's `pickletools`); its opcodes for classes and calls let
whoever wrote the file run any code of the reader. This machine has no way to import or call: a class is a name here,
a call of it is a `Record` that says what was wanted, and a name the caller did not list ends the reading. Nothing here
recurses, no length is believed beyond the data, and keys are scalars, so that no file takes more time or memory than
its size allows.
"""

from collections.abc import Collection, Iterator
from typing import Any

from postroad.upgrade.importing.pickle_machine import Machine
from postroad.upgrade.importing.pickle_values import Damaged, Name, Record, Refused

__all__ = ["Damaged", "Name", "Record", "Refused", "load", "load_each"]


def load(data: bytes, names: Collection[str] = ()) -> Any:
    """The value of the first pickle in these bytes.

    `names` are the classes it may speak of beside `PLAIN_NAMES`; one that ends in `.*` stands for a whole package.
    Python 2 strings are `bytes`.

    Raises:
        Refused: it names another class, or uses an opcode that plain data has no use for.
        Damaged: it is cut short, or no pickle.
    """
    return next(load_each(data, names))


def load_each(data: bytes, names: Collection[str] = ()) -> Iterator[Any]:
    """The values of all pickles that follow each other in these bytes, as a Mailman queue file has them.

    Raises:
        Refused, Damaged: as `load` does; what came before is good.
    """
    machine = Machine(data, frozenset(names))
    yield machine.run()
    while machine.at < len(data):
        yield machine.run()
