"""The three forms of a digest: a text that can be taken apart, attached posts that can be answered, a page by threads."""

import dataclasses
import email
import email.policy
import functools
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from selectolax.lexbor import LexborHTMLParser

from postroad.community.lists import actions as lists
from postroad.community.notices import template_uris
from postroad.community.notices.models import OwnText
from postroad.foundation.configuration import Templates
from postroad.foundation.storage.models import Blob
from postroad.mailflow.digests import actions
from postroad.mailflow.digests.models import Post
from tests.mailflow.digests.conftest import mail

pytestmark = pytest.mark.django_db

IMAGE = (
    b"--B\r\nContent-Type: text/plain\r\n\r\nSee the picture.\r\n--B\r\nContent-Type: image/png; name=ant.png\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + (b"QUJD" * 19 + b"\r\n") * 37 + b"--B--\r\n"
)
MIXED = {"content_type": "multipart/mixed; boundary=B"}


@pytest.fixture
def digest(ants, readers, collect, sent):
    """Collect these mails and send them: the digests by kind of reader."""

    def run(*mails):
        for raw in mails:
            collect(raw)
        actions.send(ants)
        return sent()

    return run


def test_each_kind_of_reader_gets_one_digest_and_readers_of_posts_none(digest):
    kinds = digest(mail())
    assert sorted(kinds) == ["html", "mime", "plain", "summary"]
    assert kinds["mime"].raw.partition(b"\r\n\r\n")[0] == kinds["summary"].raw.partition(b"\r\n\r\n")[0]
    ids = {kind.mail["message-id"] for kind in kinds.values()}
    assert len(ids) == 3


