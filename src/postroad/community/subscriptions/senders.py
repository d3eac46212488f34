"""Who wrote a post: asked for every mail, so in plain SQL that goes by indexes alone, however long the list is."""

from collections.abc import Sequence

from django.db import connection

from postroad.community.lists.models import MailingList
from postroad.community.subscriptions.models import Member
from postroad.foundation.rows import by_key, marks

# CROSS JOIN is a plain one, but SQLite takes its tables in the order they stand in. Without statistics it would begin
# at the list and walk over everybody on it: 190 ms a post, twice, on a list of a million.
_MEMBERS = """
WITH given AS (SELECT id, email, user_id FROM people_address WHERE email IN ({marks}))
SELECT m.id, g.email FROM given g CROSS JOIN subscriptions_member m
    WHERE m.mailing_list_id = %s AND m.role = 'member' AND m.address_id = g.id
UNION SELECT m.id, g.email FROM given g CROSS JOIN subscriptions_member m
    WHERE m.mailing_list_id = %s AND m.role = 'member' AND m.user_id = g.user_id
UNION SELECT m.id, g.email FROM given g CROSS JOIN people_address o CROSS JOIN subscriptions_member m
    WHERE o.user_id = g.user_id AND m.mailing_list_id = %s AND m.role = 'member' AND m.address_id = o.id
"""

_ACKNOWLEDGE = """
SELECT COALESCE(m.acknowledge_posts, a.acknowledge_posts, u.acknowledge_posts)
    FROM people_address a CROSS JOIN subscriptions_member m LEFT JOIN people_user u ON u.id = a.user_id
    WHERE a.email = %s AND m.mailing_list_id = %s AND m.role = 'member' AND m.address_id = a.id
UNION ALL SELECT COALESCE(m.acknowledge_posts, a.acknowledge_posts, u.acknowledge_posts)
    FROM people_address a CROSS JOIN people_user u CROSS JOIN subscriptions_member m
    WHERE a.email = %s AND u.preferred_address_id = a.id
    AND m.mailing_list_id = %s AND m.role = 'member' AND m.user_id = u.id
"""


def sender_member(mailing_list: MailingList, senders: Sequence[str]) -> tuple[Member, str] | None:
    """The member among a mail's senders (lower-case), by address or by any address of the same user, and that sender.

    The first sender who is one counts.
    """
    if not senders:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS.format(marks=marks(len(senders))), [*senders, *[mailing_list.pk] * 3])
        rows = cursor.fetchall()
    if not rows:
        return None
    pk, email = min(rows, key=lambda row: (senders.index(row[1]), row[0]))
    return by_key(Member, [pk])[pk], email


def wants_acknowledgement(mailing_list: MailingList, author: str) -> bool:
    """Whether the member with this address wants to be told of own posts; the preferences cascade."""
    with connection.cursor() as cursor:
        cursor.execute(_ACKNOWLEDGE, [author, mailing_list.pk] * 2)
        row = cursor.fetchone()
    return bool(row and row[0])
