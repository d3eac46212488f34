"""Many copies through few connections: back-pressure, growth, pauses, and what each breakage leaves behind."""

import asyncio
import socket
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.mailflow.delivery.client import Copy, Outcome, Relay
from postroad.mailflow.delivery.pool import AT_A_TIME, MOST_WAITING, Pool

pytestmark = pytest.mark.sqlite_only

BODY = b"Subject: x\r\n\r\nhello\r\n"


def copies(count: int) -> list[Copy]:
    return [Copy(n, f"l+{n}@example.org", (f"u{n}@example.net",), BODY) for n in range(count)]


def keys(found) -> list[int]:
    return sorted(item.key for item in found)


def senders(relay) -> Counter[int]:
    """How often the relay has taken each copy."""
    return Counter(int(sender.split("+")[1].split("@")[0]) for sender, _, _ in relay.messages)


def test_every_copy_goes_out_once_over_as_many_connections_as_allowed(scripted):
    async def run():
        found: list[Outcome] = []
        rounds = []
        async with scripted() as relay:
            pool = Pool(relay.relay(), 4, lambda outcomes: (found.extend(outcomes), rounds.append(pool.in_flight)))
            assert await pool.submit(copies(1000)) == []
            assert await pool.submit(copies(10)) == []
            await pool.close()
        assert keys(found) == sorted([*range(1000), *range(10)])
        assert senders(relay) == Counter([*range(1000), *range(10)])
        assert relay.most_open == relay.sessions == 4
        assert all(1 <= number <= 8 for number in rounds), "handed over while still counted; two on each connection"
        assert pool.in_flight == 0

    asyncio.run(run())


def test_one_copy_opens_one_connection_and_more_are_opened_for_more(scripted):
    async def run():
        found: list[Outcome] = []
        async with scripted() as relay:
            pool = Pool(relay.relay(), 4, found.extend)
            await pool.submit(copies(1))
            assert pool.connections == relay.sessions == 1
            assert await pool.submit(copies(300)) == []
            assert pool.connections > 1
            await pool.close()
        assert keys(found) == sorted([0, *range(300)])

    asyncio.run(run())


def test_submissions_run_side_by_side_and_each_ends_with_its_own_copies(scripted):
    async def run():
        found: list[Outcome] = []
        async with scripted() as relay:
            pool = Pool(relay.relay(), 3, found.extend)
            parts = [[copy for copy in copies(400) if copy.key % 4 == n] for n in range(4)]
            assert await asyncio.gather(*(pool.submit(part) for part in parts)) == [[]] * 4
            await pool.close()
        assert keys(found) == list(range(400))

    asyncio.run(run())


def test_copies_are_taken_only_as_they_can_be_sent(scripted):
    """A relay that does not answer stops the reading of a list of a million."""

    async def run():
        taken = 0

        def endless():
            nonlocal taken
            for copy in copies(6000):
                taken += 1
                yield copy

        async with scripted(lambda verb, number, line: "silent" if verb == "DOT" else None) as relay:
            pool = Pool(relay.relay(), 2, lambda outcomes: None)
            task = asyncio.create_task(pool.submit(endless()))
            await relay.event("DOT").wait()
            assert taken <= MOST_WAITING + AT_A_TIME
            assert pool.in_flight <= 4
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()
            await pool.close(grace_seconds=0)
            assert pool.in_flight == 0

    asyncio.run(run())


