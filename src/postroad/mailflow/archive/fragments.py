"""The pieces of pages that come by the dozen, mails, conversations and what a search found, written without a template.

Django's templates take half a millisecond for a mail and a page has fifty of them (bench/bench_pages.py). Whatever
comes from a mail is escaped here or was cleaned in `render.py`.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from urllib.parse import quote

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.defaultfilters import filesizeformat
from django.utils.dates import MONTHS_3
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_  # noqa: N812 — the name every extractor of messages knows

from postroad.community.lists.models import MailingList
from postroad.mailflow.archive import addresses
from postroad.mailflow.archive.models import Mail, Thread
from postroad.mailflow.archive.posts import Person, Post, author, person
from postroad.mailflow.archive.reading import subject_of_thread

_WORDS = (
    N_("answers"), N_("Attachments"), N_("Delete"), N_("Dislike"), N_("dislikes"), N_("Like"), N_("likes"), N_("mails"),
    N_("new"), N_("Raw"), N_("Reply"),
)  # fmt: skip
"""Looked up once for each language."""


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation on a page with many."""

    thread: Thread
    is_unread: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A mail that a search found."""

    mail: Mail
    list_id: str
    snippet: SafeString


class Writer:
    """Writes the pieces of one page: for one list, one reader and one language."""

    def __init__(self, request: HttpRequest, mailing_list: MailingList, *, may_moderate: bool = False) -> None:
        self._here = addresses.of_list(mailing_list.list_id)
        self._address = mailing_list.fqdn_listname
        self._may_moderate = may_moderate
        self._token = get_token(request) if request.user.is_authenticated else ""
        self._words, self._months = _words(get_language())

    # --- conversations

    def rows(self, rows: Iterable[Row]) -> SafeString:
        """Conversations, one below the other."""
        return mark_safe(f'<ul class="rows">{"".join(map(self._row, rows))}</ul>')

    def _row(self, row: Row) -> str:
        thread, page = row.thread, addresses.of_thread(self._here, row.thread.key)
        starter = person(thread.starter)
        people = f"<bdi>{escape(starter.name)}</bdi>"
        if thread.count > 1 and thread.last_by != thread.starter:
            people += f" … <bdi>{escape(person(thread.last_by).name)}</bdi>"
        new = f'<span class="hidden"> ({self._words["new"]})</span>' if row.is_unread else ""
        badge = f' <span class="badge">{escape(thread.category)}</span>' if thread.category else ""
        return (
            f'<li class="row{" unread" if row.is_unread else ""}">{avatar(starter)}<h3 class="what">'
            f'<a href="{page}"><bdi>{escape(thread.subject)}</bdi></a>{new}{badge}</h3>'
            f'<time class="at" datetime="{thread.last_at.isoformat()}">{_day(thread.last_at, self._months)}</time>'
            f'<span class="meta">{people}</span><span class="at"><span class="count">{thread.count}'
            f'<span class="hidden"> {self._words["mails"]}</span></span></span></li>\n'
        )

    # --- mails

    def posts(self, posts: Iterable[Post]) -> SafeString:
        """Mails, one below the other."""
        return mark_safe("".join(map(self._post, posts)))

    def _post(self, post: Post) -> str:
        mail, hash_ = post.mail, post.mail.message_id_hash
        answers = ""
        if post.answers is not None:
            answers = (
                f'<span class="meta">{self._words["answers"]} <a href="#m{post.answers.message_id_hash}">'
                f"<bdi>{escape(post.answers_name)}</bdi></a></span>"
            )
        page, day, moment = addresses.of_mail(self._here, hash_), _day(mail.date, self._months), mail.date.isoformat()
        return (
            f'<article class="post d{post.depth}" id="m{hash_}" tabindex="-1" aria-labelledby="w{hash_}"><header>'
            f'{avatar(post.person)}<div><h2 class="who" id="w{hash_}"><bdi>{escape(post.person.name)}</bdi></h2>'
            f'{answers}</div><a class="when" href="{page}">'
            f'<time datetime="{moment}">{day}, {moment[11:16]}</time></a></header>\n'
            f"{post.content.html}{self._files(post, page)}<footer>{self._foot(post, page)}</footer></article>\n"
        )

    def _files(self, post: Post, page: str) -> str:
        if not post.content.attachments:
            return ""
        items = []
        for file in post.content.attachments:
            picture = f'<img src="{page}picture/{file.number}/" alt="" loading="lazy">' if file.is_picture else ""
            items.append(
                f'<li><a href="{page}attachment/{file.number}/" download>{picture}'
                f"<span><bdi>{escape(file.name)}</bdi></span>"
                f' <span class="meta">{escape(file.content_type)}, {filesizeformat(file.size)}</span></a></li>'
            )
        return f'<ul class="files" aria-label="{self._words["Attachments"]}">{"".join(items)}</ul>'

    def _foot(self, post: Post, page: str) -> str:
        mail = post.mail
        if not self._token:
            reply = f"subject={_reply_subject(mail.subject)}&amp;In-Reply-To=%3C{quote(mail.message_id, '@')}%3E"
            return f'<a href="mailto:{self._address}?{reply}">{self._words["Reply"]}</a>{self._opinions(mail)}'
        delete = f'<a href="{page}delete/">{self._words["Delete"]}</a>' if self._may_moderate else ""
        return (
            f'<a href="{page}reply/">{self._words["Reply"]}</a>{self._votes(post, page)}'
            f'<a href="{page}raw">{self._words["Raw"]}</a>{delete}'
        )

    def _votes(self, post: Post, page: str) -> str:
        buttons = "".join(
            f'<button class="link" type="submit" name="vote" value="{0 if post.my_vote == value else value}"'
            f' aria-pressed="{"true" if post.my_vote == value else "false"}" aria-label="{label}: {count}">'
            f"{full if post.my_vote == value else empty} {count}</button>"
            for value, label, count, full, empty in (
                (1, self._words["Like"], post.mail.likes, "▲", "△"),
                (-1, self._words["Dislike"], post.mail.dislikes, "▼", "▽"),
            )
        )
        return (
            f'<form class="buttons" method="post" action="{page}vote/">'
            f'<input type="hidden" name="csrfmiddlewaretoken" value="{self._token}">{buttons}</form>'
        )

    def _opinions(self, mail: Mail) -> str:
        if not (mail.likes or mail.dislikes):
            return ""
        return (
            f'<span>▲ {mail.likes}<span class="hidden"> {self._words["likes"]}</span> ▼ {mail.dislikes}'
            f'<span class="hidden"> {self._words["dislikes"]}</span></span>'
        )

    def outline(self, posts: Iterable[Post]) -> SafeString:
        """Who answers whom on this page, as links."""
        items = (
            f'<li class="d{post.depth}"><a href="#m{post.mail.message_id_hash}"><bdi class="name">'
            f'{escape(post.person.name)}</bdi> <time datetime="{post.mail.date.isoformat()}">'
            f"{post.mail.date.day} {self._months[post.mail.date.month]}</time></a></li>"
            for post in posts
        )
        return mark_safe(f"<ol>{''.join(items)}</ol>")


def avatar(who: Person) -> str:
    """Two letters on a colour, in place of a picture."""
    return f'<span class="avatar a{who.hue}" aria-hidden="true">{escape(who.initials)}</span>'


@functools.lru_cache(maxsize=500)
def _reply_subject(subject: str) -> str:
    """The subject of a reply as an address has it; the mails of a conversation share it."""
    return quote(f"Re: {subject_of_thread(subject)}")


@functools.cache
def _words(language: str | None) -> tuple[Mapping[str, str], Mapping[int, str]]:
    """The words of the pieces, and the months' short names, in the language that is active."""
    months = {number: escape(str(name).title()) for number, name in MONTHS_3.items()}
    return {word: escape(_(word)) for word in _WORDS}, months


