"""The fixed words of a digest in the list's language."""

from pathlib import Path

from postroad.foundation.catalogs import translator

_SLICE = Path(__file__).parent

TOPICS = "In this issue:"
END = "End of {title}"
FOOTER = "About this digest"
NO_SUBJECT = "(no subject)"
NO_AUTHOR = "(author unknown)"
TOO_COMPLEX = "This post has more parts than a digest can show."
LOST = "This post is no longer kept here."
BROKEN = "This post could not be read."
CUT = "The rest is too long for a digest."
ATTACHED = "Attached: {name} ({type}, {size})"
FORWARDED = "Forwarded mail: {subject}"
NO_NAME = "without a name"
ARCHIVED = "In the archive: {url}"
ANSWER = "Answer"
IN_ARCHIVE = "In the archive"
ONE_POST = "1 post"
POSTS = "{count} posts"
MESSAGE = "Post {number}"


def say(words: str, language: str, **values: object) -> str:
    """One of the texts above in a language, its places filled."""
    return translator(_SLICE, language)(words).format(**values)
