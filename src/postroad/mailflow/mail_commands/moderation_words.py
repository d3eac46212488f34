"""A moderator's answer to a notice: accept, reject or discard a held post, a join or a leave."""

from postroad.community.subscriptions import actions, queries
from postroad.foundation.errors import NotFound, PostroadError
from postroad.mailflow.mail_commands.conversation import Conversation
from postroad.mailflow.mail_commands.instructions import password_of, text_lines
from postroad.mailflow.moderation.actions import answer_hold
from postroad.mailflow.moderation.password import given_password
from postroad.mailflow.moderation.post import Post

_WORDS = {
    "accept": "accept", "approve": "accept", "reject": "reject", "discard": "discard", "defer": "defer", "hold": "hold",
}  # fmt: skip


def decide(talk: Conversation, secret: str) -> bool:
    """Do what a moderator's answer says; False when the secret is no moderator's."""
    word, reason = _word_and_reason(talk)
    pending = queries.request_by_secret(secret, talk.mailing_list)
    if pending is not None and pending.token_owner == "moderator":
        if not talk.is_moderator:
            talk.say("Only moderators of this list may decide about this.", obeyed=False)
        elif not word:
            talk.say("Write accept, reject or discard alone on the first line.", fixed=True, obeyed=False)
        else:
            _decide_request(talk, secret, word, reason)
        return True
    return pending is None and _decide_post(talk, secret, word, reason)


def _decide_request(talk: Conversation, secret: str, word: str, reason: str) -> None:
    pending = queries.request_by_secret(secret, talk.mailing_list)
    assert pending is not None  # Looked up a line before, in the same transaction.
    try:
        actions.decide(pending, word, reason, origin=talk.origin)
    except PostroadError as error:
        talk.refuse("", error)
        return
    talk.say("$email: $word", {"email": pending.shown, "word": word})


def _decide_post(talk: Conversation, secret: str, word: str, reason: str) -> bool:
    """Whether the secret is a held post's."""
    proved = talk.sender if talk.is_moderator and talk.is_authentic else ""
    # What is written in HTML alone is no post's text, and a command's all the same.
    first_line = next(filter(None, text_lines(talk.raw)), "")
    password = given_password(Post(talk.mailing_list, talk.envelope, talk.raw)) or password_of(first_line) or ""
    try:
        done = answer_hold(secret, password=password, moderator=proved, action=word, comment=reason)
    except NotFound:
        return False
    except PostroadError as error:
        talk.refuse("", error)
        return True
    talk.say("The post was $done.", {"done": talk.translated(done)})
    return True


def _word_and_reason(talk: Conversation) -> tuple[str, str]:
    """The word alone on the first line that is not empty, and the text below it that is not quoted."""
    lines = [line for line in text_lines(talk.raw) if not line.startswith(">")]
    while lines and (not lines[0] or password_of(lines[0]) is not None):
        lines.pop(0)
    if not lines:
        return "", ""
    return _WORDS.get(lines[0].strip(" .!").lower(), ""), "\n".join(lines[1:]).strip()
