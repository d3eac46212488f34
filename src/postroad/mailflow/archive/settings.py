"""How the archive shows a list's posts."""

from postroad.community.lists import settings as lists
from postroad.community.lists.declare import Group

_archive = Group("Archive")

# Declared for all stages: the pipeline asks it too.
archive_policy = lists.archive_policy

archive_rendering_mode = _archive.choice(
    "archive_rendering_mode",
    ("text", "markdown"),
    "text",
    "Show posts as",
    "markdown: headings, lists and emphasis are shown as such.",
)
obscure_addresses = _archive.boolean(
    "obscure_addresses", True, "Hide mail addresses", "From readers who are not signed in.", exposed=False
)

SETTINGS = (archive_rendering_mode, obscure_addresses)
