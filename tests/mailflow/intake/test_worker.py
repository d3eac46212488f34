"""One mail that cannot be kept holds up no other, and a database that is away makes every sender try again."""

import pytest
from django.db import OperationalError

from postroad.mailflow.intake import worker
from postroad.mailflow.intake.actions import ACCEPTED
from postroad.mailflow.intake.events import Transaction

pytestmark = pytest.mark.sqlite_only

GOOD, BAD = Transaction("", ("ant@example.com",), b"good"), Transaction("", ("ant@example.com",), b"bad")


def keeping(error):
    def accept(mails):
        if any(mail.data == b"bad" for mail in mails):
            raise error
        return [[ACCEPTED] for _ in mails]

    return accept


def test_one_mail_holds_up_no_other(monkeypatch):
    monkeypatch.setattr(worker, "accept", keeping(ValueError("it cannot be stored")))
    assert worker._kept([GOOD, BAD, GOOD]) == [[ACCEPTED], [worker.LATER], [ACCEPTED]]


def test_a_database_that_is_away_is_asked_once_for_all(monkeypatch):
    monkeypatch.setattr(worker, "accept", keeping(OperationalError("database or disk is full")))
    assert worker._kept([GOOD, BAD]) == [[worker.LATER], [worker.LATER]]
