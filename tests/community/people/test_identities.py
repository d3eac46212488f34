"""The two forms of an international domain are one mailbox: one person, one membership, one ban (ADR 12)."""

import importlib

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.cache import cache

from postroad.community.bans import actions as bans
from postroad.community.bans import queries as banned
from postroad.community.bans.models import Ban
from postroad.community.lists.actions import create_domain, create_list
from postroad.community.notices import limits
from postroad.community.people import actions, queries, twins
from postroad.community.people.models import Address, User
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.queries import member_of, members_by_address, recipients
from postroad.community.subscriptions.senders import sender_member
from postroad.community.subscriptions.tokens import bounced_email, return_path, today
from postroad.foundation.errors import Conflict
from postroad.foundation.message.addresses import identity
from postroad.foundation.queue.envelope import Envelope
from postroad.mailflow.moderation.engine import judge
from postroad.mailflow.moderation.nonmembers import is_listed
from postroad.mailflow.moderation.post import Post
from postroad.project.doctor import people as check

pytestmark = pytest.mark.django_db

READABLE, OF_DNS = "user@münchen.example", "user@xn--mnchen-3ya.example"
FORMS = pytest.mark.parametrize(("given", "asked"), [(READABLE, OF_DNS), (OF_DNS, READABLE)])
AT_ONCE = {"pre_verified": True, "pre_confirmed": True, "pre_approved": True, "send_welcome_message": False}
MIGRATIONS = (
    "community.people.migrations.0006", "community.subscriptions.migrations.0005", "community.bans.migrations.0002",
    "community.notices.migrations.0005", "mailflow.bounces.migrations.0003",
)  # fmt: skip


def migrate():
    for name in MIGRATIONS:
        importlib.import_module(f"postroad.{name}_identities").change(apps, None)


@FORMS
def test_who_joined_by_one_form_is_known_by_the_other_and_gets_mail_as_it_was_given(ant, given, asked):
    member = subscriptions.join(ant, given, **AT_ONCE).member
    with pytest.raises(Conflict):
        subscriptions.join(ant, asked, **AT_ONCE)
    assert member_of(ant, asked) == member
    assert members_by_address(ant, [asked]) == {identity(asked): member}
    assert sender_member(ant, [identity(asked)])[0] == member
    assert queries.find_user(asked) == queries.find_user(given)
    assert [row.email for row in recipients(ant.pk, 0, 10)] == [given]
    assert not [row for row in recipients(ant.pk, 0, 10, explicit=[identity(asked)]) if not row.copied]
    assert subscriptions.remove_members(ant, [asked]) == {asked: True}


@FORMS
def test_who_is_banned_by_one_form_is_banned_by_the_other(ant, given, asked):
    bans.ban(given, ant)
    assert banned.is_banned(asked, ant)
    assert bans.lift(asked, ant)
    bans.ban("^.*@" + given.partition("@")[2].replace(".", r"\."))
    assert banned.is_banned(asked)
    assert is_listed(ant, identity(asked), [given])
    assert is_listed(ant, identity(asked), ["^" + given])


@FORMS
def test_counters_and_keys_hold_for_both_forms(ant, given, asked):
    assert limits.may_ask(ant, given)
    assert not limits.may_ask(ant, asked)
    extra = return_path("ant-bounces@example.com", ant.pk, given, today()).partition("+")[2].partition("@")[0]
    assert bounced_email(ant.pk, extra) == identity(asked)


@FORMS
def test_one_signs_in_by_either_form(client, given, asked):
    cache.clear()  # What allauth counts.
    user = actions.create_user(given, "User", "correct horse")
    actions.verify(user.addresses.get())
    client.post("/accounts/login/", {"login": asked, "password": "correct horse"})
    assert client.session.get("_auth_user_id") == str(user.pk)


def old_rows(ant, email):
    """A member as a release before this kept it."""
    member = subscriptions.join(ant, email.replace("@", ".new@"), **AT_ONCE).member
    user = member.address.user
    Address.objects.filter(pk=member.address_id).update(email=email, original_email=email)
    Member.objects.filter(pk=member.pk).update(email=email)
    User.objects.filter(pk=user.pk).update(email=email)
    EmailAddress.objects.filter(user=user).update(email=email)
    return member


def test_an_old_row_is_respelled_with_all_that_repeats_it(ant):
    member = old_rows(ant, READABLE)
    Ban.objects.create(email=OF_DNS)
    Ban.objects.create(email=READABLE)
    Ban.objects.create(email="^.*@münchen")
    migrate()
    migrate()
    assert member_of(ant, READABLE) == member
    user = queries.find_user(OF_DNS)
    assert (user, user.email) == (member.address.user, OF_DNS)
    assert EmailAddress.objects.get(user=user).email == OF_DNS
    assert [row.email for row in recipients(ant.pk, 0, 10)] == [READABLE]
    assert sorted(Ban.objects.values_list("email", flat=True)) == ["^.*@münchen", OF_DNS]


def test_a_site_with_both_forms_keeps_both_until_somebody_unites_them(ant):
    bee = create_list("bee@example.com")
    other = old_rows(ant, READABLE)
    subscriptions.join(bee, "second.new@example.com", **AT_ONCE)
    Member.objects.filter(mailing_list=bee).update(address=other.address, email=READABLE)
    found = old_rows(ant, OF_DNS)
    assert [finding.state for finding in check.look()] == ["bad"]
    migrate()
    assert sorted(row.email for row in recipients(ant.pk, 0, 10)) == [READABLE, OF_DNS]
    assert (member_of(ant, READABLE), member_of(ant, OF_DNS)) == (found, found)
    assert [f.what for f in check.look()] == [f"{READABLE} and {OF_DNS} are one mailbox but two people"]
    assert twins.unite(READABLE) == 1
    assert [row.email for row in recipients(ant.pk, 0, 10)] == [OF_DNS]
    assert member_of(bee, READABLE).address == found.address
    assert Address.objects.filter(email__in=(READABLE, OF_DNS)).count() == 1
    assert [finding.state for finding in check.look()] == ["ok"]


def test_a_post_by_the_other_form_to_a_list_of_an_international_domain_is_the_members(name_server):
    create_domain("bücher.example")
    ants = create_list("ants@bücher.example")
    subscriptions.join(ants, READABLE, **AT_ONCE)
    raw = f"From: {OF_DNS}\r\nTo: ants@xn--bcher-kva.example\r\nSubject: Hello\r\nMessage-Id: <one@x.example>\r\n\r\nHi.\r\n"
    envelope = Envelope(
        journey="j", message="", message_id="one@x.example", received_at=0.0, size=len(raw), list_id=ants.list_id,
        sender=OF_DNS,
    )  # fmt: skip
    assert judge(Post(ants, envelope, raw.encode())).action == "accept"