def breaking(verb: str, reply: str, number_of: int):
    return lambda asked, number, line: reply if asked == verb and number == number_of else None


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize(
    ("fault", "doubtful", "extra"),
    [
        (("MAIL", "drop"), 0, 0),
        (("RCPT", "drop"), 0, 0),
        (("DATA", "drop"), 0, 0),
        (("DATA", "421 4.3.2 going down"), 0, 0),
        (("BODY", "drop"), 1, 0),
        (("DOT", "drop"), 1, 0),
        (("DOT", "keep and drop"), 1, 1),
    ],
)
def test_a_broken_session_leaves_only_the_content_under_way_in_doubt(scripted, connections, fault, doubtful, extra):
    """All others get exactly one copy, also those whose envelope had been sent ahead; the doubtful one at most one."""

    async def run():
        found: list[Outcome] = []
        verb, reply = fault
        at = 42 if verb == "BODY" else 17
        script = breaking(verb, reply, at)
        if verb == "BODY":
            bodies = iter(range(10_000))
            script = lambda asked, number, line: reply if asked == "BODY" and next(bodies) == at else None  # noqa: E731
        async with scripted(script) as relay:
            pool = Pool(relay.relay(), connections, found.extend, first_pause=0.01)
            assert await pool.submit(copies(100)) == []
            await pool.close()
        assert keys(found) == list(range(100)), "one outcome for each"
        doubt = {o.key for o in found if o.in_doubt}
        assert len(doubt) == doubtful
        assert {o.key for o in found if o.kind != "delivered"} == doubt
        taken = senders(relay)
        assert sum(taken[key] for key in doubt) == extra
        assert all(taken[key] == 1 for key in range(100) if key not in doubt)

    asyncio.run(run())


def test_a_421_to_a_message_is_that_ones_outcome_and_the_envelope_ahead_is_tried_again(scripted):
    async def run():
        found: list[Outcome] = []
        async with scripted(breaking("DOT", "421 4.7.0 too many messages", 3)) as relay:
            pool = Pool(relay.relay(), 1, found.extend, first_pause=0.01)
            assert await pool.submit(copies(10)) == []
            await pool.close()
        assert [(o.key, o.code, o.in_doubt) for o in found if o.kind != "delivered"] == [(3, 421, False)]
        assert keys(found) == list(range(10))
        assert relay.sessions == 2

    asyncio.run(run())


def test_a_copy_at_which_sessions_break_does_not_stop_the_others(scripted):
    async def run():
        found: list[Outcome] = []
        script = lambda verb, number, line: "drop" if verb == "RCPT" and "u5@" in line else None  # noqa: E731
        async with scripted(script) as relay:
            pool = Pool(relay.relay(), 1, found.extend, first_pause=0.01)
            assert await pool.submit(copies(20)) == []
            await pool.close()
        assert [(o.key, o.code, o.in_doubt) for o in found if o.kind != "delivered"] == [(5, 444, False)]
        assert senders(relay) == Counter(key for key in range(20) if key != 5)

    asyncio.run(run())


def test_a_relay_that_is_away_is_one_event_and_is_waited_for(scripted):
    """Nothing was tried, so nothing has an outcome; the next submission waits and finds it back."""

    async def run():
        found: list[Outcome] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        pool = Pool(Relay("127.0.0.1", port), 4, found.extend, first_pause=0.2)
        unsent = await pool.submit(iter(copies(1000)))
        assert keys(unsent) == list(range(1000))
        assert found == []
        assert f"127.0.0.1:{port} could not be reached" in pool.away
        assert 0 < pool.pause <= 0.2
        relay = scripted()
        await relay.listen(port)
        async with asyncio.timeout(5):
            assert await pool.submit(unsent) == []
        assert keys(found) == list(range(1000))
        assert pool.away == ""
        assert pool.pause == 0
        await pool.close()
        await relay.__aexit__()

    asyncio.run(run())


def test_pauses_grow_up_to_the_longest(scripted):
    async def run():
        async with scripted(lambda verb, number, line: "421 busy" if verb == "CONNECT" else None) as relay:
            pool = Pool(relay.relay(), 4, lambda outcomes: None, first_pause=0.01, longest_pause=0.04)
            pauses = []
            for _ in range(5):
                assert len(await pool.submit(copies(1))) == 1
                pauses.append(pool.pause)
            await pool.close()
        assert relay.sessions == 5, "one try for each submission"
        assert pauses[-1] > 0.01
        assert max(pauses) <= 0.04

    asyncio.run(run())


