"""HTML mail as text that reads well, whatever the HTML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.message.html_text import html_to_text
from tests.effort import ends_within

pytestmark = pytest.mark.sqlite_only


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo\n"),
        ("<div>One</div><div>Two</div>", "One\nTwo\n"),
        ("One<br>two &amp; <b>three</b>", "One\ntwo & three\n"),
        ("<ul><li>one<li>two</ul>", "* one\n* two\n"),
        ("<blockquote>old <p>more</blockquote>new", "> old\n>\n> more\n\nnew\n"),
        ("<pre>a\n   b</pre>", "a\n   b\n"),
        ("<a href='https://x.example/a'>here</a>", "here <https://x.example/a>\n"),
        ("<a href='https://x.example/'>https://x.example</a>", "https://x.example\n"),
        ("<a href='javascript:alert(1)'>here</a>", "here\n"),
        ("<style>p{}</style><script>alert(1)</script><title>t</title>", ""),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2\n"),
        ("<img src='http://track.example/x.gif' alt='a cat'>", "[a cat]\n"),
        ("", ""),
    ],
)
def test_elements_become_what_people_write_in_plain_text(html, text):
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    "html", ["<div>" * 100_000, "<a href=http://x>" * 50_000, "<" * 500_000, "<p><b>" * 100_000, "<blockquote>" * 499]
)
def test_no_html_takes_long(html):
    """A parser is quadratic in the depth of elements; such HTML only loses its tags."""
    assert ends_within(1, lambda: html_to_text(html))


@given(st.text(alphabet="<>/abpreliqu \n&;='\"x-!", max_size=300))
def test_any_text_is_read(html):
    assert "<script" not in html_to_text(html) or "<script" not in html
