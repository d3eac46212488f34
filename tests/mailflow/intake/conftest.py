"""A client without a socket: feeds a session octets and answers its questions."""

import pytest

from postroad.mailflow.intake.events import MessageReceived, RecipientAsked, Reply
from postroad.mailflow.intake.limits import Limits
from postroad.mailflow.intake.protocol import Session

SMALL = Limits(line=1000, data_line=2000, size=10_000, recipients=5, errors=5)


class Conversation:
    """What a server with the list `ant@example.com` answers, and the mails it got."""

    def __init__(self, mode="lmtp", limits=SMALL, **more):
        self.session = Session(limits, mode, "mx.example.com", **more)
        self.mails = []
        self.events = []
        self.answers = {}
        self.output = self.session.outgoing()

    def feed(self, data):
        """Send octets; everything the server said to them."""
        self._serve(self.session.receive(data))
        said, self.output = self.session.outgoing(), b""
        return said

    def say(self, *lines):
        """Send commands; the codes of the replies."""
        return codes(self.feed(b"".join(line.encode() + b"\r\n" for line in lines)))

    def _serve(self, events):
        while events:
            self.events += events
            question = events[-1]
            if isinstance(question, RecipientAsked):
                known = question.address.lower().startswith("ant")
                events = self.session.answer_recipient(None if known else Reply(550, "5.1.1", "No such list here"))
            elif isinstance(question, MessageReceived):
                self.mails.append(question.transaction)
                replies = [self.answers.get(r, Reply(250, "2.0.0", "OK")) for r in question.transaction.recipients]
                events = self.session.answer_message(replies)
            else:
                break


def codes(said):
    """The codes of all replies, those of many lines once."""
    return [int(line[:3]) for line in said.decode().split("\r\n") if line[3:4] == " "]


@pytest.fixture
def lmtp():
    """A conversation after LHLO."""
    conversation = Conversation()
    assert conversation.say("LHLO client.example") == [250]
    return conversation
