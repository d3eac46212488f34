"""Posts as articles and articles as posts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.community.lists.models import Domain, MailingList
from postroad.foundation.message.headers import Headers
from postroad.mailflow.usenet.articles import article_of, is_ours, post_of

pytestmark = pytest.mark.sqlite_only

ANTS = MailingList(
    list_id="ants.news.example", list_name="ants", mail_host="news.example", domain=Domain(mail_host="news.example"),
    settings={"linked_newsgroup": "test.ants"},
)  # fmt: skip
POST = b"Received: from a\r\nFrom: anne@example.org\r\nSubject: Hi\r\nXref: x\r\nMessage-ID: <one@example.org>\r\n\r\na\r\nb\r\n"


def fields(raw, name):
    return Headers.parse(raw).get_all(name)


def test_an_article_names_the_group_once_and_keeps_the_body():
    article = article_of(
        ANTS, POST.replace(b"Subject", b"Newsgroups: test.other, test.ants\r\nSubject"), "one@example.org"
    )
    assert fields(article, "newsgroups") == ["test.other,test.ants"]
    assert article.endswith(b"\r\n\r\na\r\nb\r\n")
    assert fields(article, "lines") == ["2"]


def test_what_a_news_server_refuses_is_removed():
    article = article_of(ANTS, POST, "one@example.org")
    assert not fields(article, "received")
    assert not fields(article, "xref")


def test_fields_that_may_stand_once_are_renamed():
    article = article_of(ANTS, b"To: a@example.org\r\nTo: b@example.org\r\n" + POST, "one@example.org")
    assert fields(article, "to") == ["a@example.org"]
    assert fields(article, "x-original-to") == ["b@example.org"]


def test_only_a_moderated_group_gets_an_approval_and_never_a_posters_own():
    forged = b"Approved: me\r\n" + POST
    assert fields(article_of(ANTS, forged, "one@example.org"), "approved") == []
    moderated = MailingList(
        list_id=ANTS.list_id, list_name="ants", mail_host="news.example", domain=ANTS.domain,
        settings={"linked_newsgroup": "test.moderated", "newsgroup_moderation": "moderated"},
    )  # fmt: skip
    assert fields(article_of(moderated, forged, "one@example.org"), "approved") == ["ants@news.example"]


def test_a_post_without_message_id_or_subject_gets_both():
    article = article_of(ANTS, b"From: anne@example.org\r\n\r\nhello", "made@news.example")
    assert fields(article, "message-id") == ["<made@news.example>"]
    assert fields(article, "subject") == ["(no subject)"]


def test_an_article_of_our_own_does_not_come_back():
    assert is_ours(ANTS, b"List-Id: The Ants <ants.news.example>\r\n\r\n")
    assert not is_ours(ANTS, b"List-Id: <giants.news.example>\r\n\r\n")
    assert not is_ours(ANTS, b"Subject: x\r\n\r\n")


def test_an_article_is_addressed_to_the_list_and_remembers_its_to():
    post = post_of(ANTS, b"To: somebody@example.net\r\nFrom: bob@example.net\r\n\r\ntext\r\n")
    assert fields(post, "to") == ["ants@news.example"]
    assert fields(post, "x-originally-to") == ["somebody@example.net"]


@given(st.binary(max_size=600))
def test_whatever_is_posted_becomes_an_article(noise):
    article_of(ANTS, noise, "one@example.org")
    post_of(ANTS, noise)
    is_ours(ANTS, noise)
