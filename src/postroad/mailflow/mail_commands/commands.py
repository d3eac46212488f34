"""The commands there are, in the order of the help text; read `COMMANDS` at the end first."""

from collections.abc import Callable
from dataclasses import dataclass

from postroad.community.lists.models import MailingList
from postroad.community.lists.queries import lists_of_domain
from postroad.community.lists.settings import description, info
from postroad.community.subscriptions import actions, queries
from postroad.community.subscriptions.models import Member
from postroad.community.subscriptions.senders import sender_member
from postroad.community.subscriptions.settings import member_roster_visibility
from postroad.foundation.errors import PostroadError
from postroad.foundation.message.addresses import identity
from postroad.mailflow.mail_commands import moderation_words
from postroad.mailflow.mail_commands.conversation import Conversation
from postroad.mailflow.mail_commands.options import change_options, show_options

MOST_LISTED = 2000
"""Members named in one answer."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command by mail: its names, what stands behind it, what it does."""

    names: tuple[str, ...]
    arguments: str
    help: str
    run: Callable[[Conversation, list[str]], None]


# --- joining and leaving


def join(talk: Conversation, words: list[str]) -> None:
    """Ask for a membership of the sender, or of `address=`; each is asked to confirm."""
    email, mode = talk.sender, None
    for word in words:
        name, _, value = word.partition("=")
        if name.lower() == "address" and value:
            email = value
        elif name.lower() == "digest" and value.lower() in _DIGESTS:
            mode = _DIGESTS[value.lower()]
        else:
            talk.say("join: I do not understand $word.", {"word": word}, obeyed=False)
            return
    name = talk.name if identity(email) == talk.sender else ""
    try:
        outcome = actions.join(
            talk.mailing_list, email, display_name=name, delivery_mode=mode, origin=talk.origin
        )  # fmt: skip
    except PostroadError as error:
        talk.refuse("join", error)
        return
    _tell_outcome(talk, outcome, email)


_DIGESTS = {"no": "regular", "plain": "plaintext_digests", "mime": "mime_digests", "html": "html_digests"}


def _tell_outcome(talk: Conversation, outcome: actions.Outcome, email: str) -> None:
    values = {"email": email, "listname": talk.mailing_list.fqdn_listname}
    if outcome.token_owner == "subscriber":
        talk.is_answered = identity(email) == talk.sender
        talk.say("A mail was sent to $email: please answer it to confirm.", values)
    elif outcome.token_owner == "moderator":
        talk.say("Your request waits for a moderator of $listname.", values)
    elif outcome.member is not None and outcome.kind == "subscription":
        talk.say("$email is a member of $listname now.", values)
    elif outcome.kind == "unsubscription":
        talk.say("$email is no member of $listname any more.", values)
    else:
        talk.say("Done; it is as you wanted.", values)


def leave(talk: Conversation, words: list[str]) -> None:
    """Ask to end the sender's membership, or that of another verified address of the same person."""
    member = talk.member or _other_membership(talk)
    if member is None:
        values = {"email": talk.sender, "listname": talk.mailing_list.fqdn_listname}
        talk.say("leave: $email is not a member of $listname.", values, obeyed=False)
        return
    address = member.effective_address
    _tell_outcome(
        talk, actions.leave(member, pre_confirmed=False, origin=talk.origin), address.email if address else talk.sender
    )


def _other_membership(talk: Conversation) -> Member | None:
    found = sender_member(talk.mailing_list, [talk.sender])
    return found[0] if found else None


def confirm(talk: Conversation, words: list[str]) -> None:
    """Say yes to what was asked under a secret; nothing behind it is obeyed any more."""
    talk.ended = True
    secret = words[0].lower() if words else ""
    if moderation_words.decide(talk, secret):
        return
    try:
        outcome = actions.confirm(secret, talk.mailing_list, origin=talk.origin)
    except PostroadError as error:
        talk.refuse("confirm", error)
        return
    _tell_outcome(talk, outcome, talk.sender)


# --- looking


def who(talk: Conversation, words: list[str]) -> None:
    """Name the members, to those whom the list shows them to; who hides is shown to moderators only."""
    visibility = member_roster_visibility.of(talk.mailing_list)
    allowed = talk.is_moderator or visibility == "public" or (visibility == "members" and talk.member is not None)
    if not allowed:
        talk.say("who: you may not see the members of this list.", obeyed=False)
        return
    narrowed: dict[str, str] = {}
    for word in words:
        if word.lower() not in _WHO:
            talk.say("who: I do not understand $word.", {"word": word}, obeyed=False)
            return
        narrowed |= _WHO[word.lower()]
    rows = queries.shown_members(talk.mailing_list, MOST_LISTED + 1, with_hidden=talk.is_moderator, **narrowed)
    names = [f"    {email} ({name})" if name else f"    {email}" for email, name in rows[:MOST_LISTED]]
    more = ["    …"] if len(rows) > MOST_LISTED else []
    talk.say("Members of $listname:", {"listname": talk.mailing_list.fqdn_listname})
    talk.say("$names", {"names": "\n".join([*names, *more])})


