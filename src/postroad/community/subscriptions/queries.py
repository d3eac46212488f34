"""Who is on a list: recipients, rosters, roles and effective preferences, each by one query."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from postroad.community.lists.models import MailingList
from postroad.community.people.models import PREFERENCE_NAMES
from postroad.community.subscriptions.models import Member, Pending
from postroad.community.subscriptions.tokens import hashed
from postroad.foundation.configuration import current
from postroad.foundation.message.addresses import identity
from postroad.foundation.queue.envelope import DigestReaders
from postroad.foundation.rows import marks

SITE_PREFERENCES: dict[str, object] = {
    "acknowledge_posts": False,
    "hide_address": True,
    "delivery_mode": "regular",
    "delivery_status": "enabled",
    "receive_list_copy": True,
    "receive_own_postings": True,
}


class Recipient(NamedTuple):
    """One who gets a post."""

    member_id: int
    email: str
    display_name: str
    copied: bool


# A page of memberships is taken first, by its index: a planner that guesses at the cascade of preferences would read
# and sort the whole list for each page. A member's own address or the user's preferred one; preferences cascade
# member, address, user, site.
_FROM = """
FROM (SELECT * FROM subscriptions_member WHERE mailing_list_id = %s AND role = 'member' AND id > %s
    ORDER BY id LIMIT %s) m
LEFT JOIN people_address a
    ON a.id = COALESCE(m.address_id, (SELECT s.preferred_address_id FROM people_user s WHERE s.id = m.user_id))
LEFT JOIN people_user u ON u.id = a.user_id
"""


def _cascade(name: str, default: str, member: str = "m") -> str:
    return f"COALESCE({member}.{name}, a.{name}, u.{name}, {default})"


def _wanted(thread: str, digest: DigestReaders | None) -> str:
    """Whose mode and status let a mail through; a choice about a post's thread goes before both."""
    mode, status = _cascade("delivery_mode", "'regular'"), _cascade("delivery_status", "'enabled'")
    if digest is not None:
        return f"{_reads_digests(len(digest.modes))} AND {status} = 'enabled'"
    usual = f"{mode} = 'regular' AND {status} = 'enabled'"
    if not thread:
        return usual
    choice = "(SELECT 1 FROM subscriptions_thread_choice c WHERE c.member_id = m.id AND c.thread = %s AND c.wish = "
    return (
        f"(({usual} AND NOT EXISTS {choice}'mute'))"
        f" OR ({status} IN ('enabled', 'by_user') AND EXISTS {choice}'follow')))"
    )


def _reads_digests(modes: int) -> str:
    """Who gets such digests, by mode and frequency, or left them since; where a mode was left, none nearer counts."""
    chosen = marks(modes)
    left = "{0}.digest_left IN (" + chosen + ") AND {0}.digest_left_at >= %s"
    return f"""({_cascade("delivery_mode", "'regular'")} IN ({chosen})
    OR ({left.format("m")})
    OR (m.delivery_mode IS NULL AND {left.format("a")})
    OR (m.delivery_mode IS NULL AND a.delivery_mode IS NULL AND {left.format("u")}))
AND (COALESCE(m.digest_frequency, '') = %s OR (m.frequency_left = %s AND m.frequency_left_at >= %s))"""


def _asked_of_digests(digest: DigestReaders) -> list[str | float]:
    """What fills the marks of `_reads_digests`."""
    left: list[str | float] = [*digest.modes, digest.since]
    return [*digest.modes, *left, *left, *left, digest.frequency, digest.frequency, digest.since]


def recipients(
    list_pk: int,
    after: int,
    limit: int,
    author: str = "",
    explicit: Sequence[str] = (),
    *,
    digest: DigestReaders | None = None,
    thread: str = "",
) -> list[Recipient]:
    """The next `limit` members behind membership `after` who get a post, in order of membership; fewer at the end.

    Left out: digest members, disabled ones, the author who wants no own posts, those in `explicit` (the
    addresses of To and Cc) who want no second copy, and who muted the `thread` (a Message-ID hash); who follows it
    gets it in spite of digests and of having switched delivery off. With `digest`, who gets that digest.
    One query for each `limit` memberships, by index alone: the last page of a list costs what the first does.
    """
    sql = _query(len(explicit), thread, digest)
    chosen = _asked_of_digests(digest) if digest else [thread] * 2 if thread else []
    asked = [*explicit, *chosen, identity(author), *explicit]
    found: list[Recipient] = []
    with connection.cursor() as cursor:
        while len(found) < limit:
            cursor.execute(sql, [*asked, list_pk, after, limit])
            rows = sorted(cursor.fetchall())
            found += [Recipient(pk, email, name, bool(copied)) for pk, email, name, copied, wanted in rows if wanted]
            if len(rows) < limit:
                break
            after = rows[-1][0]
    return found[:limit]


