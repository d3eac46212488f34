"""Hold posts that look like commands: somebody wrote "unsubscribe" to everybody."""

from postroad.foundation.configuration import current
from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "administrivia"

# Command word → least and most arguments that make it look like one.
_COMMANDS = {
    "confirm": (1, 1), "help": (0, 0), "info": (0, 0), "lists": (0, 0), "options": (0, 0), "password": (2, 2),
    "remove": (0, 0), "set": (3, 3), "subscribe": (0, 3), "unsubscribe": (0, 1), "who": (0, 2),
}  # fmt: skip


def check(post: Post) -> Hit | None:
    """Hit when the subject or one of the first lines is a command with a plausible number of arguments."""
    if not settings.administrivia.of(post.mailing_list):
        return None
    lines = [line for line in post.text.splitlines() if line.strip()][: current().mail.email_commands_max_lines]
    for line in (post.subject, *lines):
        words = line.lower().split()
        least, most = _COMMANDS.get(words[0], (1, 0)) if words else (1, 0)
        if least <= len(words) - 1 <= most:
            return Hit("Message contains administrivia")
    return None
