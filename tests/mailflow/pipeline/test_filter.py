"""The content filter removes what a list does not want and leaves the bytes of what it does (facts: mail-flow §13)."""

import pytest

from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.foundation.storage import actions as storage
from postroad.mailflow.pipeline.worker import work
from tests.effort import ends_within

from .conftest import envelope, header, mail, parsed, structure

ON = {"filter_content": True, "subject_prefix": "", "collapse_alternatives": False}


def part(content_type: str, body: bytes = b"x", *fields: str) -> bytes:
    return "".join(f"{f}\r\n" for f in (f"Content-Type: {content_type}", *fields)).encode() + b"\r\n" + body


def multipart(kind: str, *parts: bytes, boundary: str = "b") -> bytes:
    inside = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), data) for data in parts)
    return part(f'multipart/{kind}; boundary="{boundary}"', inside + b"--%s--\r\n" % boundary.encode())


def post(content: bytes) -> bytes:
    """A mail of this content (its header lines, then its body)."""
    fields, _, body = content.partition(b"\r\n\r\n")
    return mail()[: -len(b"\r\nHello ants,\r\nthis is a post.\r\n")] + fields + b"\r\n\r\n" + body


ALTERNATIVE = multipart("alternative", part("text/plain", b"plain"), part("text/html", b"<p>rich</p>"), boundary="alt")
MIXED = multipart(
    "mixed", ALTERNATIVE, part("application/zip", b"PK", 'Content-Disposition: attachment; filename="a.zip"'),
    part("image/png", b"png", 'Content-Disposition: inline; filename="Dot.PNG"'),
)  # fmt: skip


def filtered(draft, content: bytes, config: dict) -> str:
    """The structure that is left, or what became of the mail."""
    made = draft(post(content), {**ON, **config})
    return made.disposal or structure(parsed(made.raw))


@pytest.mark.parametrize(
    ("content", "config", "left"),
    [
        (MIXED, {}, "multipart/mixed(multipart/alternative(text/plain, text/html), application/zip, image/png)"),
        (MIXED, {"filter_types": ["image"]}, "multipart/mixed(multipart/alternative(text/plain, text/html), application/zip)"),
        (MIXED, {"filter_types": ["application/zip", "image/png"]}, "multipart/alternative(text/plain, text/html)"),
        (MIXED, {"filter_extensions": ["png", "zip"]}, "multipart/alternative(text/plain, text/html)"),
        (MIXED, {"pass_extensions": ["zip"]}, "multipart/mixed(multipart/alternative(text/plain, text/html), application/zip)"),
        (MIXED, {"pass_types": ["multipart", "text/plain"]}, "text/plain"),
        (MIXED, {"pass_types": ["text/plain"]}, "discard"),
        (MIXED, {"filter_types": ["text", "application", "image"]}, "discard"),
        (MIXED, {"collapse_alternatives": True}, "multipart/mixed(text/plain, application/zip, image/png)"),
        (ALTERNATIVE, {"collapse_alternatives": True}, "text/plain"),
        (ALTERNATIVE, {"filter_types": ["text/plain"]}, "text/html"),
        (ALTERNATIVE, {"filter_types": ["text/html"]}, "text/plain"),
        (part("application/zip", b"PK"), {"filter_types": ["application/zip"]}, "discard"),
        (part('application/x; name="a.EXE"', b"MZ"), {"filter_extensions": ["exe"]}, "discard"),
        (part("text/html", b"<p>rich</p>"), {"convert_html_to_plaintext": True}, "text/plain"),
        (multipart("mixed", part("text/plain", b""), part("image/png")), {}, "image/png"),
        (multipart("mixed", part("text/plain")), {}, "text/plain"),
        (
            multipart("mixed", part("text/plain"), part("message/rfc822", b"Subject: in\r\n" + MIXED.replace(b'"b"', b'"i"').replace(b"--b", b"--i"))),
            {"filter_types": ["image", "application/zip"], "collapse_alternatives": True},
            "multipart/mixed(text/plain, message/rfc822(text/plain))",
        ),
        (
            multipart("signed", ALTERNATIVE, part("application/pgp-signature")),
            {"convert_html_to_plaintext": True},
            "multipart/signed(multipart/alternative(text/plain, text/html), application/pgp-signature)",
        ),
        (
            multipart("signed", part("text/plain"), part("application/pgp-signature")),
            {"filter_types": ["application"]},
            "text/plain",
        ),
    ],
)  # fmt: skip
def test_what_is_left(draft, content, config, left):
    assert filtered(draft, content, config) == left