_WHO = {
    "delivery=enabled": {"status": "enabled"},
    "delivery=disabled": {"status": "disabled"},
    "mode=digest": {"mode": "digest"},
    "mode=regular": {"mode": "regular"},
}


def tell_about(talk: Conversation, words: list[str]) -> None:
    """What the list is for, and its addresses."""
    mailing_list = talk.mailing_list
    values = {
        "listname": mailing_list.fqdn_listname, "description": description.of(mailing_list),
        "info": info.of(mailing_list), "owner": mailing_list.address("owner"), "join": mailing_list.address("join"),
        "leave": mailing_list.address("leave"),
    }  # fmt: skip
    talk.say(_INFO, values, fixed=True)


_INFO = "$listname\n$description\n\n$info\n\nTo join:   $join\nTo leave:  $leave\nThe people who run the list: $owner"


def name_lists(talk: Conversation, words: list[str]) -> None:
    """The lists of this host that want to be found."""
    rows = lists_of_domain(talk.mailing_list.domain, advertised_only=True)[:MOST_LISTED]
    lines = [_list_line(row) for row in rows]
    talk.say("Lists at $host:\n\n$lines", {"host": talk.mailing_list.mail_host, "lines": "\n".join(lines)}, fixed=True)


def _list_line(mailing_list: MailingList) -> str:
    text = description.of(mailing_list)
    return f"    {mailing_list.fqdn_listname}" + (f" -- {text}" if text else "")


# --- talking


def help_(talk: Conversation, words: list[str]) -> None:
    """What can be said, or more about some of it."""
    if not words:
        lines = [f"    {'/'.join(c.names)} {c.arguments}".rstrip() for c in COMMANDS]
        talk.say(_HELP, {"commands": "\n".join(lines), "request": talk.mailing_list.address("request")}, fixed=True)
        return
    for word in words[:5]:
        command = BY_NAME.get(word.lower())
        if command is None:
            talk.say("help: there is no command $word.", {"word": word}, obeyed=False)
            continue
        line = f"{' / '.join(command.names)} {command.arguments}".rstrip()
        talk.say("$line\n    $help", {"line": line, "help": talk.translated(command.help)}, fixed=True)


_HELP = (
    "Write one command on a line, in the subject or the text of a mail to $request:\n\n$commands\n\n"
    "help with the name of a command tells more about it."
)


def echo(talk: Conversation, words: list[str]) -> None:
    """Say it back."""
    talk.say("echo $words", {"words": " ".join(words)})


def end(talk: Conversation, words: list[str]) -> None:
    """Obey nothing below."""
    talk.ended = True


def explain_passwords(talk: Conversation, words: list[str]) -> None:
    """Seen in practice: commands of Mailman 2.1."""
    talk.say("There are no passwords of lists any more. You are known by your address.", fixed=True)


COMMANDS = (
    Command(("join", "subscribe"), "[digest=no|plain|mime] [address=ADDRESS]", "Join; you are asked to confirm.", join),
    Command(("leave", "unsubscribe"), "", "Leave; you may be asked to confirm.", leave),
    Command(("confirm",), "TOKEN", "Say yes to what you were asked about.", confirm),
    Command(
        ("set",),
        "[NAME VALUE]",
        "Your options: digest off/plain/mime, delivery on/off, myposts on/off, hide on/off, duplicates on/off, "
        "ack on/off, language CODE. Alone it shows them.",
        change_options,
    ),
    Command(("digest",), "off|plain|mime", "Get the posts collected, or one by one.", change_options),
    Command(("nomail",), "", "Stop the posts, and stay a member.", change_options),
    Command(("mail",), "", "Get the posts again.", change_options),
    Command(("vacation",), "YYYY-MM-DD|off", "Stop the posts until that day.", change_options),
    Command(("options",), "", "Show your options.", show_options),
    Command(("who",), "[delivery=enabled|disabled] [mode=digest|regular]", "Name the members, if you may.", who),
    Command(("info",), "", "What this list is for.", tell_about),
    Command(("lists",), "", "The lists at this host.", name_lists),
    Command(("help",), "[COMMAND]", "This text, or more about one command.", help_),
    Command(("echo",), "WORDS", "Say the words back.", echo),
    Command(("password",), "", "There are no passwords of lists any more.", explain_passwords),
    Command(("end", "stop"), "", "Obey nothing below this line.", end),
)
BY_NAME = {name: command for command in COMMANDS for name in command.names}
