"""What a member gets: changed at once by who is known, after a question by who only says so."""

from datetime import timedelta

import pytest
from django.utils import timezone

from postroad.community.subscriptions import actions
from postroad.community.subscriptions.consent import Origin
from postroad.foundation.errors import BadInput

pytestmark = pytest.mark.django_db

MAIL = Origin("mail", "m@example.org")


@pytest.fixture
def anne(ants, mails):
    row = actions.join(ants, "anne@example.org", pre_verified=True, pre_confirmed=True).member
    mails()
    return row


def test_who_is_known_is_obeyed(anne, mails):
    actions.set_options(anne, {"delivery_mode": "mime_digests", "hide_address": True}, proved=True, origin=MAIL)
    anne.refresh_from_db()
    assert (anne.delivery_mode, anne.hide_address) == ("mime_digests", True)
    assert not mails()


def test_who_only_says_so_is_asked(anne, mails):
    actions.set_options(anne, {"delivery_status": "by_user"}, proved=False, origin=MAIL)
    anne.refresh_from_db()
    assert anne.delivery_status is None
    (mail,) = mails()
    assert mail.to == ("anne@example.org",)
    actions.confirm(mail.secret, origin=MAIL)
    anne.refresh_from_db()
    assert anne.delivery_status == "by_user"


@pytest.mark.parametrize(
    "values",
    [
        {"delivery_mode": "sometimes"},
        {"nonsense": True},
        {"hide_address": 3},
        {"vacation_until": "soon"},
        {"vacation_until": "2020-01-01"},
    ],
)
def test_what_is_not_allowed_is_told_before_anybody_is_asked(anne, mails, values):
    with pytest.raises(BadInput):
        actions.set_options(anne, values, proved=False, origin=MAIL)
    assert not mails()


def test_a_vacation_ends_by_itself(anne):
    until = timezone.now().date() + timedelta(days=3)
    values = {"delivery_status": "by_user", "vacation_until": until.isoformat()}
    actions.set_options(anne, values, proved=True, origin=MAIL)
    actions.end_vacations()
    anne.refresh_from_db()
    assert (anne.delivery_status, anne.vacation_until) == ("by_user", until)
    anne.vacation_until = timezone.now().date()
    anne.save()
    actions.end_vacations()
    anne.refresh_from_db()
    assert (anne.delivery_status, anne.vacation_until) == (None, None)


def test_a_vacation_does_not_switch_on_what_bounces_switched_off(anne):
    anne.vacation_until, anne.delivery_status = timezone.now().date(), "by_bounces"
    anne.save()
    actions.end_vacations()
    anne.refresh_from_db()
    assert anne.delivery_status == "by_bounces"


def test_switching_delivery_by_hand_ends_the_vacation(anne):
    until = (timezone.now().date() + timedelta(days=3)).isoformat()
    actions.set_options(anne, {"delivery_status": "by_user", "vacation_until": until}, proved=True, origin=MAIL)
    actions.set_options(anne, {"delivery_status": None}, proved=True, origin=MAIL)
    anne.refresh_from_db()
    assert anne.vacation_until is None
