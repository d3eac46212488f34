"""Mail that answers mail: lists that are members of each other, machines that answer everything. Each ends by itself."""

import email
import email.policy
import itertools
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.stories.running_site import Site, wait_until
from tests.stories.sink import Mail, Sink, value_of

pytestmark = pytest.mark.timeout(400)
MOST_PASSES = 2
ANTS, BEES = "ants@ants.example", "bees@bees.example"

Reaction = Callable[[str, Mail], None]
"""What the receiver at an address does with a mail."""


class World(Sink):
    """The relay and everybody behind it: mail goes on to the site of its domain, or to whoever sits at its address."""

    def __init__(self) -> None:
        super().__init__()
        self.sites: dict[str, Site] = {}
        self.people: dict[str, Reaction] = {}
        self._handed_on = 0
        self._failure: BaseException | None = None
        self._inbox: queue.SimpleQueue[Mail | None] = queue.SimpleQueue()
        self._hands = threading.Thread(target=self._hand_on, name="world")
        self._hands.start()

    def take(self, mail: Mail) -> None:
        super().take(mail)
        self._inbox.put(mail)

    def _hand_on(self) -> None:
        while (mail := self._inbox.get()) is not None:
            try:
                for recipient in mail.recipients:
                    self._arrive(recipient, mail)
            except Exception as error:  # noqa: BLE001 — told by the test's own thread
                self._failure = error
            self._handed_on += 1

    def _arrive(self, recipient: str, mail: Mail) -> None:
        site = self.sites.get(recipient.partition("@")[2])
        if site is not None:
            site.post(mail.sender, recipient, mail.content)
        elif recipient in self.people:
            self.people[recipient](recipient, mail)

    def close(self) -> None:
        self._inbox.put(None)
        self._hands.join()
        super().close()

    def forget(self) -> None:
        """Begin anew, with the same sites."""
        self.mails.clear()
        self.people.clear()
        self._handed_on = 0

    def settle(self) -> None:
        """Wait until no mail is on its way anywhere."""
        wait_until(self._is_quiet, 200, "the mail did not come to rest")

    def _is_quiet(self) -> bool:
        if self._failure is not None:
            raise self._failure
        before = len(self.mails)
        waiting = any(site.waiting() for site in self.sites.values())
        assert len(self.mails) < 200, "the mail goes round and round"
        return not waiting and self._handed_on == len(self.mails) == before

    def passes(self) -> Counter[str]:
        """How often mail went to each address."""
        return Counter(recipient for mail in self.mails for recipient in mail.recipients)


@pytest.fixture(scope="module")
def whole_world() -> Iterator[World]:
    """A world whose sites are started once, when a test first needs them."""
    made = World()
    yield made
    for site in made.sites.values():
        site.close()
    made.close()


@pytest.fixture
def world(whole_world) -> Iterator[World]:
    """A world where nothing happened yet."""
    yield whole_world
    whole_world.forget()


@pytest.fixture
def open_site(world, tmp_path_factory) -> Iterator[Callable[..., Site]]:
    """A site with one list: `open_site("ants@ants.example", "anne@people.example", …)`."""
    lists = []

    def run(list_: str, *members: str) -> Site:
        domain = list_.partition("@")[2]
        site = world.sites.get(domain)
        if site is None:
            site = world.sites[domain] = Site(tmp_path_factory.mktemp(domain), world.port)
            site.start()
        site.command("list", "add", list_)
        lists.append((site, list_))
        site.command("list", "set", list_, "default_nonmember_action=accept", "require_explicit_destination=false")
        site.command("member", "add", "--no-welcome", list_, given="".join(f"{m}\n" for m in members))
        return site

    yield run
    for site, list_ in lists:
        site.command("list", "remove", "--yes", list_)


NUMBERS = itertools.count()
"""Of Message-IDs, of which no list has seen any."""


def new_id(sender: str) -> str:
    return f"<{sender.partition('@')[0]}{next(NUMBERS)}@people.example>"


