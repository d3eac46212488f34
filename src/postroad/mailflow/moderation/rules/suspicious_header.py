"""Hold posts with a header that the list's old-style table names."""

from postroad.foundation.errors import BadInput
from postroad.foundation.patterns import compile_pattern, found
from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "suspicious-header"


def check(post: Post) -> Hit | None:
    """Hit when a line `Header: pattern` of the table is found; `#` begins a comment, a broken line is passed over."""
    for line in settings.bounce_matching_headers.of(post.mailing_list).splitlines():
        header, colon, pattern = line.partition(":")
        if not colon or line.startswith("#"):
            continue
        try:
            compiled = compile_pattern(pattern.strip())
        except BadInput:
            continue
        if any(found(compiled, value) for value in post.headers.get_all(header.strip())):
            return Hit(f'Header "{header.strip()}" matched a header rule')
    return None