def test_kept_parts_keep_their_bytes_and_the_archive_gets_no_more_than_the_members(ant, draft):
    made = draft(post(MIXED), {**ON, "filter_types": ["image"]})
    assert ALTERNATIVE in made.raw
    assert header(made.edited(), "X-Content-Filtered-By") == ["Postroad"]
    raw = post(MIXED)
    work(envelope(ant, raw, message=storage.store(raw)))
    assert b"png" not in storage.load(decode(bytes(Job.objects.get(queue="archive").envelope)).message)


def test_a_mail_that_needs_no_filter_is_not_touched(draft):
    raw = post(MIXED)
    assert draft(raw, ON).raw == raw


def test_an_inner_mail_keeps_its_header_when_it_is_collapsed(draft):
    inner = part("message/rfc822", b"Subject: inner\r\nX-Kept: yes\r\n" + ALTERNATIVE)
    made = draft(post(multipart("mixed", part("text/plain"), inner)), {**ON, "collapse_alternatives": True})
    assert b"Subject: inner\r\nX-Kept: yes\r\nContent-Type: text/plain\r\n\r\nplain" in made.raw


def test_html_reads_well_as_text(draft):
    html = "<h1>Grüße</h1><p>See <a href='https://x.example'>this</a></p>".encode("latin-1")
    made = draft(post(part("text/html; charset=iso-8859-1", html)), {**ON, "convert_html_to_plaintext": True})
    assert parsed(made.raw).get_payload(decode=True).decode() == "Grüße\r\n\r\nSee this <https://x.example>\r\n"


def test_readers_are_told_what_was_removed_if_the_list_wants_that(draft):
    made = draft(post(MIXED), {**ON, "filter_types": ["image"], "filter_report": True})
    assert b"image/png Dot.PNG" in made.raw
    assert b"image/png" not in draft(post(MIXED), {"filter_report": False}).raw


def disposed(ant, draft, action):
    raw = post(part("application/zip", b"PK"))
    draft(raw, {**ON, "filter_types": ["application/zip"], "filter_action": action})
    work(envelope(ant, raw, message=storage.store(raw)))
    return Job.objects.exclude(state=Job.State.QUARANTINED), Job.objects.filter(state=Job.State.QUARANTINED)


@pytest.mark.parametrize("action", ["discard", "hold", "accept", "defer"])
def test_a_post_of_nothing_else_goes_nowhere(ant, draft, action):
    sent, kept = disposed(ant, draft, action)
    assert (sent.count(), kept.count()) == (0, 0)


def test_the_author_gets_a_refused_post_back(ant, draft):
    sent, _ = disposed(ant, draft, "reject")
    notice = decode(bytes(sent.get(queue="pipeline").envelope))
    assert notice.recipients == ("anne@example.org",)
    message = parsed(storage.load(notice.message))
    assert (message["From"], structure(message)) == (
        "ant-owner@example.com", "multipart/mixed(text/plain, message/rfc822(application/zip))"
    )  # fmt: skip


def test_the_owners_get_a_forwarded_post(ant, draft, join):
    join("olga@example.org", role="owner")
    sent, _ = disposed(ant, draft, "forward")
    assert decode(bytes(sent.get(queue="pipeline").envelope)).recipients == ("olga@example.org",)


def test_a_preserved_post_waits_for_the_administrator_whole(ant, draft):
    sent, kept = disposed(ant, draft, "preserve")
    assert sent.count() == 0
    assert b"PK" in storage.load(decode(bytes(kept.get().envelope)).message)


@pytest.mark.parametrize("count", [990, 1100])
def test_a_mail_of_very_many_parts_ends_in_a_moment(draft, count):
    content = multipart("mixed", *[ALTERNATIVE.replace(b"alt", b"a%d" % i) for i in range(count // 3)])
    settings = {"filter_content": True, "convert_html_to_plaintext": True, "filter_types": ["image"]}
    assert ends_within(1, lambda: draft(post(content), settings))
