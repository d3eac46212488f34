"""The state machine alone: any relay, any cut of its bytes, one and the same outcome for every recipient."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.mailflow.delivery.conversation import Conversation
from postroad.mailflow.delivery.relay import Copy, Features
from postroad.mailflow.delivery.replies import Replies
from postroad.mailflow.delivery.transaction import Transaction

pytestmark = pytest.mark.sqlite_only

codes = st.sampled_from([250, 250, 250, 251, 421, 450, 451, 500, 550, 552, 554])
plans = st.lists(
    st.tuples(codes, st.lists(codes, min_size=1, max_size=3), st.sampled_from([354, 354, 354, 421, 451, 554]), codes),
    min_size=1,
    max_size=5,
)


def reply(code: int, long: bool) -> bytes:
    return (b"%d-more\r\n" % code if long else b"") + b"%d some text\r\n" % code


class Server:
    """Answers what a conversation wrote, by the plan of each copy; stops after a 421."""

    def __init__(self, plan, long: bool) -> None:
        self.plan = plan
        self.long = long
        self.input = b""
        self.in_content = False
        self.closed = False
        self.at = -1
        self.rcpt = 0
        self.contents: list[int] = []

    def answer(self, data: bytes) -> bytes:
        self.input += data
        out = b""
        while not self.closed:
            end = b"\r\n.\r\n" if self.in_content and not self.input.startswith(b".\r\n") else b"\r\n"
            head, found, rest = self.input.partition(end)
            if not found:
                break
            self.input = rest
            code = self.code_for(head)
            self.closed = code == 421
            out += reply(code, self.long)
        return out

    def code_for(self, line: bytes) -> int:
        if line.startswith(b"MAIL"):
            self.at = int(line.split(b"<")[1].split(b"@")[0])
            self.rcpt = 0
            self.refused = self.plan[self.at][0] >= 400
        mail, rcpts, data, dot = self.plan[max(self.at, 0)]
        if self.in_content:
            self.in_content = False
            if line != b".":
                self.contents.append(self.at)
            return dot
        if line.startswith(b"MAIL"):
            return mail
        if line.startswith(b"RCPT") and self.refused:
            return 503
        if line.startswith(b"RCPT"):
            self.rcpt += 1
            return rcpts[self.rcpt - 1]
        if line == b"DATA":
            self.in_content = data == 354
            return data
        assert line == b"RSET"
        return 250


def run(plan, long, cuts, pipelining):
    copies = [
        Copy(n, f"{n}@s.net", tuple(f"r{i}@x.net" for i in range(len(p[1]))), b"a: b\r\n\r\nx\r\n")
        for n, p in enumerate(plan)
    ]
    queue = deque(Transaction(copy, None) for copy in copies)  # type: ignore[arg-type]
    talk = Conversation(Features(pipelining=pipelining), Replies(), lambda: queue.popleft() if queue else None)
    server = Server(plan, long)
    sizes = iter(cuts * 2000)
    talk.pump()
    while talk.out and talk.ended is None:
        sent = b"".join(talk.out)
        talk.out.clear()
        answer = server.answer(sent)
        while answer and talk.ended is None:
            size = next(sizes)
            talk.receive(answer[:size])
            talk.pump()
            answer = answer[size:]
    if talk.ended is not None:
        talk.lost(*talk.ended)
    left = {t.copy.key for t in [*talk.again, *queue]}
    outcomes = {(o.key, o.recipient_index): (o.code, o.kind, o.in_doubt) for o in talk.outcomes}
    assert len(outcomes) == len(talk.outcomes), "one outcome for each recipient"
    return outcomes, left, server.contents


@given(plans, st.booleans(), st.lists(st.integers(1, 40), min_size=1), st.booleans())
def test_outcomes_do_not_depend_on_how_replies_are_cut(plan, long, cuts, pipelining):
    assert run(plan, long, cuts, pipelining) == run(plan, long, [1 << 20], pipelining)


@given(plans, st.booleans(), st.booleans())
def test_each_recipient_has_the_outcome_its_replies_say(plan, long, pipelining):
    """Without 421 and without "too many recipients", the expected code can be told from the plan alone."""
    plan = [
        (
            451 if mail == 421 else mail,
            [450 if code in (421, 552) else code for code in rcpts],
            451 if data == 421 else data,
            451 if dot == 421 else dot,
        )
        for mail, rcpts, data, dot in plan
    ]
    outcomes, left, contents = run(plan, long, [1 << 20], pipelining)
    assert left == set()
    for key, (mail, rcpts, data, dot) in enumerate(plan):
        for index, rcpt in enumerate(rcpts):
            code = next((c for c in (mail, rcpt) if c >= 400), data if data != 354 else dot)
            kind = "delivered" if code < 300 else "permanent" if code >= 500 and code != 552 else "temporary"
            assert outcomes[key, index] == (code, kind, False)
        takes = mail < 400 and any(code < 400 for code in rcpts) and data == 354
        assert contents.count(key) == takes


@given(st.binary(max_size=300), st.lists(st.integers(1, 50), min_size=1))
def test_any_bytes_at_all_end_in_replies_or_in_a_broken_session(data, cuts):
    whole, cut = Replies(), Replies()
    expected = whole.feed(data)
    found, at = [], 0
    for size in cuts * 301:
        found += cut.feed(data[at : at + size]) if not cut.broken else []
        at += size
    assert found == expected
    assert bool(cut.broken) == bool(whole.broken)
