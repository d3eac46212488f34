"""What `verify` recounts of a Mailman 2.1 site: files there against tables here."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from postroad.community.bans.models import Ban
from postroad.community.lists.models import HeaderMatch, MailingList
from postroad.community.lists.register import all_settings
from postroad.community.subscriptions.models import Member, Pending
from postroad.foundation.message.addresses import identity
from postroad.foundation.message.lines import with_crlf
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.foundation.rows import NOT_KEPT
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.bounces.models import Probe
from postroad.mailflow.digests.models import Post
from postroad.mailflow.moderation.models import HeldMessage
from postroad.upgrade.fingerprints import numbered
from postroad.upgrade.mailman2.recount import Old, every_list, held_file
from postroad.upgrade.mailman2.recount_settings import MODERATED, policy, without_places, worth
from postroad.upgrade.mailman2.recount_texts import letters_of, own_texts
from postroad.upgrade.mailman2.site import OldSite
from postroad.upgrade.mbox import verify as mailboxes
from postroad.upgrade.mbox.recount import contents
from postroad.upgrade.mbox.steps import Mailbox
from postroad.upgrade.recounting import held_here, texts_here
from postroad.upgrade.usual import usual_values
from postroad.upgrade.verifying import Check, Name, Thing, plain

Things = Iterator[Thing]
_STATUS = ("enabled", "unknown", "by_user", "by_moderator", "by_bounces")
_ACTIONS = {0: "", 2: "reject", 3: "discard", 6: "accept", 7: "hold"}
_HELD, _JOIN, _LEAVE = 1, 2, 3


def checks(site: OldSite) -> Iterator[Check]:
    """Everything that can be named on both sides."""
    named = list(every_list(site.root, site.only, site.host))
    # What no list here can be called is told of the list itself, and with it of all it holds.
    lists = [old for old in named if not NOT_KEPT.search(old.list_id)]

    def of_each(things: Any) -> Any:
        return lambda: (thing for old in lists for thing in things(old))

    ids = [old.list_id for old in lists]
    yield Check("lists", lambda: map(_old_list, named), lambda: MailingList.objects.values_list("list_id"))
    yield Check("settings", lambda: _old_settings(lists), lambda: _new_settings(ids))
    yield Check("archives, public, private or never", of_each(_old_policy),
                lambda: MailingList.objects.values_list("list_id", "archive_policy"))  # fmt: skip
    yield Check("memberships, by list and role", of_each(_old_members),
                lambda: Member.objects.values_list("mailing_list__list_id", "role", "address__email"))  # fmt: skip
    yield Check("members' options, each with its value", of_each(_old_options), lambda: _new_options(ids))
    yield Check(
        "own texts, word for word",
        of_each(own_texts),
        lambda: texts_here(lambda text: letters_of(without_places(text))),
    )
    yield Check("bans", of_each(_old_bans), lambda: Ban.objects.values_list("mailing_list__list_id", "email"))
    yield Check("header checks", of_each(_old_rules), _new_rules)
    yield Check("topics", of_each(_old_topics), lambda: _new_topics(ids))
    yield Check("held posts, word for word", of_each(_old_held), held_here)
    yield Check("requests to join and leave", of_each(_old_requests), _new_requests)
    yield Check("secrets that were mailed", of_each(_old_secrets), _new_secrets)
    yield Check("archived mails, byte for byte", of_each(_old_mails),
                lambda: Mail.objects.values_list("mailing_list__list_id", "message").iterator(5000))  # fmt: skip
    yield Check("posts of the next digest", of_each(_old_digest), _new_digest)


# --- lists and settings


def _old_list(old: Old) -> Thing:
    return Thing((old.list_id,), "lists", (old.folder.name,))


def _old_settings(lists: Sequence[Old]) -> Things:
    usual = usual_values([old.list_id for old in lists])
    for old in lists:
        for attribute, setting, value in worth(old):
            yield Thing(
                (old.list_id, setting, plain(value)), "lists", (old.folder.name,), (attribute, setting),
                (old.list_id, setting, usual.get(old.list_id, {}).get(setting, "")),
            )  # fmt: skip


def _new_settings(ids: list[str]) -> Iterator[Name]:
    for made in MailingList.objects.filter(list_id__in=ids):
        for name, setting in all_settings().items():
            value = setting.of(made)
            text = without_places(value) if name.startswith("autoresponse_") and isinstance(value, str) else value
            yield made.list_id, name, plain(text)


def _old_policy(old: Old) -> Things:
    yield Thing((old.list_id, policy(old)), "lists", (old.folder.name,), ("archive_private",))


# --- members


def _emails(old: Old, role: str) -> Iterable[str]:
    everybody = [*old.table("members"), *old.table("digest_members")] if role == "member" else old.lines(role)
    return {identity(email): email for text in everybody[::-1] if (email := text.strip().lower())}.values()


def _old_members(old: Old) -> Things:
    for role in ("member", "owner", "moderator"):
        for email in _emails(old, role):
            yield Thing((old.list_id, role, identity(email)), "members", (f"{old.name}:{role}:{email}",))


def _old_options(old: Old) -> Things:
    digests, options, status = old.table("digest_members"), old.table("user_options"), old.table("delivery_status")
    action = int(old.number("member_moderation_action"))
    moderated = MODERATED[action] if 0 <= action < len(MODERATED) else "hold"
    for email in _emails(old, "member"):
        bits = options.get(email, 0)
        bits = int(bits) if isinstance(bits, int | float) else 0
        digest = "plaintext_digests" if bits & 8 else "mime_digests"
        kept = status.get(email, 0)
        number = kept[0] if isinstance(kept, tuple) and kept else kept
        known = isinstance(number, int) and 0 <= number < len(_STATUS)
        found = {
            "acknowledge_posts": bool(bits & 4), "delivery_mode": digest if email in digests else "regular",
            "delivery_status": _STATUS[number] if known else "unknown", "hide_address": bool(bits & 16),
            "moderation_action": moderated if bits & 128 else "defer", "receive_list_copy": not bits & 256,
            "receive_own_postings": not bits & 2,
        }  # fmt: skip
        for name, value in found.items():
            key = (f"{old.name}:member:{email}",)
            yield Thing((old.list_id, identity(email), name, plain(value)), "members", key)


def _new_options(ids: list[str]) -> Iterator[Name]:
    names = (
        "acknowledge_posts", "delivery_mode", "delivery_status", "hide_address", "moderation_action",
        "receive_list_copy", "receive_own_postings",
    )  # fmt: skip
    rows = Member.objects.filter(role="member", mailing_list__list_id__in=ids)
    for list_id, email, *values in rows.values_list("mailing_list__list_id", "address__email", *names).iterator(5000):
        for name, value in zip(names, values, strict=True):
            yield list_id, email, name, plain(value)


# --- bans, header checks, topics


def _old_bans(old: Old) -> Things:
    for banned in old.lines("ban_list"):
        yield Thing((old.list_id, banned), "bans", (f"{old.name}:{banned}",))


def _old_rules(old: Old) -> Things:
    """A pattern over a whole line of a header, with the action of the first that says it."""
    seen: set[str] = set()
    rules = old.data.get("header_filter_rules")
    for patterns, action, *_ in rules if isinstance(rules, list | tuple) else ():
        for line in filter(None, (line.strip() for line in old.text(patterns).splitlines())):
            if line not in seen:
                name = old.list_id, _bare(line), _ACTIONS.get(action, f"action {action}")
                yield Thing(name, "header checks", (old.name,), (line,))
            seen.add(line)


def _new_rules() -> Iterator[Name]:
    columns = ("mailing_list__list_id", "header", "pattern", "action")
    for list_id, header, pattern, action in HeaderMatch.objects.values_list(*columns):
        yield list_id, _bare(f"{header}:{pattern}"), action or ""


def _bare(line: str) -> str:
    """A rule without what only says that something may stand between a header's name and its text."""
    header, colon, pattern = line.partition(":")
    return header.strip().removeprefix("^").replace("\\", "") + colon + re.sub(r"^(?:\s|\.\*|\.(?!\w))*", "", pattern)


