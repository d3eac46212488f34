"""What authentication said when a post came in travels with it to be sealed (RFC 8617 §4.1.1)."""

import base64
import dataclasses
import hashlib

import pytest

from postroad.foundation.authentication.canonical import simple_body
from postroad.foundation.queue import actions as queue
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.foundation.queue.worker import Stage, Worker
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation.worker import come_back, look_up, work

from .conftest import PLAIN, mail, post

pytestmark = pytest.mark.django_db(transaction=True)

SIGNED = mail(dkim_signature="v=1; a=rsa-sha256; d=example.org; s=s; h=from; bh=x; b=x")


@pytest.fixture
def accepted(ant, anne, settings, name_server):
    """The envelope with which a post leaves moderation."""

    def run(raw, arc=True):
        settings.POSTROAD = dataclasses.replace(
            settings.POSTROAD, dkim=dataclasses.replace(settings.POSTROAD.dkim, arc=arc)
        )
        queue.put("moderation", post(ant, raw, message=storage.store(raw)).envelope)
        Worker(
            "test", (Stage("lookups", come_back, batch=1, outside=look_up), Stage("moderation", work))
        ).run_until_idle()
        envelope = decode(Job.objects.get(queue="pipeline").envelope)
        return envelope.arc_status, envelope.arc_results

    return run


def test_a_site_that_does_not_seal_asks_nobody(accepted, name_server):
    assert accepted(SIGNED, arc=False) == ("", "")
    assert name_server.asked == []


def test_signatures_are_checked_and_the_chain_too(accepted, name_server):
    assert accepted(SIGNED) == ("none", "dkim=fail header.d=example.org")


def test_a_broken_chain_is_known(accepted):
    assert accepted(mail(arc_seal="i=1; cv=none; b=x"))[0] == "fail"


def test_when_dns_is_away_nothing_is_claimed(accepted, name_server):
    name_server.zone["s._domainkey.example.org"] = name_server.SILENT
    # The body hash fits, so that the key is asked for.
    body_hash = base64.b64encode(hashlib.sha256(simple_body(PLAIN)).digest()).decode()
    raw = mail(dkim_signature=f"v=1; a=rsa-sha256; d=example.org; s=s; h=from; bh={body_hash}; b=eHg=")
    assert accepted(raw) == ("", "")
