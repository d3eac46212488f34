"""Let pass what carries the moderators' password; the password itself goes no further."""

import re

from django.contrib.auth.hashers import check_password

from postroad.foundation.message.headers import Remove, apply_edits
from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "approved"

_FIELDS = ("Approve", "Approved", "X-Approve", "X-Approved")
_LINE = re.compile(rb"\A(?:[ \t]*\r?\n)*[ \t]*(?:x-)?approved?[ \t]*:[ \t]*([^\r\n]+)\r?\n?", re.IGNORECASE)


def check(post: Post) -> Hit | None:
    """Hit when the password is right; wherever one was given, the mail goes on without it."""
    password = next((value for field in _FIELDS if (value := post.headers.get(field)) is not None), None)
    raw = apply_edits(post.raw, [Remove(field) for field in _FIELDS if field in post.headers])
    part = (
        next((p for p in post.root.walk() if p.content_type == "text/plain" and not p.children), None)
        if post.root
        else None
    )
    body = post.raw[part.body : part.end] if part else b""
    match = _LINE.match(body)
    if match:
        password = password or match[1].decode("utf-8", "replace").strip()
        raw = raw.replace(body, body[match.end() :], 1)
    if password is None:
        return None
    post.has_approved = True
    post.new_raw = raw
    expected = settings.moderator_password.of(post.mailing_list)
    return (
        Hit("The message carried the moderators' password")
        if expected and check_password(password.strip(), expected)
        else None
    )