def _old_topics(old: Old) -> Things:
    topics = old.data.get("topics")
    for topic in topics if isinstance(topics, list | tuple) else ():
        name, patterns = (old.text(part) for part in topic[:2])
        for pattern in filter(None, (line.strip() for line in patterns.splitlines())):
            told = () if _is_pattern(pattern) else (old.folder.name,)
            yield Thing((old.list_id, name.replace(":", " "), pattern), "lists", told, ("topics",))


def _is_pattern(text: str) -> bool:
    try:
        return bool(re.compile(text))
    except re.error:
        return False


def _new_topics(ids: list[str]) -> Iterator[Name]:
    for made in MailingList.objects.filter(list_id__in=ids):
        for line in all_settings()["topics"].of(made):
            name, _, pattern = line.partition(":")
            yield made.list_id, name, pattern


# --- what waits


def _requests(old: Old, *kinds: int) -> Iterator[tuple[int, Any]]:
    for number, value in old.pickled("request.pck").items():
        if isinstance(number, int) and isinstance(value, tuple) and value and value[0] in kinds:
            yield number, value[1]


def _old_held(old: Old) -> Things:
    """By content: a number that was given here too is another one."""
    numbers = [number for number, _ in _requests(old, _HELD)]
    for number, name in zip(numbers, numbered((old.list_id, held_file(old, n)) for n in numbers), strict=True):
        yield Thing(name, "held posts", (f"{old.name}:{number}",))


