"""Programs written with mailmanclient work unchanged against the real listener."""

import http.client

import pytest
from mailmanclient import Client
from rest_client import FORM, Rest


@pytest.fixture
def client(rest_server) -> Client:
    return Client(f"http://{rest_server.rest.listen}/3.1", rest_server.rest.user, rest_server.rest.password)


def test_what_a_client_makes_it_reads_back(client):
    """Domain, list, members, settings and users made through mailmanclient are there when asked for again."""
    domain = client.create_domain("example.com", description="An example")
    mailing_list = domain.create_list("dogs")
    made = mailing_list.subscribe(
        "Anna@example.org", display_name="Anna", pre_verified=True, pre_confirmed=True, pre_approved=True
    )
    mailing_list.settings["description"] = "About dogs"
    mailing_list.settings.save()

    assert [d.mail_host for d in client.domains] == ["example.com"]
    assert [found.fqdn_listname for found in client.get_domain("example.com").lists] == ["dogs@example.com"]
    found = client.get_list("dogs.example.com")
    assert found.settings["description"] == "About dogs"
    assert [member.email for member in found.members] == ["anna@example.org"]
    assert client.get_member("dogs.example.com", "anna@example.org").member_id == made.member_id
    assert client.get_list_page(count=1, page=1).total_size == 1


def test_a_member_can_be_changed_and_ended(client):
    """Delivery mode, preferences and the end of a membership go through."""
    mailing_list = client.create_domain("example.com").create_list("dogs")
    member = mailing_list.subscribe("bill@example.org", pre_verified=True, pre_confirmed=True, pre_approved=True)
    member.preferences["receive_own_postings"] = False
    member.preferences.save()
    member.moderation_action = "hold"
    member.save()
    again = mailing_list.get_member("bill@example.org")
    assert again.preferences["receive_own_postings"] is False
    assert again.moderation_action == "hold"
    mailing_list.unsubscribe("bill@example.org")
    with pytest.raises(ValueError, match="not a member"):
        mailing_list.get_member("bill@example.org")


def test_a_body_in_pieces_is_read_and_one_that_is_too_long_refused(rest_server, settings):
    """Programs that stream send no length (RFC 9112 §7.1); either way there is an end, and it is no fault of ours."""
    headers = {"Authorization": Rest().authorization(), "Content-Type": FORM}

    def post(body: object, **more: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*str(rest_server.rest.listen).rsplit(":", 1), timeout=20)
        chunked = not isinstance(body, bytes)
        connection.request("POST", "/3.1/domains", body, {**headers, **more}, encode_chunked=chunked)
        reply = connection.getresponse()
        return reply.status, reply.read()

    assert post(iter([b"mail_host=", b"example.com"]), **{"Transfer-Encoding": "chunked"})[0] == 201
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    long = b"mail_host=" + b"x" * 200
    for status, told in (post(long), post(iter([long]), **{"Transfer-Encoding": "chunked"})):
        assert (status, b"at most" in told) == (413, True)
