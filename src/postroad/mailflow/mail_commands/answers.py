"""The mail that tells what came of commands, to whom it may be told (facts: security T1–T4)."""

from postroad.community.notices import actions as notices
from postroad.community.notices import limits
from postroad.community.notices.subjects import RESULTS
from postroad.foundation.message.encoded_words import decode_words
from postroad.mailflow.mail_commands.conversation import Conversation

_SHOWN = ("From", "Subject", "Date", "Message-ID")
_LONGEST_SHOWN = 200
_MOST_SHOWN = 50
"""Lines of the mail that are repeated."""


def answer(talk: Conversation) -> str:
    """Send the results if that is right; what was done, for the journey.

    A stranger nobody vouches for gets only texts that hold nothing the mail said, within the budget of questions: who
    forges a sender's address makes us say nothing to the victim. Nonsense is answered once a day.
    """
    if talk.is_answered and all(result.obeyed for result in talk.results):
        return "answered by a question to confirm"
    results = [result for result in talk.results if result.fixed] if talk.is_stranger else talk.results
    if not results:
        return "not answered: a stranger nobody vouches for" if talk.results else "nothing to answer"
    if not _within_limits(talk, any(result.obeyed for result in results)):
        return "not answered: enough answers today"
    _send(talk, [result.text for result in results])
    return "answered"


def _within_limits(talk: Conversation, is_sensible: bool) -> bool:
    if talk.is_stranger:
        return limits.may_ask(talk.mailing_list, talk.sender)
    number = limits.count_answer(talk.sender, talk.mailing_list.list_id, "command" if is_sensible else "nonsense")
    return limits.is_last_answer(number) is not None if is_sensible else number == 1


def _send(talk: Conversation, texts: list[str]) -> None:
    parts = [talk.translated("These are the results of the commands in your mail."), *_original(talk)]
    parts += [_headed(talk, "Results:"), "\n\n".join(texts)]
    if not talk.is_stranger:
        for heading, lines in (("Unprocessed:", talk.unprocessed), ("Ignored:", talk.ignored)):
            if lines:
                parts += [_headed(talk, heading), "\n".join(f"    {line}" for line in lines[:_MOST_SHOWN])]
    original = talk.headers.get("message-id") or ""
    notices.send_text(
        talk.mailing_list, to=[talk.sender], subject=RESULTS, template="$results\n",
        values={"results": "\n\n".join(parts)},
        headers={"Auto-Submitted": "auto-replied", "In-Reply-To": original, "References": original},
    )  # fmt: skip


def _headed(talk: Conversation, heading: str) -> str:
    return f"- {talk.translated(heading)}"


def _original(talk: Conversation) -> list[str]:
    if talk.is_stranger:
        return []
    fields = ((name, talk.headers.get(name)) for name in _SHOWN)
    lines = [f"    {name}: {' '.join(decode_words(value).split())[:_LONGEST_SHOWN]}" for name, value in fields if value]
    return [_headed(talk, "Your mail:"), "\n".join(lines)]
