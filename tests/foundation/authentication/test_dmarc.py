"""DMARC by tree walk: the examples and rules of RFC 9989 §4.7 to §4.10."""

import pytest

from postroad.foundation.authentication.dmarc import is_aligned, organisational_domain, requested_of_receivers
from postroad.foundation.authentication.dns import NoReply

pytestmark = pytest.mark.sqlite_only


@pytest.fixture
def publish(name_server):
    def run(**records):
        for domain, text in records.items():
            texts = [text] if isinstance(text, str) else text
            name_server.zone[f"_dmarc.{domain.replace('_', '.')}"] = {"TXT": texts}

    return run


@pytest.mark.parametrize(
    ("record", "request_"),
    [
        ("v=DMARC1; p=reject", "reject"),
        ("v=DMARC1;p=quarantine;", "quarantine"),
        ("v=DMARC1 ; P = REJECT ; rua=mailto:a@example.org", "reject"),
        ("v=DMARC1; p=none; sp=reject", "none"),
        ("v=DMARC1; p=reject; t=y", "quarantine"),
        ("v=DMARC1; p=quarantine; t=y", "none"),
        ("v=DMARC1; p=reject; pct=0", "reject"),
        ("v=DMARC1", "none"),
        ("v=DMARC1; p=destroy", "none"),
        ("v=DMARC1; p=reject; sp=wrong", "none"),
        ("v=dmarc1; p=reject", "none"),
        ("p=reject; v=DMARC1", "none"),
        ("v=DMARC2; p=reject", "none"),
        ("v=spf1 -all", "none"),
    ],
)
def test_the_domains_own_record_says_what_it_asks_for(publish, record, request_):
    publish(example_org=record)
    assert requested_of_receivers("Example.ORG.") == request_


def test_an_international_domain_is_asked_by_its_name_in_dns(publish):
    publish(**{"xn--mnchen-3ya.example": "v=DMARC1; p=reject"})
    assert requested_of_receivers("münchen.example") == "reject"
    assert is_aligned("xn--mnchen-3ya.example", "München.example")


def test_several_records_are_none(publish):
    publish(a_example_org=["v=DMARC1; p=reject", "v=DMARC1; p=none"], example_org="v=DMARC1; p=quarantine")
    assert requested_of_receivers("a.example.org") == "quarantine"


def test_another_text_beside_the_record_does_not_matter(publish):
    publish(example_org=["v=spf1 -all", "v=DMARC1; p=reject"])
    assert requested_of_receivers("example.org") == "reject"


def test_a_subdomain_asks_what_the_organisation_says_for_it(publish):
    publish(example_org="v=DMARC1; p=none; sp=reject")
    assert requested_of_receivers("a.b.example.org") == "reject"
    publish(example_net="v=DMARC1; p=quarantine")
    assert requested_of_receivers("a.example.net") == "quarantine"


def test_a_missing_subdomain_asks_what_np_says(publish, name_server):
    publish(example_org="v=DMARC1; p=none; np=reject")
    assert requested_of_receivers("missing.example.org") == "reject"
    name_server.zone["there.example.org"] = {"MX": ["10 mx.example.org."]}
    assert requested_of_receivers("there.example.org") == "none"


def test_a_public_suffix_answers_where_the_organisation_is_silent(publish):
    publish(bank="v=DMARC1; p=reject; psd=y")
    assert requested_of_receivers("example.bank") == "reject"
    assert organisational_domain("www.example.bank") == "example.bank"


def test_the_organisation_goes_before_its_public_suffix(publish):
    publish(bank="v=DMARC1; p=reject; psd=y", example_bank="v=DMARC1; p=none; sp=quarantine")
    assert requested_of_receivers("www.example.bank") == "quarantine"


def test_the_walk_ends_at_a_domain_that_is_no_public_suffix(publish, name_server):
    publish(a_example_org="v=DMARC1; p=reject; psd=n", example_org="v=DMARC1; p=none")
    assert organisational_domain("b.a.example.org") == "a.example.org"
    assert ("_dmarc.example.org", "TXT") not in name_server.asked


def test_without_marks_the_highest_record_names_the_organisation(publish):
    publish(a_example_org="v=DMARC1; p=reject", example_org="v=DMARC1; p=none")
    assert organisational_domain("b.a.example.org") == "example.org"
    assert organisational_domain("b.example.net") == "b.example.net"


def test_a_walk_takes_eight_questions_at_most(name_server):
    requested_of_receivers("a.b.c.d.e.f.g.h.i.j.mail.example.com")
    assert [name for name, _ in name_server.asked] == [
        "_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com", "_dmarc.g.h.i.j.mail.example.com",
        "_dmarc.h.i.j.mail.example.com", "_dmarc.i.j.mail.example.com", "_dmarc.j.mail.example.com",
        "_dmarc.mail.example.com", "_dmarc.example.com", "_dmarc.com",
    ]  # fmt: skip


def test_no_answer_on_the_way_is_not_taken_for_no_policy(name_server):
    name_server.zone["_dmarc.example.org"] = name_server.BROKEN
    with pytest.raises(NoReply):
        requested_of_receivers("a.example.org")


def test_domains_of_one_owner_are_aligned(publish):
    publish(example_org="v=DMARC1; p=none")
    assert is_aligned("example.org", "EXAMPLE.org")
    assert is_aligned("mail.example.org", "example.org")
    assert is_aligned("mail.example.org", "news.example.org")
    assert not is_aligned("example.org", "example.com")
    assert not is_aligned("org", "example.org")
    assert not is_aligned("badexample.org", "example.org")
    assert not is_aligned("", "")
