"""A post through the whole road, in a throw-away list, up to the bytes a relay would be given; all undone after."""

from collections import deque

from django.db import transaction

from postroad.community.lists.actions import create_domain, create_list
from postroad.community.subscriptions.actions import join
from postroad.foundation.errors import PostroadError
from postroad.foundation.message.compose import compose
from postroad.foundation.queue.actions import Claimed
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.archive.search import index
from postroad.mailflow.archive.search.query import parse
from postroad.mailflow.delivery import actions as delivery
from postroad.mailflow.delivery.copies import Source, personal
from postroad.mailflow.delivery.cutting import begin
from postroad.mailflow.delivery.relay import EVERYTHING
from postroad.mailflow.intake.actions import ACCEPTED, accept
from postroad.mailflow.intake.events import Transaction
from postroad.mailflow.timetable import STAGES

HOST = "self-test.postroad.invalid"
AUTHOR = f"author@{HOST}"
READER = f"reader@{HOST}"
LIST = f"road@{HOST}"
WORD = "zebrafinchroadtest"


class SelfTestFailed(PostroadError):
    """A stage of the road did not do its part; the text says which."""


def run() -> None:
    """Post, judge, prepare, archive, search, splice; in a savepoint that is always rolled back.

    Raises:
        SelfTestFailed: a stage did not do its part.
    """
    with transaction.atomic():
        _walk()
        transaction.set_rollback(True)


def _walk() -> None:
    create_domain(HOST)
    made = create_list(LIST)
    for address in (AUTHOR, READER):
        join(made, address, pre_verified=True, pre_confirmed=True, pre_approved=True, send_welcome_message=False)
    post = compose(
        from_=AUTHOR, to=LIST, subject="Self-test", text=f"{WORD}\n", headers={}, message_id=f"self-test@{HOST}"
    )
    _expect(accept([Transaction(AUTHOR, (LIST,), post)]) == [[ACCEPTED]], "intake took the post")
    stages = {stage.queue: stage for stage in STAGES}
    copies = 0
    while job := Job.objects.filter(list_id=made.list_id).order_by("id").first():
        claimed = Claimed(job.pk, job.claim, job.queue, decode(bytes(job.envelope)), 1, job.created_at)
        if job.queue == "delivery":
            copies += _deliver(claimed)
            continue
        stages[job.queue].do([claimed.envelope])
        job.delete()
    _expect(copies == 2, f"delivery made a copy for each of the two members (it made {copies})")
    mail = Mail.objects.filter(mailing_list=made).first()
    _expect(mail is not None, "the archive has the post")
    assert mail is not None
    found = index.search(parse(WORD), [made.pk], 0, 5).mails
    _expect(found == [mail.pk], "the search finds the post")


def _deliver(job: Claimed) -> int:
    """Do a job of delivery up to the relay, which is said to have taken every copy; how many copies."""
    if not job.envelope.chunk:
        failed = begin(deque([job])).failed
        _expect(not failed, f"delivery cuts the recipients into chunks ({failed})")
        return 0
    work, template = delivery.load_works([job])[job.id]
    source = Source.load(work.envelope, template)
    count = 0
    for copy in personal(source, list(enumerate(work.recipients)), 0):
        _expect(WORD.encode() in copy.content(EVERYTHING), "a copy holds the text of the post")
        work.results.set(count, "250 2.0.0 taken by the self-test")
        count += 1
    delivery.finish([work])
    return count


def _expect(fact: bool, sentence: str) -> None:
    if not fact:
        raise SelfTestFailed(f"self-test failed; expected: {sentence}")
