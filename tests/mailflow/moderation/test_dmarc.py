"""Posts of domains that let nobody change their mail: marked, refused, dropped, or held when DNS is silent."""

import pytest

from postroad.community.lists import actions as lists
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.foundation.queue.worker import Stage, Worker
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation.engine import judge
from postroad.mailflow.moderation.worker import come_back, look_up, work

from .conftest import mail, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged_and_marked(ant, anne, name_server):
    def run(action, **config):
        lists.change_settings(ant, {"dmarc_mitigate_action": action, **config})
        made = post(ant, mail())
        verdict = judge(made)
        return verdict.action, made.dmarc

    return run


@pytest.fixture
def strict(name_server):
    name_server.zone["_dmarc.example.org"] = {"TXT": ["v=DMARC1; p=reject"]}


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ("munge_from", ("accept", True)),
        ("wrap_message", ("accept", True)),
        ("reject", ("reject", True)),
        ("discard", ("discard", True)),
        ("no_mitigation", ("accept", False)),
    ],
)
def test_what_happens_to_the_post_of_a_strict_domain(judged_and_marked, strict, action, outcome):
    assert judged_and_marked(action) == outcome


@pytest.mark.parametrize("action", ["munge_from", "reject"])
def test_a_domain_that_asks_for_nothing_is_left_alone(judged_and_marked, action):
    assert judged_and_marked(action) == ("accept", False)


def test_named_authors_are_always_mitigated(judged_and_marked):
    assert judged_and_marked("munge_from", dmarc_addresses=["ANNE@example.org"]) == ("accept", True)
    assert judged_and_marked("munge_from", dmarc_addresses=["^.*@example"]) == ("accept", True)
    assert judged_and_marked("munge_from", dmarc_addresses=["bart@example.org"]) == ("accept", False)


def test_when_dns_is_silent_the_post_is_munged_or_held_but_never_refused(judged_and_marked, name_server):
    name_server.zone["_dmarc.example.org"] = name_server.SILENT
    assert judged_and_marked("munge_from") == ("accept", True)
    assert judged_and_marked("reject") == ("hold", True)
    assert judged_and_marked("discard") == ("hold", True)


def test_the_lists_own_words_are_the_reason(ant, anne, strict, judged):
    config = {"dmarc_mitigate_action": "reject", "dmarc_moderation_notice": "Use another address."}
    assert judged(mail(), config).reasons == ("Use another address.",)
    assert "ant-owner@example.com" in judged(mail(), {"dmarc_moderation_notice": ""}).reasons[0]


def test_a_list_that_mitigates_nothing_asks_nobody(judged_and_marked, name_server):
    judged_and_marked("no_mitigation")
    assert name_server.asked == []


@pytest.mark.django_db(transaction=True)
def test_a_post_that_needs_dns_is_looked_up_outside_of_the_transaction(ant, anne, strict, name_server):
    lists.change_settings(ant, {"dmarc_mitigate_action": "munge_from"})
    raw = mail()
    queue.put("moderation", post(ant, raw, message=storage.store(raw)).envelope)
    worker = Worker("test", (Stage("moderation", work),))
    lookups = Worker("test", (Stage("lookups", come_back, batch=1, outside=look_up),))
    assert worker.run_once() == 1
    assert name_server.asked == []
    assert [job.queue for job in Job.objects.all()] == ["lookups"]
    assert lookups.run_once() == 1
    asked = len(name_server.asked)
    assert asked
    assert worker.run_once() == 1
    assert len(name_server.asked) == asked
    (job,) = Job.objects.all()
    assert job.queue == "pipeline"
    assert decode(job.envelope).dmarc


def test_what_is_mitigated_anyway_asks_nobody(judged_and_marked, name_server):
    judged_and_marked("munge_from", dmarc_mitigate_unconditionally=True)
    assert name_server.asked == []