@pytest.mark.parametrize("kind", ["plain", "mime", "html"])
def test_a_digest_has_the_fields_of_the_list_and_a_way_out_with_one_click(digest, kind):
    found = digest(mail())[kind].mail
    assert found["from"] == "ants-request@example.com"
    assert found["to"] == found["reply-to"] == "ants@example.com"
    assert found["subject"] == "Ants Digest, Vol 1, Issue 1"
    assert found["precedence"] == "list"
    assert found["auto-submitted"] == "auto-generated"
    assert found["list-id"] == "<ants.example.com>"
    assert found["list-post"] == "<mailto:ants@example.com>"
    assert found["list-unsubscribe"].startswith("<<unsubscribe_url>>,"), "a personal link in each copy"
    assert found["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert found["date"]


# --- plain


def undigested(text: str) -> list[str]:
    """The messages of a digest as programs find them (RFC 1153 §2)."""
    _, _, rest = text.partition(f"\n{'-' * 70}\n\n")
    return rest.split(f"\n\n{'-' * 30}\n\n")


def test_the_plain_digest_can_be_taken_apart_again(digest):
    text = digest(
        mail(subject="[Ants] One", body=b"First body.\r\n"),
        mail(subject="Re: [Ants] Two", body=b"Second body.\r\n", cc="bart@example.org"),
    )["plain"].text
    one, two, footer, trailer = undigested(text)
    first = email.message_from_string(one, policy=email.policy.default)
    assert (first["message"], first["subject"]) == ("1", "[Ants] One")
    assert first["from"] == "Anne Person <anne@example.org>"
    assert first["message-id"]
    assert first.get_content() == "First body."
    assert email.message_from_string(two)["cc"] == "bart@example.org"
    assert footer.startswith("Subject: ")
    assert trailer == "End of Ants Digest, Vol 1, Issue 1\n" + "*" * 34 + "\n"
    preamble = text.partition("-" * 70)[0]
    assert preamble.startswith("Ants Digest, Vol 1, Issue 1\n\nPosts to Ants go to\n")
    assert "   1. One (Anne Person)" in preamble, "the list's prefix says nothing in its own digest"
    assert "   2. Re: Two (Anne Person)" in preamble


def test_a_post_cannot_end_the_message_it_is_in(digest):
    lines = b"-" * 30 + b"\r\n\r\nFrom: evil@example.org\r\n" + b"-" * 70 + b"\r\n"
    text = digest(mail(body=b"Before.\r\n\r\n" + lines))["plain"].text
    assert len(undigested(text)) == 3
    assert f" {'-' * 30}\n" in text


def test_what_is_no_text_is_named(digest):
    text = digest(mail(IMAGE, subject="Picture", **MIXED))["plain"].text
    assert "See the picture." in text
    assert "[Attached: ant.png (image/png, 2 KB)]" in text
    assert re.search(r"\[In the archive: http\S+/lists/ants.example.com/message/[A-Z2-7]{32}/\]", text)
    assert "QUJD" not in text


def test_without_an_archive_there_is_no_link_to_it(ants, digest):
    lists.change_settings(ants, {"archive_policy": "never"})
    assert "In the archive" not in digest(mail(IMAGE, **MIXED))["plain"].text


def test_of_alternatives_the_plain_one_is_shown(digest):
    body = (
        b"--B\r\nContent-Type: text/plain\r\n\r\nPlain words.\r\n--B\r\nContent-Type: text/html\r\n\r\n<b>Rich words.</b>"
        b"\r\n--B--\r\n"
    )
    text = digest(mail(body, content_type="multipart/alternative; boundary=B"))["plain"].text
    assert "Plain words." in text
    assert "Rich" not in text


def test_html_alone_becomes_text(digest):
    text = digest(mail(b"<p>One</p><p>Two &amp; three</p>\r\n", content_type="text/html"))["plain"].text
    assert "One\n\nTwo & three" in text


def test_a_forwarded_mail_is_read_too(digest):
    body = b"--B\r\nContent-Type: message/rfc822\r\n\r\nSubject: Old news\r\n\r\nIt was so.\r\n--B--\r\n"
    text = digest(mail(body, **MIXED))["plain"].text
    assert "[Forwarded mail: Old news]" in text
    assert "It was so." in text


def test_a_very_long_post_is_cut_and_says_so(digest):
    text = digest(mail(b"word " * 15 + b"\r\n" + (b"word " * 15 + b"\r\n") * 3000))["plain"].text
    assert len(text) < 110_000
    assert "too long for a digest" in text


# --- MIME


def test_in_the_mime_digest_each_post_is_attached_as_it_came(digest):
    raw = mail("Grüße.\r\n".encode("latin-1"), content_type="text/plain; charset=iso-8859-1")
    found = digest(raw, mail(IMAGE, **MIXED))["mime"].mail
    masthead, topics, posts, footer = found.iter_parts()
    assert found.get_content_type() == "multipart/mixed"
    assert [p.get_content_type() for p in (masthead, topics, footer)] == ["text/plain"] * 3
    assert posts.get_content_type() == "multipart/digest"
    first, second = (part.get_payload(0) for part in posts.iter_parts())
    assert first.get_content().rstrip() == "Grüße."
    assert first["message"] == "1"
    assert [p.get_content_type() for p in second.iter_parts()] == ["text/plain", "image/png"]


def test_the_mime_digest_keeps_only_the_fields_that_readers_need(digest):
    raw = b"Received: from secret.internal\r\nX-MailFrom: anne@work.example\r\n" + mail(references="<a@b>")
    found = digest(raw)["mime"].raw
    assert b"secret.internal" not in found
    assert b"X-MailFrom" not in found
    assert b"References: <a@b>\r\n" in found


def test_a_header_of_the_list_s_own_is_a_part_of_its_own(ants, digest):
    OwnText.objects.create(context=ants.list_id, name="list:member:digest:header", language="", text="Read $listname!")
    kinds = digest(mail())
    assert "Read ants@example.com!" in kinds["plain"].text
    assert len(list(kinds["mime"].mail.iter_parts())) == 5
    assert "Read ants@example.com!" in page_of(kinds["html"]).body.text()


# --- HTML


def page_of(digest) -> LexborHTMLParser:
    return LexborHTMLParser(digest.mail.get_body(("html",)).get_content())


def test_the_page_has_posts_by_threads(digest):
    kinds = digest(
        mail(subject="Nests", message_id="<n1@x>"),
        mail(subject="Food", message_id="<f1@x>"),
        mail(subject="[Ants] Re: Nests", message_id="<n2@x>", references="<n1@x>"),
        mail(subject="AW: Food", message_id="<f2@x>"),
        mail(subject="Something else", message_id="<n3@x>", in_reply_to="<n2@x>"),
    )
    page = page_of(kinds["html"])
    assert [node.text() for node in page.css("h2")] == ["Nests", "Food"]
    assert [node.text() for node in page.css(".toc a")] == ["Nests", "Food"]
    classes = [[post.attributes["class"] for post in thread.css(".post")] for thread in page.css(".thread")]
    assert classes == [["post", "post d1", "post d2"], ["post", "post d1"]]
    plain = kinds["html"].mail.get_body(("plain",)).get_content()
    assert "Message: 5" in plain, "programs that show no HTML have the plain digest"


def test_nothing_of_a_post_s_markup_reaches_the_page(digest):
    page = digest(
        mail(
            b"<script>alert(1)</script><img src=http://track.example/x.gif>Hello <a href='javascript:x()'>you</a>",
            content_type="text/html", subject="<img src=x>", from_='"<b>Anne</b>" <anne@example.org>',
        ),
        mail(b"<script>alert(2)</script> plain\r\n"),
    )  # fmt: skip
    html = page["html"].mail.get_body(("html",)).get_content()
    tree = LexborHTMLParser(html)
    assert not tree.css("script, img, iframe, link, form")
    assert {node.attributes["href"].partition(":")[0] for node in tree.css(".post a")} <= {"mailto", "http", "https"}
    assert "&lt;script&gt;alert(2)" in html


def test_quotes_lie_in_each_other(digest):
    body = b"> > older\r\n> old\r\nnew https://example.org/x.\r\n" + b">" * 50 + b" very old\r\n"
    page = page_of(digest(mail(body))["html"])
    assert page.css_first("blockquote blockquote p").text() == "older"
    assert page.css_first('.post a[href="https://example.org/x"]') is not None
    assert len(page.css("blockquote")) <= 8


def test_a_single_post_can_be_answered_from_the_page(digest):
    page = page_of(digest(mail(subject="What & why?", message_id="<one@example.org>"))["html"])
    link = page.css_first(".actions a").attributes["href"]
    assert link == "mailto:ants@example.com?subject=Re%3A%20What%20%26%20why%3F&In-Reply-To=%3Cone%40example.org%3E"


def test_a_loop_of_references_ends(digest):
    page = page_of(
        digest(mail(message_id="<a@x>", references="<b@x> <a@x>"), mail(message_id="<b@x>", references="<a@x>"))["html"]
    )
    assert len(page.css(".post")) == 2


def test_the_page_reads_from_right_to_left_where_the_language_does(ants, digest):
    lists.change_settings(ants, {"preferred_language": "ar"})
    page = page_of(digest(mail())["html"])
    assert page.root.attributes["dir"] == "rtl"


# --- broken mails

BOMB = b"--B\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 1500 + b"--B--\r\n"
BROKEN = {
    "bad charset": mail(b"caf\xe9 \xff\xfe\r\n", content_type="text/plain; charset=no-such-charset"),
    "bad transfer encoding": mail(b"!!!not base64\r\n", content_transfer_encoding="base64"),
    "bomb": mail(BOMB, subject="Boom", content_type="multipart/mixed; boundary=B"),
    "binary": mail(bytes(range(256)) * 20, content_type="application/octet-stream"),
    "no boundary": mail(b"text\r\n", content_type="multipart/mixed"),
    "no header": b"\r\nonly a body\r\n",
    "nothing": b"",
    "only a header": b"Subject: alone",
    "line ends of Unix": b"From: anne@example.org\nSubject: unix\n\nbody\n",
    "a header of a megabyte": mail(subject="s" * 1_000_000),
    "thousands of readers in To": mail(to=", ".join(f"user{n}@example.org" for n in range(5000))),
    "subject with controls": mail(subject="=?utf-8?q?a=0D=0ABcc:_x=00=E2=80=A8?="),
    "nested": mail(b"".join(b'--%d\r\nContent-Type: multipart/mixed; boundary="%d"\r\n\r\n' % (n, n + 1) for n in range(80)), content_type="multipart/mixed; boundary=0"),
    "deep html": mail(b"<div>" * 5000 + b"x", content_type="text/html"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_mail_stops_no_digest(digest, name):
    """It is shown by what can be shown; its neighbours are all there."""
    kinds = digest(mail(subject="Before"), BROKEN[name], mail(subject="After"))
    assert sorted(kinds) == ["html", "mime", "plain", "summary"]
    assert len(undigested(kinds["plain"].text)) == 5
    posts = next(part for part in kinds["mime"].mail.walk() if part.get_content_type() == "multipart/digest")
    assert len(posts.get_payload()) == 3
    assert len(page_of(kinds["html"]).css(".post")) == 3
    for kind in kinds.values():
        assert max(map(len, kind.raw.split(b"\r\n"))) <= 998, "a relay would refuse the whole digest"
        assert b"\0" not in kind.raw
        assert b"\nBcc:" not in kind.raw


def test_a_bomb_is_named_in_the_contents_and_not_passed_on(digest):
    kinds = digest(BROKEN["bomb"])
    assert "   1. Boom (Anne Person)\n      [This post has more parts than a digest can show.]" in kinds["plain"].text
    assert kinds["mime"].raw.count(b"--B") == 0
    assert page_of(kinds["html"]).css_first(".problem") is not None
    assert "more parts" in page_of(kinds["html"]).css_first(".toc").text()


def test_a_post_whose_bytes_are_gone_is_named(ants, readers, collect, sent):
    collect(mail(subject="Gone"))
    Blob.objects.filter(key=Post.objects.get().message).delete()
    actions.send(ants)
    assert "[This post is no longer kept here.]" in sent()["plain"].text


def test_a_post_that_nobody_foresaw_is_named(digest, monkeypatch):
    from postroad.mailflow.digests import items

    real = items.date_of
    monkeypatch.setattr(items, "date_of", lambda headers: 1 / 0 if headers.get("subject") == "Odd" else real(headers))
    text = digest(mail(subject="Odd"), mail(subject="Even"))["plain"].text
    assert "[This post could not be read.]" in text
    assert "Even (Anne Person)" in text


# --- texts from elsewhere


@pytest.fixture
def web_server(tmp_path, settings):
    """A folder on the web, which texts may be fetched from; its address."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        settings.POSTROAD = dataclasses.replace(settings.POSTROAD, templates=Templates(fetch_from=(url,)))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield url
        server.shutdown()
        thread.join()


def test_a_footer_that_was_set_a_moment_ago_is_in_the_next_digest(digest, ants, web_server, tmp_path):
    (tmp_path / "footer.txt").write_text("All ants are equal.")
    template_uris.set_uris(f"list:{ants.list_id}", {"list:member:digest:footer": f"{web_server}/footer.txt"})
    assert "All ants are equal." in digest(mail())["plain"].text


def test_a_footer_that_cannot_be_fetched_keeps_no_digest_back(digest, ants, web_server):
    template_uris.set_uris(f"list:{ants.list_id}", {"list:member:digest:footer": f"{web_server}/none.txt"})
    assert "Hello ants." in digest(mail())["plain"].text
