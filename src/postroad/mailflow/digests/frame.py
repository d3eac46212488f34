"""What is around the posts of a digest, whatever its format: title, header fields, masthead, topics, footer."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from types import MappingProxyType

from postroad.community.lists import settings as lists
from postroad.community.lists.models import MailingList
from postroad.community.notices.templates import expand, language_of, standard_values, text
from postroad.foundation.message.encoded_words import encode_words
from postroad.foundation.message.headers import fold
from postroad.foundation.message.message_id import new_message_id
from postroad.mailflow.digests import words
from postroad.mailflow.digests.items import Item
from postroad.mailflow.digests.models import Issue
from postroad.mailflow.digests.words import say

_RHYTHMS: Mapping[str, str] = MappingProxyType({"": "", "daily": "Daily ", "weekly": "Weekly ", "monthly": "Monthly "})
TEXTS = ("list:member:digest:masthead", "list:member:digest:header", "list:member:digest:footer")
"""What a list may say in its own words."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The texts around an issue's posts, filled."""

    mailing_list: MailingList
    language: str
    title: str
    """Also the subject. Always in these words: programs, our own rule among them, know a digest by it."""
    masthead: str
    header: str
    footer: str
    items: Sequence[Item] = field(repr=False)

    @classmethod
    def of(cls, issue: Issue, items: Sequence[Item]) -> "Frame":
        """The frame of an issue with these posts."""
        mailing_list = issue.mailing_list
        values = {
            **standard_values(mailing_list),
            "got_list_email": mailing_list.fqdn_listname, "got_request_email": mailing_list.address("request"),
            "got_owner_email": mailing_list.address("owner"),
        }  # fmt: skip

        def filled(name: str) -> str:
            return expand(text(name, mailing_list), values).replace("\r\n", "\n").strip("\n")

        name = lists.display_name.of(mailing_list)
        title = f"{name} {_RHYTHMS[issue.frequency]}Digest, Vol {issue.volume}, Issue {issue.number}"
        masthead, header, footer = map(filled, TEXTS)
        return cls(mailing_list, language_of(mailing_list), title, masthead, header, footer, items)

    def say(self, text: str, **values: object) -> str:
        """One of the fixed words in the list's language."""
        return say(text, self.language, **values)

    @property
    def topics(self) -> str:
        """The table of contents: number, subject, author, and what is wrong with a post if something is."""
        lines = [self.say(words.TOPICS), ""]
        for item in self.items:
            mark = f"{item.number:4}. "
            lines += textwrap.wrap(
                f"{item.subject} ({item.author})" if item.author else item.subject, 74, initial_indent=mark,
                subsequent_indent=" " * len(mark), break_on_hyphens=False,
            )  # fmt: skip
            lines += [" " * len(mark) + f"[{item.problem}]"] if item.problem else []
        return "\n".join(lines)

    def remarks(self, item: Item) -> list[str]:
        """What stands below a post's text: what is wrong, what is attached, and where all of it is."""
        remarks = [*([item.problem] if item.problem else []), *item.notes]
        if remarks and item.permalink:
            remarks.append(self.say(words.ARCHIVED, url=item.permalink))
        return remarks

    def fields(self) -> tuple[str, bytes]:
        """A fresh Message-ID, and the digest's header without the fields of its content."""
        posting = self.mailing_list.fqdn_listname
        message_id = new_message_id(self.mailing_list.mail_host)
        values = {
            "From": self.mailing_list.address("request"), "To": posting, "Reply-To": posting,
            "Subject": encode_words(self.title), "Date": formatdate(), "Message-ID": f"<{message_id}>",
            "Auto-Submitted": "auto-generated", "MIME-Version": "1.0",
        }  # fmt: skip
        return message_id, b"".join(fold(name, value) for name, value in values.items())