def _day(at: datetime, months: Mapping[int, str]) -> str:
    return f"{at.day} {months[at.month]} {at.year}"


def found(hits: Sequence[Hit], *, with_lists: bool) -> SafeString:
    """What a search found, one below the other; `with_lists` says of each where it was."""
    if not hits:
        return SafeString()
    months = _words(get_language())[1]
    items = (_hit(hit, months, with_list=with_lists) for hit in hits)
    return mark_safe(f'<ul class="rows">{"".join(items)}</ul>')


def _hit(hit: Hit, months: Mapping[int, str], *, with_list: bool) -> str:
    mail, who, at = hit.mail, author(hit.mail), hit.mail.date
    page = addresses.of_mail(addresses.of_list(hit.list_id), mail.message_id_hash)
    place = f" · {escape(hit.list_id)}" if with_list else ""
    files = ""
    if mail.attachments:
        count = ngettext("%(n)s attachment", "%(n)s attachments", mail.attachments) % {"n": mail.attachments}
        files = f" · {escape(count)}"
    return (
        f'<li class="row">{avatar(who)}<div class="what">'
        f'<h2><a href="{escape(page)}">'
        f'<bdi>{escape(mail.subject or "(no subject)")}</bdi></a></h2><p dir="auto">{hit.snippet}</p>'
        f'<p class="meta"><bdi>{escape(who.name)}</bdi>{place}{files}</p></div>'
        f'<time class="at" datetime="{at.isoformat()}">{_day(at, months)}</time></li>\n'
    )
