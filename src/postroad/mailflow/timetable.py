"""The whole road on one page: which queue, who works on it, and where mail goes next.

    intake ──► moderation ──► pipeline ──┬──► archive
       │                                 ├──► digests ──► issues ──► pipeline
       ├──► bounces                      ├──► usenet, archivers of others
       └──► mail_commands                └──► delivery ──► SMTP

Notices enter at `pipeline`. `intake` and `delivery` speak to the network and run loops of their own.
"""

from postroad.community.access.actions import forget_old_tokens
from postroad.community.notices import limits
from postroad.community.notices.worker import look as fetch_texts
from postroad.community.notices.worker import work as send_postponed
from postroad.community.subscriptions import actions as subscriptions
from postroad.community.subscriptions import consent, requests
from postroad.foundation.configuration import current
from postroad.foundation.queue.schedule import DAY, Task
from postroad.foundation.queue.worker import Stage
from postroad.foundation.rest.audit import forget_old_calls
from postroad.foundation.storage.orphans import adopt_and_collect
from postroad.foundation.webhooks.actions import forget_old_deliveries
from postroad.foundation.webhooks.worker import tell
from postroad.foundation.webhooks.worker import work as note_told
from postroad.mailflow.archive.worker import work as archive
from postroad.mailflow.archivers.worker import hand_over
from postroad.mailflow.archivers.worker import work as note_handed_over
from postroad.mailflow.bounces import actions as bounces
from postroad.mailflow.bounces.worker import work as judge_bounce
from postroad.mailflow.digests.actions import send_due as send_digests
from postroad.mailflow.digests.worker import build as build_digest
from postroad.mailflow.digests.worker import collect
from postroad.mailflow.digests.worker import send as send_digest
from postroad.mailflow.mail_commands.worker import work as obey
from postroad.mailflow.moderation.actions import discard_expired
from postroad.mailflow.moderation.worker import come_back, look_up
from postroad.mailflow.moderation.worker import work as moderate
from postroad.mailflow.pipeline.worker import work as make_ready
from postroad.mailflow.usenet import actions as usenet
from postroad.mailflow.usenet.worker import post as post_to_news
from postroad.mailflow.usenet.worker import work as note_posted

STAGES = (
    #     queue            worker         shares a commit with at most so many
    Stage("moderation", moderate, batch=25),  # ► pipeline, or held, refused, discarded; ► lookups and back
    Stage("pipeline", make_ready, batch=25),  # ► delivery, archive, archivers, digests, usenet
    Stage("archive", archive, batch=50, together=10),
    Stage("mail_commands", obey, batch=10),  # ► notices in pipeline
    Stage("bounces", judge_bounce, batch=50),
    Stage("digests", collect, batch=25, reads=False),  # ► issues, when one is full
)

GATEWAYS = (
    # They wait for servers and programs of others, so they have a thread of their own.
    Stage("usenet", note_posted, batch=1, outside=post_to_news),
    Stage("archivers", note_handed_over, batch=1, outside=hand_over),  # ► delivery, where an archiver takes mail
)

FETCHES = (
    # They wait for web servers, and notices wait for them.
    Stage("templates", send_postponed, batch=1, outside=fetch_texts),
)

HOOKS = (
    # They wait for programs of others.
    Stage("webhooks", note_told, batch=1, outside=tell),
)

LOOKUPS = (
    # They wait for name servers, and posts wait for them.
    Stage("lookups", come_back, batch=1, outside=look_up),
)

ISSUES = (
    # A digest of hundreds of posts takes seconds, and mail that is due at once must not wait for it.
    Stage("issues", send_digest, batch=1, outside=build_digest),  # ► pipeline
)

TASKS = (
    #    name                 what is done              housekeeping, unless its own round is named
    Task("judge bounces", bounces.judge_events),
    Task("remind bouncing members", bounces.remind_and_remove),
    Task("forget old bounces", bounces.forget_old),
    Task("forget expired requests", requests.forget_expired),
    Task("end vacations", subscriptions.end_vacations),
    Task("forget old consent", consent.forget_old),
    Task("forget old tokens", forget_old_tokens),
    Task("forget old answers", limits.forget_old),
    Task("discard expired held posts", discard_expired),
    Task("forget old calls", forget_old_calls),
    Task("forget old deliveries of webhooks", forget_old_deliveries),
    Task("send digests", send_digests, every=DAY, at=12 * 3600.0),
    Task("forget contents nobody needs", adopt_and_collect, every=86_400.0),
    Task("fetch news", usenet.fetch_news, every=current().nntp.fetch_every),
)
"""What is done at its time rather than for a mail; each runs once, whatever the number of hosts."""

QUEUES = (*(stage.queue for stage in (*STAGES, *GATEWAYS, *LOOKUPS, *FETCHES, *HOOKS, *ISSUES)), "delivery")
