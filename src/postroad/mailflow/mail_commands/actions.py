"""Obeys one mail: its commands in order, each told to the sender in one answer."""

from postroad.community.lists.models import MailingList
from postroad.community.notices.limits import is_automatic
from postroad.community.notices.replies import reply
from postroad.foundation.configuration import current
from postroad.foundation.message.headers import Headers
from postroad.foundation.queue.envelope import Envelope
from postroad.mailflow.mail_commands.answers import answer
from postroad.mailflow.mail_commands.commands import BY_NAME, confirm, join, leave
from postroad.mailflow.mail_commands.conversation import Conversation
from postroad.mailflow.mail_commands.instructions import password_of, read, secret_of, words_of

MOST_UNKNOWN = 3
"""Lines that mean nothing; behind so many, a mail is no mail with commands."""

_KEPT_NAME = frozenset({"set", "digest", "nomail", "mail", "vacation"})
"""Commands that share their work, which is told the name."""


def obey(mailing_list: MailingList, envelope: Envelope, raw: bytes) -> str:
    """Do what a mail to a command address asks; what came of it, for the journey.

    A machine's mail is neither obeyed nor answered: a vacation notice confirms nothing, and no loop begins.
    """
    headers = Headers.parse(raw)
    talk = Conversation(mailing_list, envelope, headers, raw)
    if not envelope.sender or is_automatic(headers):
        return "ignored: written by a machine"
    if not talk.sender:
        return "ignored: no one author"
    if talk.is_forged:
        return "ignored: the author's domain disowns it"
    if envelope.kind == "request" and not reply(mailing_list, "requests", headers, envelope.sender):
        return "answered automatically and discarded"
    match envelope.kind:
        case "join":
            join(talk, [])
        case "leave":
            leave(talk, [])
        case "confirm" if secret := secret_of(envelope.recipient):
            _confirm_by_address(talk, secret)
        case _:
            _obey_lines(talk)
    return answer(talk)


def _confirm_by_address(talk: Conversation, secret: str) -> None:
    """An answer to a question: what it says besides counts nothing, and only a failure is told."""
    confirm(talk, [secret])
    if all(result.obeyed for result in talk.results) and not talk.is_moderator:
        talk.results.clear()


def _obey_lines(talk: Conversation) -> None:
    asked = read(talk.headers, talk.raw, current().mail.email_commands_max_lines)
    unknown = 0
    for number, line in enumerate(asked.lines, 1):
        name, words = words_of(line, tuple(BY_NAME))
        if name:
            BY_NAME[name].run(talk, [name, *words] if name in _KEPT_NAME else words)
        else:
            unknown += 1
            talk.say("There is no command: $line", {"line": line}, obeyed=False)
        if talk.ended or unknown == MOST_UNKNOWN:
            talk.unprocessed = tuple(line for line in asked.lines[number:] if password_of(line) is None)
            break
    talk.ignored = asked.ignored
    if not asked.lines:
        talk.say("Your mail holds no command. Write help.", fixed=True, obeyed=False)
