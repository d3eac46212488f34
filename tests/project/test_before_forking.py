"""What `postroad serve` does before it makes its processes."""

import os

from postroad.project.commands.serve import done_apart


def test_what_is_done_apart_leaves_nothing_in_this_process(tmp_path):
    kept = []

    def work():
        kept.append(os.getpid())
        (tmp_path / "done").write_text(f"{os.getpid()}")

    assert done_apart(work)
    assert not kept
    assert int((tmp_path / "done").read_text()) != os.getpid()


def test_what_goes_wrong_apart_is_told():
    def work():
        raise ValueError

    assert not done_apart(work)
