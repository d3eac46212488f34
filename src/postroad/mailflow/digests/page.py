"""The HTML digest: one page by threads, with the plain digest beside it for programs that show no HTML."""

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_info, override

from postroad.foundation.message.links import linked
from postroad.foundation.message.text_part import encoded_text
from postroad.mailflow.digests import plain, words
from postroad.mailflow.digests.frame import Frame
from postroad.mailflow.digests.items import Item
from postroad.mailflow.digests.threads import Thread, threads

DEEPEST_QUOTE = 5


def content(frame: Frame) -> bytes:
    """Content fields and both forms of the digest (RFC 2046 §5.1.4)."""
    boundary = secrets.token_hex(16)
    line = f"--{boundary}".encode()
    fields = f"Content-Type: multipart/alternative; boundary={boundary}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    about, data = encoded_text(html(frame), "html")
    page = about + b"\r\n" + data
    forms = b"".join(line + b"\r\n" + form + b"\r\n" for form in (plain.content(frame), page))
    return fields.encode() + forms + line + b"--\r\n"


def html(frame: Frame) -> str:
    """The page."""
    language = frame.language.replace("_", "-").lower()
    groups = threads(frame.items)
    labels = {
        "topics": frame.say(words.TOPICS), "answer": frame.say(words.ANSWER), "archive": frame.say(words.IN_ARCHIVE),
        "about": frame.say(words.FOOTER),
    }  # fmt: skip
    with override(language):
        return render_to_string(
            "digests/digest.html",
            {
                "frame": frame, "labels": labels, "language": language, "right_to_left": _is_right_to_left(language),
                "threads": [_thread(frame, number, thread) for number, thread in enumerate(groups, 1)],
                "masthead": _paragraphs(frame.masthead), "header": _paragraphs(frame.header),
                "footer": _paragraphs(frame.footer),
            },
        )  # fmt: skip


def _is_right_to_left(language: str) -> bool:
    try:
        return bool(get_language_info(language)["bidi"])
    except KeyError:
        return False


def _thread(frame: Frame, number: int, thread: Thread) -> dict[str, Any]:
    count = len(thread.posts)
    authors = list(dict.fromkeys(post.item.author for post in thread.posts if post.item.author))
    return {
        "anchor": f"t{number}",
        "subject": thread.subject,
        "count": frame.say(words.ONE_POST) if count == 1 else frame.say(words.POSTS, count=count),
        "authors": ", ".join(authors[:5]) + (" …" if len(authors) > 5 else ""),
        "problems": list(dict.fromkeys(post.item.problem for post in thread.posts if post.item.problem)),
        "posts": [_post(frame, post.item, post.depth, thread.subject) for post in thread.posts],
    }


def _post(frame: Frame, item: Item, depth: int, subject: str) -> dict[str, Any]:
    return {
        "anchor": f"p{item.number}",
        "number": frame.say(words.MESSAGE, number=item.number),
        "author": item.author,
        "date": f"{date_format(item.written, 'DATETIME_FORMAT')} UTC" if item.written else "",
        "depth": depth,
        "subject": "" if item.subject.endswith(subject) else item.subject,
        "body": text_to_html(item.text),
        "problem": item.problem,
        "notes": item.notes,
        "archive": item.permalink,
        "answer": _answer(frame, item),
    }


def _answer(frame: Frame, item: Item) -> str:
    """A link that begins an answer to this one post, not to the whole digest (RFC 6068 §2)."""
    subject = item.subject if item.subject.lower().startswith("re:") else f"Re: {item.subject}"
    reference = quote(f"<{item.message_id}>", safe="")
    return f"mailto:{frame.mailing_list.fqdn_listname}?subject={quote(subject, safe='')}&In-Reply-To={reference}"


def _paragraphs(text: str) -> SafeString:
    blocks = [block.strip("\n") for block in text.split("\n\n")]
    return mark_safe("".join(f"<p>{_lines(block)}</p>\n" for block in blocks if block.strip()))


def _lines(text: str) -> str:
    return linked(text).replace("\n", "<br>\n")


def text_to_html(text: str) -> SafeString:
    """A post's text: paragraphs, quotes in each other, links live; nothing of the mail's own markup is left."""
    pieces: list[str] = []
    level = 0
    for depth, block in _blocks(text):
        wanted = min(depth, DEEPEST_QUOTE)
        pieces.append("<blockquote>" * (wanted - level) + "</blockquote>" * (level - wanted))
        pieces.append(f'<p dir="auto">{_lines(block)}</p>\n')
        level = wanted
    pieces.append("</blockquote>" * level)
    return mark_safe("".join(pieces))


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Paragraphs with the depth of their quote marks."""
    lines: list[str] = []
    depth = 0
    for line in [*text.split("\n"), ""]:
        marks, rest = 0, line
        while rest.startswith(">"):
            marks, rest = marks + 1, rest[1:].removeprefix(" ")
        if lines and (marks != depth or not rest.strip()):
            yield depth, "\n".join(lines)
            lines = []
        depth = marks
        if rest.strip():
            lines.append(rest)
    if lines:
        yield depth, "\n".join(lines)