def test_sessions_that_take_no_mail_three_times_in_a_row_are_a_relay_that_is_away(scripted):
    async def run():
        found: list[Outcome] = []
        async with scripted(lambda verb, number, line: "drop" if verb == "MAIL" else None) as relay:
            pool = Pool(relay.relay(), 1, found.extend, first_pause=30)
            unsent = await pool.submit(copies(50))
            assert pool.pause > 0
            await pool.close()
        assert [(o.key, o.code, o.in_doubt) for o in found] == [(0, 444, False)]
        assert keys(unsent) == list(range(1, 50))
        assert relay.sessions == 3

    asyncio.run(run())


def test_a_relay_with_room_for_two_is_not_asked_again_and_again_for_more(scripted):
    async def run():
        found: list[Outcome] = []
        relay = scripted()
        relay.script = lambda verb, number, line: (
            "421 4.7.0 two at most" if verb == "CONNECT" and relay.open > 2 else None
        )
        async with relay:
            pool = Pool(relay.relay(), 8, found.extend, first_pause=30)
            assert await pool.submit(copies(2000)) == []
            assert pool.away == ""
            await pool.close()
        assert keys(found) == list(range(2000))
        assert all(o.kind == "delivered" for o in found)
        assert relay.sessions <= 8

    asyncio.run(run())


def test_a_refused_further_connection_does_not_delay_the_first_one_later(scripted):
    async def run():
        found: list[Outcome] = []
        relay = scripted()
        relay.script = lambda verb, number, line: (
            "421 4.7.0 one at most" if verb == "CONNECT" and relay.open > 1 else None
        )
        async with relay:
            pool = Pool(relay.relay(), 2, found.extend, first_pause=300, longest_pause=300, idle_seconds=0.05)
            assert await pool.submit(copies(500)) == []
            await relay.event("QUIT").wait()
            async with asyncio.timeout(5):
                assert await pool.submit(copies(1)) == []
            await pool.close()
        assert all(o.kind == "delivered" for o in found)
        assert len(found) == 501

    asyncio.run(run())


def test_idle_connections_are_ended_politely_and_reopened_on_demand(scripted):
    async def run():
        found: list[Outcome] = []
        async with scripted() as relay:
            pool = Pool(relay.relay(), 2, found.extend, idle_seconds=0.05)
            await pool.submit(copies(5))
            async with asyncio.timeout(5):
                await relay.event("QUIT").wait()
            relay.ended.clear()
            await pool.submit(copies(1))
            await pool.close()
        assert len(found) == 6
        assert pool.connections == 0

    asyncio.run(run())


def test_a_relay_that_ends_an_idle_session_is_no_event(scripted):
    async def run():
        found: list[Outcome] = []
        async with scripted() as relay:
            pool = Pool(relay.relay(), 1, found.extend, first_pause=30)
            await pool.submit(copies(1))
            for task in list(relay.tasks):
                task.cancel()
            await asyncio.wait_for(relay.ended.wait(), 5)
            async with asyncio.timeout(5):
                assert await pool.submit(copies(1)) == []
            await pool.close()
        assert [o.kind for o in found] == ["delivered"] * 2

    asyncio.run(run())


def test_closing_waits_for_what_is_in_flight_and_gives_back_the_rest(scripted):
    async def run():
        found: list[Outcome] = []
        async with scripted() as relay:
            pool = Pool(relay.relay(), 2, found.extend)
            task = asyncio.create_task(pool.submit(copies(5000)))
            await relay.event("DOT").wait()
            await pool.close()
            unsent = await task
            assert pool.in_flight == pool.connections == 0
            assert not any(o.in_doubt for o in found)
            assert sorted(keys(found) + keys(unsent)) == list(range(5000))
            assert senders(relay) == Counter(keys(found))
            assert keys(await pool.submit(copies(2))) == [0, 1]

    asyncio.run(run())


