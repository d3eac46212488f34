"""What a list's digest holds just now, and the posts of an issue."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone

from postroad.community.lists.models import MailingList
from postroad.mailflow.digests.models import Edition, Issue, Post
from postroad.mailflow.digests.numbering import upcoming
from postroad.mailflow.digests.settings import digest_volume_frequency


@dataclass(frozen=True, slots=True)
class Waiting:
    """The state of the digest that is collected."""

    volume: int
    number: int
    posts: int
    size: int
    """Octets."""


def waiting(mailing_list: MailingList) -> Waiting:
    """What the list's own digest holds, and which one it would be if it were sent now."""
    volume, number = next_issue(mailing_list)
    row = Edition.objects.filter(mailing_list=mailing_list, frequency="").values_list("posts", "size").first()
    return Waiting(volume, number, *(row or (0, 0)))


def next_issue(mailing_list: MailingList) -> tuple[int, int]:
    """Volume and number of the list's own digest if it were sent now."""
    return upcoming(
        mailing_list.volume, mailing_list.next_digest_number, digest_volume_frequency.of(mailing_list),
        mailing_list.digest_last_sent_at, timezone.now(),
    )  # fmt: skip


def posts_of(issue: Issue) -> Iterator[Post]:
    """The posts of an issue, in order."""
    rows = Post.objects.filter(mailing_list_id=issue.mailing_list_id, id__gte=issue.first_post, id__lte=issue.last_post)
    return rows.order_by("id").iterator(100)
