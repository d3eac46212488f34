"""The verbs of the gateway: hand a post to the news server, fetch what is new in its groups."""

import logging
import time

from django.db import transaction

from postroad.community.lists import actions as lists
from postroad.community.lists.models import MailingList
from postroad.foundation.configuration import current
from postroad.foundation.errors import Rejected, TryLater
from postroad.foundation.message.headers import Headers
from postroad.foundation.message.message_id import message_id_of, new_message_id
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import Envelope
from postroad.foundation.storage import actions as storage
from postroad.mailflow.usenet import settings
from postroad.mailflow.usenet.articles import article_of, is_ours, post_of
from postroad.mailflow.usenet.nntp import NewsAway, NewsRefused, NewsServer

log = logging.getLogger("postroad.usenet")

ARTICLES_AT_ONCE = 500
"""Articles fetched from one group in one round, so that no group holds the others up."""


def send_to_news(mailing_list: MailingList, raw: bytes, message_id: str) -> str:
    """Hand a post to the news server; what became of it.

    Raises:
        TryLater: the server is away.
        Rejected: the server does not take this article.
    """
    if not current().nntp.host:
        raise Rejected("There is no news server: set host in [nntp] of postroad.toml, then retry.")
    try:
        with NewsServer(current().nntp) as server:
            server.post(article_of(mailing_list, raw, message_id))
    except NewsAway as error:
        raise TryLater(f"The news server is away: {error}") from error
    except NewsRefused as error:
        # 441 is all RFC 3977 has; that the article is there already is told by its text alone.
        if error.code in (435, 437) or "duplicate" in str(error).lower() or "already" in str(error).lower():
            return f"there already: {error}"
        raise Rejected(f"The news server refused it: {error}") from error
    return f"posted to {settings.linked_newsgroup.of(mailing_list)}"


def fetch_news() -> None:
    """Fetch new articles for every list that wants them; one group's trouble does not stop the others."""
    if not current().nntp.host:
        return
    wanted = [
        row for row in MailingList.objects.select_related("domain").order_by("pk")
        if settings.gateway_to_mail.of(row) and settings.linked_newsgroup.of(row)
    ]  # fmt: skip
    if not wanted:
        return
    try:
        with NewsServer(current().nntp) as server:
            for mailing_list in wanted:
                try:
                    _fetch(server, mailing_list)
                except NewsRefused as error:
                    log.warning("list=%s group=%s: %s", mailing_list.list_id, _group(mailing_list), error)
    except (NewsAway, NewsRefused) as error:
        log.error("news not fetched: %s", error)


def _group(mailing_list: MailingList) -> str:
    return settings.linked_newsgroup.of(mailing_list)


def _fetch(server: NewsServer, mailing_list: MailingList) -> None:
    """Take the articles behind the watermark; a list that was joined just now starts at the group's end."""
    group = server.group(_group(mailing_list))
    if mailing_list.usenet_watermark is None:
        lists.set_usenet_watermark(mailing_list, group.last)
        return
    start = max(group.first, mailing_list.usenet_watermark + 1)
    for number in range(start, min(group.last, start + ARTICLES_AT_ONCE - 1) + 1):
        article = server.article(number)
        with transaction.atomic():
            if article is not None and not is_ours(mailing_list, article):
                _accept(mailing_list, post_of(mailing_list, article))
            lists.set_usenet_watermark(mailing_list, number)


def _accept(mailing_list: MailingList, raw: bytes) -> None:
    """Queue the article like a post that came by mail."""
    message_id = message_id_of(Headers.parse(raw)) or new_message_id(mailing_list.mail_host)
    envelope = Envelope(
        journey=queue.new_journey(), message=storage.store(raw), message_id=message_id, received_at=time.time(),
        size=len(raw), list_id=mailing_list.list_id, recipient=mailing_list.fqdn_listname, from_usenet=True,
    )  # fmt: skip
    queue.put("moderation", envelope)
    queue.record(envelope, "usenet", "fetched", f"from {_group(mailing_list)}")