def _query(explicit: int, thread: str, digest: DigestReaders | None) -> str:
    true = "true" if connection.vendor == "postgresql" else "1"
    named = marks(explicit) or "''"
    return f"""SELECT m.id, COALESCE(a.original_email, ''), COALESCE(NULLIF(a.display_name, ''), u.display_name, ''),
CASE WHEN a.email IN ({named}) THEN 1 ELSE 0 END,
CASE WHEN a.id IS NOT NULL AND {_wanted(thread, digest)}
AND ({_cascade("receive_own_postings", true)} = {true} OR a.email <> %s)
AND ({_cascade("receive_list_copy", true)} = {true} OR a.email NOT IN ({named}))
AND (m.user_id IS NULL OR NOT EXISTS {_GETS_IT_BY_ADDRESS}) THEN 1 ELSE 0 END
{_FROM}"""


_GETS_IT_BY_ADDRESS = f"""(SELECT 1 FROM subscriptions_member o WHERE o.address_id = a.id
    AND o.mailing_list_id = m.mailing_list_id AND o.role = 'member'
    AND {_cascade("delivery_mode", "'regular'", "o")} = {_cascade("delivery_mode", "'regular'")}
    AND {_cascade("delivery_status", "'enabled'", "o")} = 'enabled')"""  # noqa: S608 — only names of columns are put in
"""Who is on the list as a user and by the preferred address too gets one copy; one who is switched off gets none."""


def has_readers(mailing_list: MailingList, digest: DigestReaders) -> bool:
    """Whether anybody gets such a digest."""
    status = _cascade("delivery_status", "'enabled'")
    sql = f"""SELECT 1 FROM subscriptions_member m
LEFT JOIN people_address a
    ON a.id = COALESCE(m.address_id, (SELECT s.preferred_address_id FROM people_user s WHERE s.id = m.user_id))
LEFT JOIN people_user u ON u.id = a.user_id
WHERE m.mailing_list_id = %s AND m.role = 'member' AND a.id IS NOT NULL
AND {_reads_digests(len(digest.modes))} AND {status} = 'enabled' LIMIT 1"""  # noqa: S608 — names of columns
    with connection.cursor() as cursor:
        cursor.execute(sql, [mailing_list.pk, *_asked_of_digests(digest)])
        return cursor.fetchone() is not None


