"""Let pass what carries the moderators' password; the password itself goes no further."""

from django.contrib.auth.hashers import check_password

from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.password import given_password, without_password
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Hit

name = "approved"


def check(post: Post) -> Hit | None:
    """Hit when the password is right; wherever one was given, the mail goes on without it."""
    password = given_password(post)
    if password is None:
        return None
    post.has_approved = True
    post.new_raw = without_password(post)
    expected = settings.moderator_password.of(post.mailing_list)
    if not expected or not check_password(password, expected):
        return None
    return Hit("The message carried the moderators' password")
