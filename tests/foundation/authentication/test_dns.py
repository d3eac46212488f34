"""Questions to DNS: remembered, bounded in time, and with an end when nobody answers."""

import pytest

from postroad.foundation.authentication.dns import FAILURES_IN_A_ROW, NoReply, forget, lookup

pytestmark = pytest.mark.sqlite_only


def test_an_answer_is_remembered(name_server):
    name_server.zone["a.example"] = {"TXT": ["one " * 100]}
    assert lookup("A.example.").records == ("one " * 100,)
    assert lookup("a.example").records
    assert name_server.asked == [("a.example", "TXT")]


def test_a_name_without_such_records_exists_and_a_missing_one_does_not(name_server):
    name_server.zone["a.example"] = {"MX": ["10 mail.a.example."]}
    assert lookup("a.example").exists
    assert not lookup("b.example").exists
    assert lookup("a.example", "MX").records == ("10 mail.a.example.",)


@pytest.mark.parametrize(
    "name", ["", "a..b", "x" * 64 + ".example", "\udc80.example", "bücher..example", "a b\0.example"]
)
def test_what_cannot_be_a_name_is_not_asked_for(name_server, name):
    assert not lookup(name).exists or name_server.asked


def test_a_broken_answer_is_no_denial_and_is_remembered_for_a_while(name_server):
    name_server.zone["a.example"] = name_server.BROKEN
    for _ in range(2):
        with pytest.raises(NoReply, match=r"a\.example"):
            lookup("a.example")
    assert len(name_server.asked) <= 2
    forget()
    name_server.zone["a.example"] = {"TXT": ["well"]}
    assert lookup("a.example").records == ("well",)


def test_when_nobody_answers_only_the_first_mails_wait(name_server):
    for number in range(10):
        name_server.zone[f"n{number}.example"] = name_server.SILENT
    for number in range(10):
        with pytest.raises(NoReply):
            lookup(f"n{number}.example")
    assert len({name for name, _ in name_server.asked}) == FAILURES_IN_A_ROW
