"""Every call of REST leaves a line: changes at once, reading and refusals together."""

import pytest
from rest_client import Rest

from postroad.foundation.rest import audit
from postroad.foundation.rest.models import Call

pytestmark = pytest.mark.django_db(transaction=True)


def lines():
    return sorted(Call.objects.values_list("method", "path", "status", "times"))


def test_a_change_is_written_with_it_and_reading_when_gathered():
    audit.flush()
    Call.objects.all().delete()
    rest = Rest()
    assert rest.post("domains", mail_host="example.com").status == 201
    assert [line[:3] for line in lines()] == [("POST", "/3.1/domains", 201)]
    rest.get("domains/example.com")
    rest.get("domains/example.com")
    audit.flush()
    assert ("GET", "/3.1/domains/example.com", 200, 2) in lines()


def test_the_writer_writes_what_waits_when_it_is_stopped():
    audit.flush()
    Call.objects.all().delete()
    writer = audit.Writer()
    writer.start()
    Rest().get("domains")
    writer.stop()
    audit.flush()
    assert [line[:3] for line in lines()] == [("GET", "/3.1/domains", 200)]
