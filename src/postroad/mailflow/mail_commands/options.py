"""A member's options by mail: `set`, and the short words for what is wanted most."""

from collections.abc import Mapping
from typing import Any

from postroad.community.subscriptions import actions, queries
from postroad.foundation.errors import BadInput
from postroad.mailflow.mail_commands.conversation import Conversation

_SWITCHES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    # name: preference, and what each word means
    "digest": (
        "delivery_mode",
        {
            "off": "regular",
            "no": "regular",
            "plain": "plaintext_digests",
            "mime": "mime_digests",
            "html": "html_digests",
        },
    ),
    "delivery": ("delivery_status", {"on": "enabled", "off": "by_user"}),
    "myposts": ("receive_own_postings", {"on": True, "off": False}),
    "hide": ("hide_address", {"on": True, "off": False}),
    "duplicates": ("receive_list_copy", {"on": True, "off": False}),
    "ack": ("acknowledge_posts", {"on": True, "off": False}),
}
_SHORT = {"nomail": ["delivery", "off"], "mail": ["delivery", "on"]}


def change_options(talk: Conversation, words: list[str]) -> None:
    """Change what the sender gets; who is not vouched for is asked to confirm by a mail to the member."""
    if talk.member is None:
        values = {"email": talk.sender, "listname": talk.mailing_list.fqdn_listname}
        talk.say("$email is not a member of $listname.", values, obeyed=False)
        return
    try:
        changes = _changes(talk, words)
        if not changes:
            show_options(talk, [])
            return
        outcome = actions.set_options(talk.member, changes, proved=talk.is_authentic, origin=talk.origin)
    except BadInput as error:
        talk.refuse("", error)
        return
    if outcome.token_owner == "subscriber":
        talk.is_answered = True
        talk.say("A mail was sent to $email: please answer it to confirm.", {"email": talk.sender})
    else:
        show_options(talk, [])


def _changes(talk: Conversation, words: list[str]) -> dict[str, Any]:
    """What a line asks for; empty for a look.

    Raises:
        BadInput: a name or a word that means nothing here.
    """
    command, *rest = words
    if command == "vacation":
        return _vacation(rest)
    if command == "set":
        if [word.lower() for word in rest] in ([], ["show"]):
            return {}
        command, *rest = rest
    else:
        command, *rest = _SHORT.get(command, [command, *rest])
    name = command.lower()
    if name == "language" and rest:
        return {"preferred_language": rest[0]}
    if name == "frequency" and rest:
        return {"digest_frequency": rest[0].lower()}
    if name not in _SWITCHES:
        allowed = ", ".join([*_SWITCHES, "frequency", "language"])
        raise BadInput(f"set {command}: allowed are {allowed}")
    preference, meaning = _SWITCHES[name]
    word = rest[0].lower() if rest else ""
    if word not in meaning:
        raise BadInput(f"{name} {word}: allowed are {', '.join(meaning)}")
    return {preference: meaning[word]}


def _vacation(words: list[str]) -> dict[str, Any]:
    if not words:
        raise BadInput("vacation: until when? Write a date such as 2027-01-31, or off.")
    if words[0].lower() == "off":
        return {"delivery_status": "enabled"}
    return {"delivery_status": "by_user", "vacation_until": words[0]}


def show_options(talk: Conversation, words: list[str]) -> None:
    """The options in force."""
    if talk.member is None:
        values = {"email": talk.sender, "listname": talk.mailing_list.fqdn_listname}
        talk.say("$email is not a member of $listname.", values, obeyed=False)
        return
    held = queries.effective_preferences(talk.member)
    lines = []
    for name, (preference, meaning) in _SWITCHES.items():
        word = next((word for word, value in meaning.items() if value == held[preference]), str(held[preference]))
        lines.append(f"    {name:<12}{word}")
    lines.append(f"    {'frequency':<12}{talk.member.digest_frequency or 'list'}")
    lines.append(f"    {'language':<12}{held['preferred_language']}")
    if talk.member.vacation_until is not None:
        lines.append(f"    {'vacation':<12}{talk.member.vacation_until.isoformat()}")
    talk.say("Your options:\n\n$lines", {"lines": "\n".join(lines)})