def post(site: Site, list_: str, sender: str = "anne@people.example", **fields: str) -> None:
    given = {"From": sender, "To": list_, "Subject": "hello", "Message-ID": new_id(sender), **fields}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    site.post(sender, list_, head.encode() + b"\r\nhello\r\n")


def answer(site: Site, to: Callable[[Mail], str], **fields: str) -> Reaction:
    """A program at somebody's address that answers every mail it gets, without keeping count of whom it answered."""

    def react(me: str, mail: Mail) -> None:
        where = to(mail)
        if where:
            answered = value_of(mail.content, b"Message-ID").decode()
            post(site, where, me, Subject="I am away", In_Reply_To=answered, **fields)

    return react


def reply_address(mail: Mail) -> str:
    """Where a person's answer would go."""
    parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
    field = parsed["reply-to"] or parsed["from"]
    return field.addresses[0].addr_spec if field and field.addresses else ""


def test_two_sites_whose_lists_are_members_of_each_other(world, open_site):
    """Each post reaches the readers of both lists once."""
    ants = open_site(ANTS, "anne@people.example", BEES)
    open_site(BEES, "bart@people.example", ANTS)
    post(ants, ANTS)
    world.settle()
    passes = world.passes()
    assert passes["anne@people.example"] == passes["bart@people.example"] == 1
    assert passes[ANTS] <= MOST_PASSES
    assert passes[BEES] <= MOST_PASSES


def test_a_list_that_is_a_member_of_itself_by_another_address(world, open_site):
    """Somebody subscribed an address that forwards to the list."""
    ants = open_site(ANTS, "anne@people.example", "forward@people.example")
    world.people["forward@people.example"] = lambda me, mail: ants.post(mail.sender, ANTS, mail.content)
    post(ants, ANTS)
    world.settle()
    assert world.passes()["anne@people.example"] == 1


def test_a_forwarder_that_drops_the_list_s_fields(world, open_site):
    """It keeps what the author wrote, as gateways do, and loses everything the list added."""
    ants = open_site(ANTS, "anne@people.example", "forward@people.example")

    def forward(me: str, mail: Mail) -> None:
        kept = (b"from:", b"to:", b"subject:", b"message-id:")
        head, _, body = mail.content.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if line.lower().startswith(kept)]
        ants.post("anne@people.example", ANTS, b"\r\n".join(lines) + b"\r\n\r\n" + body)

    world.people["forward@people.example"] = forward
    post(ants, ANTS)
    world.settle()
    assert world.passes()["anne@people.example"] <= MOST_PASSES


@pytest.mark.parametrize(
    ("to", "fields"),
    [
        (lambda mail: mail.sender, {"Auto_Submitted": "auto-replied"}),
        (reply_address, {"Auto_Submitted": "auto-replied"}),
        (reply_address, {"X_Autoreply": "yes"}),
        (reply_address, {"Precedence": "auto_reply"}),
        (lambda mail: ANTS, {"Auto_Submitted": "auto-replied"}),
    ],
    ids=["to the return path", "to the list", "to the list, an old mark", "to the list, another old mark", "always"],
)
def test_two_vacation_responders_on_a_list_whose_answers_go_to_the_list(world, open_site, to, fields):
    ants = open_site(ANTS, "anne@people.example", "away@people.example", "gone@people.example")
    ants.command("list", "set", ANTS, "reply_goes_to_list=point_to_list")
    for person in ("away@people.example", "gone@people.example"):
        world.people[person] = answer(ants, to, **fields)
    post(ants, ANTS)
    world.settle()
    assert world.passes()["anne@people.example"] <= MOST_PASSES


def test_a_vacation_responder_confirms_nothing_and_is_not_answered(world, open_site):
    """A question to an address is answered by a machine: that is no yes, and the machine gets no further mail."""
    ants = open_site(ANTS, "anne@people.example")
    world.people["away@people.example"] = answer(ants, reply_address, Auto_Submitted="auto-replied")
    ants.post("away@people.example", "ants-join@ants.example", b"From: away@people.example\r\nSubject: join\r\n\r\n")
    world.settle()
    assert world.passes()["away@people.example"] <= MOST_PASSES
    assert "away@people.example" not in ants.command("member", "show", ANTS)
