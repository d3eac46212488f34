"""The plain digest: one text with all posts in it, that programs can take apart again (RFC 1153)."""

import re
import textwrap

from postroad.foundation.configuration import current
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.message.text_part import text_part
from postroad.mailflow.digests import words
from postroad.mailflow.digests.frame import Frame
from postroad.mailflow.digests.items import Item

_PREAMBLE_END = "-" * 70
_BETWEEN = "-" * 30
_LONGEST_FIELD = 1000
"""Characters of a header field; a To with thousands of addresses tells nobody anything."""
_RULER = re.compile(r"^(?=-{30,}[ \t]*$)", re.MULTILINE)


def content(frame: Frame) -> bytes:
    """Content fields and text of the digest."""
    fields, data = text_part(text(frame))
    return fields + b"\r\n" + data


def text(frame: Frame) -> str:
    """The whole digest in LF lines (RFC 1153 §2): preamble, messages between lines of hyphens, trailer."""
    preamble = [part for part in (frame.title, frame.masthead, frame.header, frame.topics) if part.strip()]
    end = frame.say(words.END, title=frame.title)
    messages = [_message(frame, item) for item in frame.items]
    if frame.footer.strip():
        messages.append(f"Subject: {frame.say(words.FOOTER)}\n\n{_safe(frame.footer)}")
    body = "".join(f"{message}\n\n{_BETWEEN}\n\n" for message in messages)
    return "\n\n".join(preamble) + f"\n\n\n{_PREAMBLE_END}\n\n{body}{end}\n{'*' * len(end)}\n"


def _message(frame: Frame, item: Item) -> str:
    header = "\n".join(_header(item)) or f"Message: {item.number}"
    remarks = "\n".join(f"[{remark}]" for remark in frame.remarks(item))
    parts = [header, _safe(item.text), remarks]
    return "\n\n".join(part for part in parts if part)


def _header(item: Item) -> list[str]:
    lines = []
    for name in current().mail.plain_digest_keep_headers:
        values = [str(item.number)] if name.lower() == "message" else item.headers.get_all(name)
        for value in values[:20]:
            shown = " ".join(decode_words(value[:_LONGEST_FIELD]).split())
            more = " …" if len(value) > _LONGEST_FIELD else ""
            line = f"{name}: {shown}{more}"
            lines.append(
                textwrap.fill(line, 78, subsequent_indent="\t", break_long_words=False, break_on_hyphens=False)
            )
    return lines


def _safe(text: str) -> str:
    """A line of hyphens in a post does not end it: a blank comes before it (RFC 1153 §2)."""
    return _RULER.sub(" ", text)
