"""How a list wants its posts shown: as Markdown or as they are, with or without addresses for strangers."""

import pytest
from django.test import Client

from postroad.community.lists import actions as lists
from postroad.community.people.models import User
from postroad.mailflow.archive.markup import LONGEST_MARKUP, markdown_to_html
from tests.effort import ends_within

MARKDOWN = "# Plan\n\n* one\n* **two**\n\nWrite to bart@example.org.\n"


def page(client: Client, mail) -> str:
    return client.get(f"/lists/{mail.mailing_list.list_id}/message/{mail.message_id_hash}/").content.decode()


@pytest.mark.parametrize(("setting", "shown"), [(True, False), (False, True)])
def test_strangers_see_addresses_only_where_the_list_shows_them(ant, archive, client, setting, shown):
    mail = archive("one", MARKDOWN)
    lists.change_settings(ant, {"obscure_addresses": setting})
    assert ("bart@example.org" in page(client, mail)) is shown
    client.force_login(User.objects.create_user("reader@example.org"))
    assert "bart@example.org" in page(client, mail)


def test_markdown_is_shown_where_the_list_wants_that(ant, archive, client):
    mail = archive("one", MARKDOWN)
    assert "<strong>two</strong>" not in page(client, mail)
    lists.change_settings(ant, {"archive_rendering_mode": "markdown"})
    shown = page(client, mail)
    assert "<h1>Plan</h1>" in shown
    assert "<strong>two</strong>" in shown
    assert "bart@example.org" not in shown


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "[x](javascript:alert(1))", "[x](data:text/html,x)", "![x](http://track.example/x)",
        '<http://x.example/"onclick=alert(1)>', "[x]: javascript:alert(1)\n\n[x]", "`<img src=x onerror=alert(1)>`",
        "[a](<javascript:alert(1)>)", "<a href=javascript:alert(1)>x</a>", "[x](\tjavascript:alert(1))",
    ],
)  # fmt: skip
def test_nothing_in_markdown_runs_or_loads(text):
    shown = markdown_to_html(text, obscure=False).lower()
    for forbidden in ("<script", "<img", "onclick=alert(1)>x", 'href="javascript', 'href="data', "src="):
        assert forbidden not in shown.replace("&lt;script", "").replace("&lt;img src=x onerror", "")


def test_a_signature_makes_no_heading_of_what_stands_above():
    shown = markdown_to_html("Greetings\nAnne\n-- \nAnne Person\n", obscure=False)
    assert "<h2" not in shown
    assert "Anne Person" in shown


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "piece", ["[", "![", "> ", "*", "_a", "`", "<", "- ", "[a](", "|-", "\n    ", "**a", "&", "1. "]
)
def test_no_markdown_takes_long(piece):
    text = (piece * LONGEST_MARKUP)[:LONGEST_MARKUP]
    assert ends_within(2, lambda: markdown_to_html(text, obscure=True))