def _old_requests(old: Old) -> Things:
    for number, entry in _requests(old, _JOIN, _LEAVE):
        kind, asked = ("subscription", entry[1]) if isinstance(entry, tuple) else ("unsubscription", entry)
        yield Thing((old.list_id, kind, old.text(asked)), "held requests", (f"{old.name}:{number}",))


def _new_requests() -> Iterable[Name]:
    return Pending.objects.filter(token_owner="moderator").values_list("list_id", "kind", "email")


def _old_secrets(old: Old) -> Things:
    """Those of held posts are told with the posts."""
    for key, value in old.pickled("pending.pck").items():
        secret = old.text(key)
        if secret not in ("evictions", "version") and isinstance(value, tuple) and value:
            is_held = value[0] == b"H" and len(value) > 1
            kind, known = ("held posts", value[1]) if is_held else ("confirmations", secret)
            yield Thing((hashlib.sha256(secret.encode()).hexdigest(),), kind, (f"{old.name}:{known}",))


def _new_secrets() -> Iterator[Name]:
    for model in (Pending, HeldMessage, Probe):
        yield from model._default_manager.exclude(token_hash=None).values_list("token_hash")


# --- archives and digests


def _old_mails(old: Old) -> Things:
    path = old.site / "archives" / "private" / f"{old.name}.mbox" / f"{old.name}.mbox"
    if path.is_file():
        yield from mailboxes.mails([Mailbox(path.name, path, "mbox", old.list_id)])


def _old_digest(old: Old) -> Things:
    """As long as no digest was sent from here, which ends them."""
    path = old.folder / "digest.mbox"
    sent = MailingList.objects.filter(list_id=old.list_id).values_list("digest_last_sent_at", flat=True).first()
    if path.is_file() and (sent is None or sent.timestamp() < old.number("digest_last_sent_at") + 1):
        for _, digest in contents(path, "mbox", with_crlf):
            yield Thing((old.list_id, digest), "digests in progress", (old.name,))


def _new_digest() -> Iterator[Name]:
    yield from Post.objects.values_list("mailing_list__list_id", "message")
    for row in Job.objects.filter(queue="digests").values_list("envelope", flat=True):
        waiting = decode(bytes(row))
        yield waiting.list_id, waiting.message
