"""The moderators' password: found where people put it, compared with its hash, and taken out everywhere."""

import base64
import quopri

import pytest
from django.contrib.auth.hashers import make_password

from postroad.community.lists import actions as lists
from postroad.mailflow.moderation.engine import judge

from .conftest import mail, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def opened(ant):
    """Judge a mail to an emergency list whose password is s&kret: the verdict, and what is left of the mail."""
    lists.change_settings(ant, {"emergency": True, "moderator_password": make_password("s&kret")})

    def run(raw):
        made = post(ant, raw)
        return judge(made), made

    return run


@pytest.mark.parametrize("field", ["Approved", "approve", "X-Approved", "X-APPROVE"])
def test_the_password_in_a_field_lets_the_post_pass(opened, field):
    verdict, made = opened(f"{field}: s&kret\r\n".encode() + mail())
    assert (verdict.action, verdict.decided_by) == ("accept", "approved")
    assert made.new_raw == mail()


def test_a_wrong_password_is_taken_out_and_opens_nothing(opened):
    verdict, made = opened(b"Approved: secret\r\n" + mail())
    assert (verdict.action, verdict.decided_by) == ("hold", "emergency")
    assert made.new_raw == mail()
    assert made.has_approved


def test_without_a_password_on_the_list_nothing_opens_it(opened, ant):
    lists.change_settings(ant, {"moderator_password": None})
    assert opened(b"Approved: \r\n" + mail())[0].action == "hold"
    assert opened(b"Approved: s&kret\r\n" + mail())[0].action == "hold"


@pytest.mark.parametrize("line", [b"Approved: s&kret\r\n", b"\r\n \r\nx-approve :s&kret\r\n"])
def test_the_first_line_of_the_text_counts_too(opened, line):
    verdict, made = opened(mail(line + b"The text.\r\n"))
    assert verdict.action == "accept"
    assert made.new_raw == mail(b"The text.\r\n")


def test_a_later_line_does_not(opened):
    verdict, made = opened(mail(b"Text\r\nApproved: s&kret\r\n"))
    assert verdict.action == "hold"
    assert made.new_raw is None


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("base64", base64.encodebytes), ("quoted-printable", quopri.encodestring), ("8bit", lambda data: data)],
)
def test_an_encoded_text_is_read_and_encoded_again(opened, encoding, encode):
    raw = mail(encode(b"Approved: s&kret\nGr\xc3\xbc\xc3\x9fe\n"), content_transfer_encoding=encoding)
    verdict, made = opened(raw)
    assert verdict.action == "accept"
    assert made.new_raw == mail(
        encode("Grüße\n".encode()).replace(b"\n", b"\r\n" if encoding != "8bit" else b"\n"),
        content_transfer_encoding=encoding,
    )


HTML = """\
Content-Type: multipart/alternative; boundary="b"

--b
Content-Type: text/plain

Approved: s&kret
The text.
--b
Content-Type: text/html

<p>Approved:&nbsp;s&amp;kret</p><p>The text.</p>
--b
Content-Type: image/png

Approved: s&kret
--b--
""".replace("\n", "\r\n")


def test_the_password_is_taken_out_of_the_html_form_too(opened):
    raw = mail().partition(b"\r\n\r\n")[0] + b"\r\n" + HTML.encode()
    verdict, made = opened(raw)
    assert verdict.action == "accept"
    text, html, image = made.new_raw.split(b"--b\r\n")[1:]
    assert b"kret" not in text
    assert b"The text." in text
    assert b"kret" not in html
    assert b"<p></p><p>The text.</p>" in html
    assert b"kret" in image  # not text: left as it is


def test_a_field_and_a_first_line_are_both_taken_out(opened):
    verdict, made = opened(b"Approved: wrong\r\n" + mail(b"Approved: s&kret\r\nThe text.\r\n"))
    assert verdict.action == "hold"
    assert made.new_raw == mail(b"The text.\r\n")
