"""Addresses that archives had elsewhere, HyperKitty's and pipermail's: each leads to where the same thing is here.

They pass the same gate as every page of the archive: what a visitor may not read is not found, and does not say that
it exists. What is private is told to nobody's cache.
"""

import re
from collections.abc import Callable, Sequence

from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, re_path, reverse
from django.views.decorators.http import require_safe

from postroad.community.lists.models import MailingList
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive.models import Mail, Month, OldAddress, Thread
from postroad.mailflow.archive.old_attachments import part_called
from postroad.mailflow.archive.queries import readable_lists

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_VOLUME = re.compile(
    r"(?P<year>\d{4})-(?P<name>[A-Z][a-z]+)|(?P<quarter_year>\d{4})q(?P<quarter>[1-4])"
    r"|(?:Week-of-Mon-)?(?P<day>\d{8})|(?P<whole>\d{4})"
)
_PAGE = re.compile(r"\d{1,12}\.html")
_INDEX = re.compile(r"(?:index|thread|date|subject|author)\.html|")
_FILE = re.compile(r"(?P<volume>[\w-]{4,40})\.txt(?:\.gz)?")


def list_called(request: HttpRequest, name: str) -> MailingList:
    """The list of this address, list-id or local part that the visitor may read; of several, the host's.

    Raises:
        Http404: there is none for this visitor.
    """
    rows = readable_lists(request.user).select_related("domain")
    local, at, host = name.lower().partition("@")
    found = list((rows.filter(list_name=local, mail_host=host) if at else rows.filter(list_name=local)).order_by("pk"))
    found = found or list(rows.filter(list_id=name.lower()))
    if not found:
        raise Http404
    own_host = request.get_host().partition(":")[0]
    return next((m for m in found if own_host in (m.mail_host, f"lists.{m.mail_host}")), found[0])


def lead(mailing_list: MailingList, page: str, *arguments: object) -> HttpResponseBase:
    """Send a browser to a page of a list; for good, if everybody may know."""
    address = reverse(f"archive:{page}", args=[mailing_list.list_id, *arguments])
    answer = HttpResponseRedirect(address)
    if mailing_list.archive_policy == "public":
        answer.status_code = 301
    else:
        answer["Cache-Control"] = "private, no-store"
    return answer


# --- pipermail


@require_safe
def pipermail(request: HttpRequest, name: str, rest: str = "") -> HttpResponseBase:
    """A page of pipermail: an archive, a month in any order, a mail by its number, a file."""
    mailing_list = list_called(request, name)
    first, _, second = rest.partition("/")
    if first == "attachments":
        parts = second.split("/")
        return _mail(mailing_list, f"attachments/{parts[1]}" if len(parts) > 1 else "")
    if _PAGE.fullmatch(second):
        return _mail(mailing_list, second.rjust(11, "0"))
    file = _FILE.fullmatch(first)
    months = _months_of(file["volume"] if file else first)
    if months is None:
        if not second and (_INDEX.fullmatch(first) or first.endswith(".mbox")):
            return lead(mailing_list, "overview")
        raise Http404
    if not _INDEX.fullmatch(second):
        raise Http404
    return _volume(mailing_list, "mbox" if file else "month", *months)


def _volume(mailing_list: MailingList, page: str, year: int, first: int, last: int) -> HttpResponseBase:
    """The first of these months that has mails; if none has, since clocks differed, the overview."""
    rows = Month.objects.filter(mailing_list=mailing_list, year=year, month__range=(first, last), count__gt=0)
    month = rows.order_by("month").values_list("month", flat=True).first()
    return lead(mailing_list, "overview") if month is None else lead(mailing_list, page, year, month)


def _mail(mailing_list: MailingList, old: str) -> HttpResponseBase:
    row = OldAddress.objects.filter(mailing_list=mailing_list, path=old).select_related("mail").first()
    if row is None:
        raise Http404
    return lead(mailing_list, "message", row.mail.message_id_hash)


def _months_of(volume: str) -> tuple[int, int, int] | None:
    """Year, first and last month of one of pipermail's volumes: a month, quarter, week, day or year."""
    match = _VOLUME.fullmatch(volume)
    if match is None:
        return None
    if match["name"]:
        name = match["name"].lower()
        number = _MONTHS.index(name) + 1 if name in _MONTHS else 0
        return (int(match["year"]), number, number) if number else None
    if match["quarter"]:
        last = int(match["quarter"]) * 3
        return int(match["quarter_year"]), last - 2, last
    if match["whole"]:
        return int(match["whole"]), 1, 12
    month = int(match["day"][4:6])
    return int(match["day"][:4]), month, month


# --- HyperKitty


@require_safe
def home(request: HttpRequest, rest: str = "") -> HttpResponseBase:
    """The overview of all archives."""
    return HttpResponseRedirect(reverse("archive:home"))


