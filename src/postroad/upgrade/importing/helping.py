"""For the processes that prepare objects; imports neither Django nor models, which they do not have."""

import multiprocessing
import os
import threading


def end_with_parent() -> None:
    """End when the importing process does, even if it is killed: nobody would ever give this one work again."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_for, args=(parent,), daemon=True).start()


def _wait_for(parent: "multiprocessing.process.BaseProcess") -> None:
    parent.join()
    os._exit(1)