def own_frequencies(mailing_list: MailingList) -> set[str]:
    """How often members of this list want digests who do not want them as the list sends them; by index alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT digest_frequency FROM subscriptions_member"
            " WHERE mailing_list_id = %s AND digest_frequency IS NOT NULL",
            (mailing_list.pk,),
        )
        return {frequency for (frequency,) in cursor.fetchall()}


def member_of(mailing_list: MailingList, email: str, role: str = "member") -> Member | None:
    """The membership of this address in a role: by address, or by the user whose preferred address it is."""
    rows = Member.objects.filter(mailing_list=mailing_list, role=role).select_related("address", "user")
    return rows.filter(email=identity(email)).first()


def members_by_address(mailing_list: MailingList, emails: Sequence[str]) -> dict[str, Member]:
    """The members among these addresses, by lower-case address; a few queries for any number."""
    wanted = sorted({identity(email) for email in emails})
    rows = selected(Selection(mailing_list=mailing_list.pk, roles=("member",)))
    found: dict[str, Member] = {}
    for start in range(0, len(wanted), _IN_ONE_QUERY):
        for row in rows.filter(email__in=wanted[start : start + _IN_ONE_QUERY]):
            found[row.effective_email] = row
    return found


_IN_ONE_QUERY = 500


def request_by_secret(secret: str, mailing_list: MailingList | None = None) -> Pending | None:
    """What waits under a mailed secret, of this list if one is named; None when it is unknown or too old."""
    rows = Pending.objects.filter(token_hash=hashed(secret.strip().lower()), expires_at__gt=timezone.now())
    return (rows if mailing_list is None else rows.filter(list_id=mailing_list.list_id)).first()


def thread_choice(member: Member, thread: str) -> str:
    """`mute`, `follow`, or empty: what the member wants of a thread."""
    return member.thread_choices.filter(thread=thread).values_list("wish", flat=True).first() or ""


def nonmembers(mailing_list: MailingList, senders: Sequence[str]) -> dict[str, Member]:
    """Which of these addresses are known as nonmembers of the list."""
    rows = Member.objects.filter(
        mailing_list=mailing_list, role=Member.Role.NONMEMBER, address__email__in=list(senders)
    ).select_related("address")
    return {row.address.email: row for row in rows if row.address is not None}


def moderators(mailing_list: MailingList) -> list[str]:
    """Addresses of owners and moderators who take mail."""
    rows = selected(Selection(mailing_list=mailing_list.pk, roles=("owner", "moderator")))
    emails = rows.filter(effective_status="enabled").values_list("effective_email", flat=True)
    return sorted(set(emails))


def shown_members(
    mailing_list: MailingList, limit: int, *, with_hidden: bool, mode: str = "", status: str = ""
) -> list[tuple[str, str]]:
    """Address and name of members, by address; without those who hide unless `with_hidden`.

    `mode` is `digest` or `regular`, `status` is `enabled` or `disabled`.
    """
    rows = selected(Selection(mailing_list=mailing_list.pk, roles=("member",)))
    if mode:
        rows = rows.filter(effective_mode="regular") if mode == "regular" else rows.exclude(effective_mode="regular")
    if status:
        enabled = {"effective_status": "enabled"}
        rows = rows.filter(**enabled) if status == "enabled" else rows.exclude(**enabled)
    if not with_hidden:
        chosen = Coalesce(
            "hide_address", "address__hide_address", "user__preferred_address__hide_address",
            "address__user__hide_address", "user__hide_address", Value(value=False),
        )  # fmt: skip
        rows = rows.annotate(hidden=chosen).filter(hidden=False)
    name = Coalesce("address__display_name", "user__preferred_address__display_name", Value(""))
    given = Coalesce("address__original_email", "user__preferred_address__original_email", Value(""))
    rows = rows.annotate(name=name, given=given).order_by("effective_email")
    return [(email.lower(), called) for email, called in rows.values_list("given", "name")[:limit]]


# --- rosters


@dataclass(frozen=True, slots=True)
class Selection:
    """Which memberships are meant; every field narrows."""

    mailing_list: int | None = None
    list_id: str | None = None
    roles: tuple[str, ...] = ()
    uuid: str | None = None
    """In hexadecimal digits."""
    email: str | None = None
    """Exactly this address, in lower case."""
    user: int | None = None
    subscriber: str | None = None
    moderation_action: str | None = None
    any_action: bool = True
    delivery_mode: str | None = None
    delivery_status: str | None = None
    by_address: bool = False
    """On each list in the order of addresses; else role by role, owners first."""

    def narrowed(self, **more: Any) -> "Selection":
        """The same with further conditions; a given moderation action may be None, which means unset."""
        if "moderation_action" in more:
            more["any_action"] = False
        return replace(self, **more)


def selected(selection: Selection) -> "QuerySet[Any]":
    """The memberships with their effective address, name, mode and status."""
    pick = "address", "user__preferred_address"

    def cascade(name: str, default: str) -> Coalesce:
        levels = [name, *(f"{p}__{name}" for p in pick), *(f"{p}__user__{name}" for p in pick)]
        return Coalesce(*levels, Value(default))

    rows = Member.objects.annotate(
        effective_email=Coalesce("address__email", "user__preferred_address__email"),
        effective_mode=cascade("delivery_mode", "regular"),
        effective_status=cascade("delivery_status", "enabled"),
    )
    conditions: dict[str, Any] = {
        "mailing_list_id": selection.mailing_list, "mailing_list__list_id": selection.list_id, "uuid": selection.uuid,
        "email": selection.email,
        "effective_mode": selection.delivery_mode, "effective_status": selection.delivery_status,
        "role__in": selection.roles or None,
    }  # fmt: skip
    rows = rows.filter(**{key: value for key, value in conditions.items() if value is not None})
    if selection.user is not None:
        rows = rows.filter(Q(user_id=selection.user) | Q(address__user_id=selection.user))
    if not selection.any_action:
        action = selection.moderation_action
        rows = rows.filter(moderation_action__isnull=True) if action is None else rows.filter(moderation_action=action)
    return rows


def lists_of(subscriber: UUID | str, role: str | None) -> list[int]:
    """Keys of the lists an address or user is on; nonmember records count only when they are asked for."""
    if isinstance(subscriber, UUID):
        mine = Q(user__uuid=subscriber) | Q(address__user__uuid=subscriber)
    else:
        mine = Q(email=identity(subscriber))
    rows = Member.objects.filter(mine)
    rows = rows.filter(role=role) if role else rows.exclude(role=Member.Role.NONMEMBER)
    return list(rows.order_by("mailing_list__list_id").values_list("mailing_list_id", flat=True).distinct())


def effective_preferences(member: Member) -> dict[str, object]:
    """What holds for a member: own, else the address's, else the user's, else the site's."""
    address = member.effective_address
    user = member.user or (address.user if address else None)
    levels = [level for level in (member, address, user) if level is not None]
    found: dict[str, object] = {}
    for name in PREFERENCE_NAMES:
        values = [getattr(level, name) for level in levels]
        default = SITE_PREFERENCES.get(name, current().site.language)
        found[name] = next((value for value in values if value is not None), default)
    return found