@require_safe
def search(request: HttpRequest) -> HttpResponseBase:
    """A search, in one list or in all."""
    wanted = request.GET.copy()
    name = wanted.get("mlist", "")
    target = reverse("archive:list_search", args=[list_called(request, name).list_id]) if name else None
    query = wanted.urlencode()
    return HttpResponseRedirect(f"{target or reverse('archive:search')}{'?' if query else ''}{query}")


@require_safe
def hyperkitty(request: HttpRequest, name: str, rest: str = "") -> HttpResponseBase:
    """A page of HyperKitty about a list: what it shows, as near as there is."""
    mailing_list = list_called(request, name)
    parts = [part for part in rest.split("/") if part]
    match parts:
        case ["message", hash_, "attachment", counter, *file] if len(hash_) == 32:
            return _attachment(mailing_list, hash_, counter, "/".join(file))
        case ["message", hash_, *_] if len(hash_) == 32:
            return _message(mailing_list, hash_)
        case ["thread", key, *_]:
            return _thread(mailing_list, key)
        case ["feed"]:
            return lead(mailing_list, "feed")
        case ["export", _]:
            return _export(request, mailing_list)
        case [year, month, *day] if year.isdecimal() and month.isdecimal() and len(day) < 2:
            return _month(mailing_list, year, month)
        case [volume] if (found := _months_of(volume)) is not None:
            return _volume(mailing_list, "month", *found)
    return lead(mailing_list, "overview")


def _message(mailing_list: MailingList, hash_: str) -> HttpResponseBase:
    if not Mail.objects.filter(mailing_list=mailing_list, message_id_hash=hash_).exists():
        raise Http404
    return lead(mailing_list, "message", hash_)


def _attachment(mailing_list: MailingList, hash_: str, counter: str, name: str) -> HttpResponseBase:
    """A file of a mail; where it cannot be told which, the mail."""
    mail = Mail.objects.filter(mailing_list=mailing_list, message_id_hash=hash_).first()
    if mail is None:
        raise Http404
    number = part_called(storage.load(mail.message), counter, name)
    return lead(mailing_list, "message", hash_) if number is None else lead(mailing_list, "attachment", hash_, number)


def _thread(mailing_list: MailingList, key: str) -> HttpResponseBase:
    """A conversation by its key; one that was merged into another is found by its first mail."""
    if Thread.objects.filter(mailing_list=mailing_list, key=key).exists():
        return lead(mailing_list, "thread", key)
    mail = Mail.objects.filter(mailing_list=mailing_list, message_id_hash=key).select_related("thread").first()
    if mail is None:
        raise Http404
    return lead(mailing_list, "thread", mail.thread.key)


def _month(mailing_list: MailingList, year: str, month: str) -> HttpResponseBase:
    if len(year) != 4 or not 1 <= int(month[:3]) <= 12:
        raise Http404
    return _volume(mailing_list, "month", int(year), int(month), int(month))


def _export(request: HttpRequest, mailing_list: MailingList) -> HttpResponseBase:
    """A mailbox: of a conversation, a mail or a month; what begins otherwise is chosen on the overview."""
    if key := request.GET.get("thread"):
        return _thread(mailing_list, key)
    if hash_ := request.GET.get("message"):
        return _message(mailing_list, hash_)
    begin = re.fullmatch(r"(\d{4})-(\d\d)-\d\d", request.GET.get("start", ""))
    if begin:
        return _volume(mailing_list, "mbox", int(begin[1]), int(begin[2]), int(begin[2]))
    return lead(mailing_list, "overview")


_SUFFIXES: Sequence[tuple[str, Callable[..., HttpResponseBase]]] = (
    ("", home), ("search", search), ("profile/<path:rest>", home), ("users/<path:rest>", home), ("listinfo", home),
    ("categories/", home), ("tags/", home), ("lists/", home), ("list/<str:name>/", hyperkitty),
    ("list/<str:name>/<path:rest>", hyperkitty), ("listinfo/<str:name>", hyperkitty),
    ("listinfo/<str:name>/", hyperkitty), ("pipermail/<str:name>", pipermail), ("pipermail/<str:name>/", pipermail),
    ("pipermail/<str:name>/<path:rest>", pipermail),
)  # fmt: skip

urlpatterns = [
    *(path(f"{prefix}{suffix}", view) for prefix in ("hyperkitty/", "archives/") for suffix, view in _SUFFIXES),
    re_path(r"^(?:pipermail|mailman/private)/(?P<name>[^/]+)/?$", pipermail),
    re_path(r"^(?:pipermail|mailman/private)/(?P<name>[^/]+)/(?P<rest>.+)$", pipermail),
    re_path(r"^pipermail/?$", home),
]
