"""Nothing of a mail runs, loads, tracks or dresses up: in a real Chromium, in every field, and whatever is made up."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from postroad.foundation.message.html_depth import is_too_deep
from postroad.mailflow.archive.hypertext import clean_html
from postroad.mailflow.archive.models import Mail, Thread
from postroad.mailflow.archive.plain import text_to_html
from postroad.mailflow.archive.render import content_of, picture_type, safe_filename
from tests.effort import ends_within
from tests.mailflow.archive.conftest import archive_raw, mail_bytes
from tests.mailflow.archive.hostile import ELSEWHERE, VECTORS, mails

CHROMIUM = Path("/usr/bin/chromium")
HERE = "/lists/ant.example.com/"


@pytest.fixture
def browser(monkeypatch):
    # Playwright keeps an event loop in this thread, and Django would refuse the database to it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip("no chromium here")
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


@pytest.fixture
def watched(browser, live_server):
    """A page of the browser, and what it did that it must not."""
    page = browser.new_context().new_page()
    page.complaints = []
    page.on("request", lambda r: r.url.startswith((live_server.url, "data:")) or page.complaints.append(r.url))
    page.on("dialog", lambda dialog: (page.complaints.append("dialog"), dialog.dismiss()))
    page.on("popup", lambda popup: page.complaints.append(popup.url))
    page.on("download", lambda download: page.complaints.append(f"download of {download.url}"))
    return page


@pytest.mark.sqlite_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(400)
def test_in_a_browser_nothing_of_a_mail_runs_or_loads(watched, live_server, ant):
    archive_raw(mail_bytes("root"), ant)
    for raw in mails():
        assert archive_raw(raw, ant) is not None
    assert Mail.objects.count() == len(VECTORS) + 1
    key = Thread.objects.order_by("-count")[0].key
    hashes = list(Mail.objects.values_list("message_id_hash", flat=True))
    paths = [HERE, f"{HERE}archive/2026/3/", "/", "/search/?q=ants", "/search/?q=ants&page=2"]
    paths += [f"{HERE}thread/{key}/?page={number}" for number in (1, 2, 3)] + [
        f"{HERE}message/{h}/" for h in hashes[:5]
    ]
    for path in paths:
        watched.goto(live_server.url + path)
        # Every link that is not plainly a way out, and every element that could be focused, is tried.
        watched.evaluate(
            "document.querySelectorAll('main [tabindex], main input, main summary').forEach(e => e.focus())"
        )
        assert watched.evaluate("window.hacked") is None, path
        hrefs = watched.eval_on_selector_all("main a[href]", "all => all.map(a => a.protocol)")
        assert set(hrefs) <= {"http:", "https:", "mailto:"}, path
        for selector in (
            "main script",
            "main style",
            "main iframe",
            "main [style]",
            "main [onerror]",
            "main svg image",
        ):
            assert watched.locator(selector).count() == 0, (path, selector)
        assert watched.locator("header.site").is_visible()
    assert not watched.complaints


@pytest.mark.sqlite_only
@pytest.mark.django_db(transaction=True)
def test_the_policy_alone_keeps_everything_out(watched, live_server, ant):
    """If a vector ever passed the cleaning, the browser would still neither run nor load it."""
    watched.goto(live_server.url + HERE)
    html = "".join(v for v in VECTORS if "meta http-equiv" not in v)
    watched.evaluate("html => { document.querySelector('main').innerHTML = html }", html)
    watched.evaluate("""() => { const s = document.createElement('script'); s.textContent = 'window.hacked=1';
        document.body.append(s); const t = document.createElement('script'); t.src = 'http://elsewhere.invalid/t.js';
        document.body.append(t); const i = new Image(); i.src = 'http://elsewhere.invalid/i.gif'; document.body.append(i);
        fetch('http://elsewhere.invalid/f').catch(() => 0); }""")
    watched.wait_for_load_state("networkidle")
    assert watched.evaluate("window.hacked") is None
    arrived = [url for url in watched.complaints if not url.startswith(ELSEWHERE)]
    assert not arrived
    assert (
        watched.evaluate(
            "performance.getEntriesByType('resource').filter(e => e.responseStatus && !e.name.startsWith(location.origin)).length"
        )
        == 0
    )


# --- what the server says of files


FILES = (
    ("page.html", "text/html"), ("picture.svg", "image/svg+xml"), ("a.zip", "application/zip"), ("a.pdf", "application/pdf"),
    ("run.exe", "application/x-msdownload"), ("a.js", "text/javascript"), ("none", ""), ("a.xml", "application/xhtml+xml"),
    ('"; evil="x.html', "text/html"), ("../../etc/passwd", "text/plain"), ("a\\r\\nSet-Cookie: x=1", "text/plain"),
)  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "kind"), FILES)
def test_an_attachment_is_saved_and_never_shown_as_ours(client, archive, name, kind):
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    mail = archive(
        "one", f'--x\nContent-Type: {kind or "text/plain"}\nContent-Disposition: attachment; filename="{escaped}"\n\n'
        "<script>1</script>\n--x--\n", content_type="multipart/mixed; boundary=x",
    )  # fmt: skip
    answer = client.get(f"{HERE}message/{mail.message_id_hash}/attachment/0/")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    disposition = answer["Content-Disposition"]
    assert disposition.startswith("attachment; filename")
    assert disposition.count(";") == 1
    assert not {"\r", "\n", "/", "\\"} & set(disposition)
    assert "Set-Cookie" not in answer


@pytest.mark.django_db
def test_only_what_begins_as_a_picture_is_shown_as_one(client, archive):
    body = "--x\nContent-Type: image/png\n\n<script>1</script>\n--x\nContent-Type: text/html\n\nGIF89a<script>\n--x--\n"
    mail = archive("one", body, content_type="multipart/mixed; boundary=x")
    assert client.get(f"{HERE}message/{mail.message_id_hash}/picture/0/").status_code == 404
    shown = client.get(f"{HERE}message/{mail.message_id_hash}/picture/1/")
    assert shown["Content-Type"] == "image/gif"
    assert shown["X-Content-Type-Options"] == "nosniff"


@pytest.mark.sqlite_only
def test_kinds_of_pictures_are_told_by_their_first_bytes():
    assert picture_type(b"\x89PNG\r\n\x1a\nxx") == "image/png"
    assert picture_type(b"RIFF\0\0\0\0WEBPVP8 ") == "image/webp"
    assert picture_type(b"<svg xmlns='x'>") is None


@pytest.mark.sqlite_only
@given(st.text(max_size=200), st.integers(0, 999))
def test_a_file_name_is_a_name_and_nothing_else(name, number):
    safe = safe_filename(name, number)
    assert 0 < len(safe) <= 100
    assert not safe.startswith((".", " "))
    assert not set(safe) & set('/\\"\r\n\0;:*?<>|')


# --- names that turn round, bombs, and everything that can be made up


@pytest.mark.django_db
def test_a_name_cannot_turn_the_text_behind_it_round(client, archive):
    archive("one", sender="=?utf-8?Q?Anne=E2=80=AE=E2=81=A7?= <anne@example.com>", subject="=?utf-8?Q?a=E2=80=AEb?=")
    page = client.get(f"{HERE}thread/{Thread.objects.get().key}/").content.decode()
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") & set(page)


BOMBS = {
    "deep": "<div>" * 60_000, "stray ends": "<div></b>" * 30_000, "ends in attributes": '<div a="</div>">' * 18_000,
    "ends in comments": "<div><!--</div>-->" * 16_000, "foreign": "<svg>" + "<link>" * 49_000, "wide": "<td>" * 70_000,
    "cells": "<table><tr>" + "<td colspan=99999 rowspan=99999>x" * 9_000, "marks": "<b>" * 90_000, "angles": "<" * 290_000,
    "entities": "&amp;" * 58_000, "quotes": "<a b='" * 48_000, "links": "<a href=http://x.y>z</a>" * 12_000,
}  # fmt: skip


@pytest.mark.sqlite_only
@pytest.mark.parametrize("name", BOMBS)
def test_no_html_takes_longer_than_a_moment(name):
    assert ends_within(3, lambda: clean_html(BOMBS[name], {}, obscure=True))


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "text",
    [
        "> " * 150_000,
        ">" * 290_000,
        "http://" * 40_000,
        "a@" * 100_000,
        "--- \n+++ \n" * 30_000,
        "\t \t" * 90_000,
        "--\n" * 90_000,
        "\n" * 290_000,
        " \n" * 140_000,
        "a\n> b\n" * 15_000,
        "a\n" + " " * 290_000 + "b",
    ],
)
def test_no_text_takes_longer_than_a_moment(text):
    assert ends_within(1, lambda: text_to_html(text, obscure=True))  # A page shows 50 of them.
    assert ends_within(1, lambda: text_to_html(text, flowed=True))


@pytest.mark.sqlite_only
def test_a_cell_covers_no_more_than_people_mean():
    assert "colspan" not in clean_html("<table><tr><td colspan=1000>x</table>", {}, obscure=False)
    assert 'colspan="3"' in clean_html("<table><tr><td colspan=3>x</table>", {}, obscure=False)


@pytest.mark.sqlite_only
@pytest.mark.parametrize("html", ["<p>" * 5000, "<ul>" + "<li>x" * 5000, "<br>" * 5000, "<div>x</div>" * 5000])
def test_much_is_not_deep(html):
    assert not is_too_deep(html)


PIECES = st.lists(st.one_of(st.sampled_from([*VECTORS, "<", ">", '"', "'", "&", "\n", "\n> ", "\0", "<b>", "</b>", "a@b.example", "cid:x"]), st.text(max_size=20)), max_size=12).map("".join)  # fmt: skip


@pytest.mark.sqlite_only
@given(PIECES, st.booleans(), st.booleans(), st.booleans())
def test_whatever_a_mail_says_only_harmless_elements_come_out(text, is_html, obscure, markdown):
    kind = "html" if is_html else "plain; format=flowed"
    raw = f"Content-Type: text/{kind}; charset=utf-8\n\n{text}".encode("utf-8", "surrogatepass")
    html = str(content_of(raw, address="/m/", obscure=obscure, markdown=markdown).html)
    tree = LexborHTMLParser(f"<div id=here>{html}</div>")
    for node in tree.css("#here *"):
        assert node.tag not in {
            "script",
            "style",
            "iframe",
            "object",
            "embed",
            "link",
            "meta",
            "base",
            "form",
            "input",
            "svg",
            "math",
            "video",
            "audio",
            "body",
            "button",
        }
        for name, value in node.attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            if name == "href":
                assert (value or "").lower().startswith(
                    ("http://", "https://", "mailto:", "cid:", "#", "/")
                ) or ":" not in (value or "")
            if name == "src":
                assert (value or "").startswith("/m/picture/")