def test_closing_without_grace_leaves_the_content_under_way_in_doubt(scripted):
    async def run():
        found: list[Outcome] = []
        async with scripted(lambda verb, number, line: "silent" if verb == "DOT" else None) as relay:
            pool = Pool(relay.relay(), 1, found.extend)
            task = asyncio.create_task(pool.submit(copies(10)))
            await relay.event("DOT").wait()
            await pool.close(grace_seconds=0)
            assert keys(await task) == list(range(1, 10))
        assert [(o.key, o.in_doubt) for o in found] == [(0, True)]

    asyncio.run(run())


def test_outcomes_that_cannot_be_recorded_stop_everything(scripted):
    """No further content leaves, since its outcome would be lost too."""

    async def run():
        def full_disk(outcomes: list[Outcome]) -> None:
            raise OSError(28, "No space left on device")

        async with scripted() as relay:
            pool = Pool(relay.relay(), 1, full_disk)
            with pytest.raises(OSError, match="No space left"):
                await pool.submit(copies(100))
            with pytest.raises(OSError, match="No space left"):
                await pool.submit(copies(1))
            await pool.close()
        assert len(relay.messages) == 1

    asyncio.run(run())


def test_outcomes_are_recorded_before_the_next_content_leaves(scripted):
    """The reply to one message and the go-ahead for the next come in one read; recording fails; the next stays here."""

    async def run():
        all_in_one = b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"
        later = {("MAIL", 1): b"", ("RCPT", 1): b"", ("DATA", 1): b"", ("DOT", 0): all_in_one}

        def full_disk(outcomes: list[Outcome]) -> None:
            raise OSError(28, "No space left on device")

        async with scripted(lambda verb, number, line: later.get((verb, number))) as relay:
            pool = Pool(relay.relay(), 1, full_disk)
            with pytest.raises(OSError, match="No space left"):
                await pool.submit(copies(2))
            await relay.ended.wait()
        assert relay.counts["DATA"] == 2
        assert len(relay.messages) <= 1
        assert relay.counts["DOT"] == 1

    asyncio.run(run())


FAULTS = ["drop", "keep and drop", "421 4.3.2 bye", "451 4.3.0 later", "550 5.1.1 no", b"garbage\r\n", None, None]
VERBS = ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "BODY", "DOT", "RSET"]


@given(
    st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 30), st.sampled_from(FAULTS)), max_size=12),
    st.integers(1, 3),
    st.booleans(),
)
def test_whatever_breaks_the_accounts_are_exact(scripted, faults, connections, pipelining):
    """One outcome for each recipient or its copy unsent; delivered means taken once; only doubt may be taken unsaid."""
    table = {(verb, number): fault for verb, number, fault in faults}
    bodies = iter(range(100_000))

    def script(verb, number, line):
        fault = table.get((verb, next(bodies) if verb == "BODY" else number))
        return fault if verb != "BODY" or fault == "drop" else None

    async def run():
        found: list[Outcome] = []
        async with scripted(script, extensions=("PIPELINING",) if pipelining else ()) as relay:
            pool = Pool(relay.relay(), connections, found.extend, first_pause=0.001, longest_pause=0.002)
            batch = [Copy(n, f"l+{n}@x.org", (f"a{n}@x.net", f"b{n}@x.net")[: n % 2 + 1], BODY) for n in range(25)]
            async with asyncio.timeout(10):
                unsent = await pool.submit(batch)
                await pool.close()
            assert pool.in_flight == 0
        told = Counter((o.key, o.recipient_index) for o in found)
        returned = {copy.key for copy in unsent}
        for copy in batch:
            for index, recipient in enumerate(copy.recipients):
                assert told[copy.key, index] == (copy.key not in returned)
                taken = sum(recipient in got for sender, got, _ in relay.messages if sender == copy.sender)
                outcome = next((o for o in found if (o.key, o.recipient_index) == (copy.key, index)), None)
                if outcome is None or not outcome.in_doubt:
                    assert taken == (outcome is not None and outcome.kind == "delivered")
                else:
                    assert taken <= 1

    asyncio.run(run())
