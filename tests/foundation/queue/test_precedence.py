"""Who accepts mail goes before who works on it, and neither waits for ever."""

import threading
import time

import pytest

from postroad.foundation.queue import precedence

pytestmark = pytest.mark.django_db(transaction=True)


def test_accepting_goes_before_working_and_work_is_still_done():
    order: list[str] = []
    accepting, over = threading.Event(), threading.Event()

    def work() -> None:
        accepting.wait(5)
        with precedence.patient():
            order.append("work")

    def accept() -> None:
        while not over.is_set():
            with precedence.urgent():
                order.append("accept")
            accepting.set()

    threads = [threading.Thread(target=work), threading.Thread(target=accept)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    threads[0].join(5)
    took = time.monotonic() - began
    over.set()
    threads[1].join(5)
    assert order.count("work") == 1
    assert order.index("work") > 1, "what came in at that moment went first"
    assert took < 20 * precedence.MOST_PATIENCE


def test_two_never_write_at_once():
    inside, most = [0], [0]

    def enter(way) -> None:
        for _ in range(20):
            with way():
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=enter, args=(way,)) for way in (precedence.patient, precedence.urgent)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most[0] == 1


def test_work_waits_for_the_next_mail_of_a_stream_and_not_behind_a_lonely_one(monkeypatch):
    monkeypatch.setattr(precedence, "_last_urgent", 0.0)
    monkeypatch.setattr(precedence, "QUIET", 60.0)
    with precedence.urgent():
        pass
    assert not precedence._may_be_followed()
    with precedence.urgent():
        pass
    assert precedence._may_be_followed()
