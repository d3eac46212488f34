"""Compares what is here with what an old release said of itself (TRUTH.json); knows nothing of the importer.

Each difference is one line that begins with its section. What cannot be the same for a reason is named in `EXPLAINED`,
with the reason; the rest must be nothing.
"""

import datetime as dt
import hashlib
import json
import re
from collections import Counter
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount

from postroad.community.bans.models import Ban
from postroad.community.lists.models import Domain, MailingList
from postroad.community.lists.register import all_settings
from postroad.community.notices.models import AutoResponse
from postroad.community.notices.templates import text as template_text
from postroad.community.people.models import PREFERENCE_NAMES, Address, User
from postroad.community.subscriptions.models import Member, Pending
from postroad.foundation.queue.envelope import decode
from postroad.foundation.queue.models import Job
from postroad.foundation.storage.actions import load
from postroad.mailflow.archive.content import parts_of
from postroad.mailflow.archive.models import Favorite, LastView, Mail, Tag, Thread, Vote
from postroad.mailflow.bounces.models import BounceEvent
from postroad.mailflow.moderation.models import HeldMessage

EXPLAINED = (
    (r"list .*: accept_these_nonmembers: .*'@dev'.*'@dev@.*", "the host is named here; told in the report"),
    (r"list .*: (encode_ascii_prefixes|scrub_nondigest|topics\w*|next_request_id|forward_auto_discards): .*",
     "Mailman reads none of these either"),
    (r"user .*: is_server_owner: .*", "gave no right on the web, so it gives none here; told in the report"),
    (r"held .*: gone", "its message was gone in Mailman already; told in the report"),
    (r"bounce .*deleted-list.*", "its list is gone in Mailman too; told in the report"),
    (r"queue (bad|shunt)/.*: (unreadable|list gone)", "damaged, or of a list that is gone; told in the report"),
    (r"account .*: openid.*", "told in the report"),
)  # fmt: skip


def unexplained(found: list[str]) -> list[str]:
    return [line for line in found if not any(re.fullmatch(p, line, re.DOTALL) for p, _ in EXPLAINED)]


def moment(value: str | None) -> dt.datetime | None:
    if value is None or value.startswith("0001"):
        return None
    made = dt.datetime.fromisoformat(value)
    return made if made.tzinfo else made.replace(tzinfo=dt.UTC)


def preferences(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in PREFERENCE_NAMES}


def one_line(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())


class Comparison:
    """One installation against the database."""

    def __init__(self, truth: dict[str, Any]) -> None:
        self.model, self.files = truth["core"]["model"], truth["core"]["files"]
        self.web = truth["web"]
        self.found: list[str] = []
        self.originals = 0
        """Mails that are here as they came."""

    def differ(self, what: str, expected: Any, got: Any) -> None:
        if expected != got:
            self.found.append(f"{what}: {expected!r:.200} != {got!r:.200}")

    # --- the core

    def domains(self) -> None:
        rows = {row.mail_host: row for row in Domain.objects.all()}
        self.differ("domain names", set(self.model["domains"]), set(rows))
        for host, old in self.model["domains"].items():
            row = rows[host]
            self.differ(f"domain {host}: description", old["description"] or "", row.description or "")
            self.differ(f"domain {host}: alias", old.get("alias_domain"), row.alias_domain)
            self.differ(f"domain {host}: base_url", old.get("base_url"), row.base_url)
            self.differ(f"domain {host}: owners", set(old["owners"]), {u.uuid.hex for u in row.owners.all()})

    def users(self) -> None:
        rows = {row.uuid.hex: row for row in User.objects.all()}
        accounts = {e["email"].lower(): a for a in self.web["accounts"]["users"] for e in a["emails"] if e["verified"]}
        for old in self.model["users"]:
            name, row = f"user {old['user_id']}", rows.get(old["user_id"])
            if row is None:
                self.found.append(f"{name}: missing")
                continue
            same_person = next((accounts[a] for a in old["addresses"] if a in accounts), None)
            if old["display_name"] or same_person is None:
                self.differ(f"{name}: display_name", one_line(old["display_name"]), row.display_name)
            self.differ(f"{name}: created_on", moment(old["created_on"]), row.created_on)
            self.differ(f"{name}: is_server_owner", old["is_server_owner"], row.is_server_owner)
            mine = {a.email for a in row.addresses.all()}
            self.differ(f"{name}: addresses", True, set(old["addresses"]) <= mine)
            preferred = row.preferred_address.email if row.preferred_address else None
            if old["preferred_address"] is not None:
                self.differ(f"{name}: preferred", old["preferred_address"], preferred)
            self.differ(f"{name}: preferences", old["preferences"], preferences(row))
            if same_person is None and old["password"]:
                self.differ(f"{name}: password", f"crypt${old['password']}", row.password)

    def addresses(self) -> None:
        rows = {row.email: row for row in Address.objects.select_related("user")}
        for old in self.model["addresses"]:
            name, row = f"address {old['email']}", rows.get(old["email"])
            if row is None:
                self.found.append(f"{name}: missing")
                continue
            self.differ(f"{name}: original", old["original_email"], row.original_email)
            self.differ(f"{name}: display_name", one_line(old["display_name"]), row.display_name)
            self.differ(f"{name}: registered", moment(old["registered_on"]), row.registered_on)
            if old["verified_on"] is not None:
                self.differ(f"{name}: verified", moment(old["verified_on"]), row.verified_on)
            if old["user_id"] is not None:
                self.differ(f"{name}: user", old["user_id"], row.user.uuid.hex if row.user else None)
            self.differ(f"{name}: preferences", old["preferences"], preferences(row))

    def members(self) -> None:
        rows = {
            row.uuid.hex: row
            for row in Member.objects.select_related("mailing_list", "address", "user__preferred_address")
        }
        self.differ("members", {old["member_id"] for old in self.model["members"]}, set(rows))
        for old in self.model["members"]:
            row = rows.get(old["member_id"])
            if row is None:
                continue
            name = f"member {old['email']} {old['role']} {old['list_id']}"
            address = row.effective_address
            got = {
                "list_id": row.mailing_list.list_id, "role": row.role, "email": address.email if address else None,
                "subscribed_as": row.subscription_mode.removeprefix("as_"), "bounce_score": row.bounce_score,
                "moderation_action": row.moderation_action, "total_warnings_sent": row.total_warnings_sent,
            }  # fmt: skip
            for key, value in got.items():
                expected = old.get(key)
                self.differ(f"{name}: {key}", 0 if expected is None and isinstance(value, int) else expected, value)
            for key in ("last_bounce_received", "last_warning_sent"):
                self.differ(f"{name}: {key}", moment(old.get(key)), getattr(row, key))
            self.differ(f"{name}: preferences", old["preferences"], preferences(row))

    def lists(self) -> None:
        rows = {row.list_id: row for row in MailingList.objects.all()}
        for list_id, old in self.model["lists"].items():
            if list_id not in rows:
                self.found.append(f"list {list_id}: missing")
                continue
            self.list_(f"list {list_id}", old, rows[list_id])

    def list_(self, name: str, old: dict[str, Any], row: MailingList) -> None:
        register = all_settings()
        for key, expected in old["attributes"].items():
            if key == "list_id":
                continue
            if key not in register:
                if expected not in (None, False, [], 1):
                    self.found.append(f"{name}: {key}: {expected!r}")
                continue
            self.differ(f"{name}: {key}", *self.setting(key, expected, register[key].of(row)))
        for key in ("acceptable_aliases", "filter_types", "pass_types", "filter_extensions", "pass_extensions"):
            self.differ(f"{name}: {key}", sorted(old[key]), sorted(register[key].of(row)))
        stored = {a.name: a.is_enabled for a in row.archivers.all()}
        self.differ(f"{name}: archivers", old["archivers"], {**old["archivers"], **stored})
        bans = sorted(row.bans.values_list("email", flat=True))
        self.differ(f"{name}: bans", sorted(b if b[0] == "^" else b.lower() for b in old["bans"]), bans)
        checks = [
            {"position": m.position, "header": m.header, "pattern": m.pattern, "chain": m.action, "tag": m.tag}
            for m in row.header_matches.all()
        ]
        self.differ(f"{name}: header_matches", [{"tag": None, **m} for m in old["header_matches"]], checks)
        for held in old["held"]:
            self.held(row, held)

    @staticmethod
    def setting(key: str, expected: Any, got: Any) -> tuple[Any, Any]:
        """Both sides in one form; null there means that the style's value counts."""
        if expected is None:
            return got, got
        if isinstance(expected, dict) and "seconds" in expected:
            return float(expected["seconds"]), float(got)
        if isinstance(got, dt.datetime):
            return moment(expected), got
        if key == "moderator_password":
            expected = expected.get("text", expected.get("value")) if isinstance(expected, dict) else expected
            return f"crypt${expected}", got
        if (key, expected) == ("personalize", "none"):
            return "individual", got
        return expected, list(got) if isinstance(got, tuple) else got

    def held(self, row: MailingList, old: dict[str, Any]) -> None:
        name = f"held {old['request_id']} {row.list_id}"
        held = HeldMessage.objects.filter(mailing_list=row, request_id=old["request_id"]).first()
        if held is None:
            self.found.append(f"{name}: {'missing' if old['message_in_store'] else 'gone'}")
            return
        digest = hashlib.sha256(load(held.message).replace(b"\r\n", b"\n")).hexdigest()
        self.differ(f"{name}: bytes", old["message_sha256"], digest)
        self.differ(f"{name}: message_id", old["key"], f"<{held.message_id}>")
        self.differ(f"{name}: sender", old["data"]["_mod_sender"], held.sender)
        self.differ(f"{name}: held_at", moment(old["data"]["_mod_hold_date"]), held.held_at)
        envelope = decode(bytes(held.envelope))
        self.differ(f"{name}: rules", old["data"].get("rule_hits", []), list(envelope.rule_hits))
        self.differ(f"{name}: received", moment(old["data"].get("received_time")),
                    dt.datetime.fromtimestamp(envelope.received_at, tz=dt.UTC))  # fmt: skip

    def waiting(self) -> None:
        now = dt.datetime.now(dt.UTC)
        there = {row.token_hash: row for row in Pending.objects.all()}
        for old in self.model["pendings"]:
            data = old["data"]
            if data.get("type") not in ("subscription", "unsubscription") or moment(old["expiration_date"]) < now:
                continue
            row = there.get(hashlib.sha256(old["token"].encode()).hexdigest())
            name = f"request {old['token']}"
            if row is None:
                self.found.append(f"{name}: missing")
                continue
            got = [row.kind, row.list_id, row.email, row.token_owner, row.expires_at]
            expected = [
                data["type"],
                data["list_id"],
                data["email"],
                data["token_owner"],
                moment(old["expiration_date"]),
            ]
            self.differ(name, expected, got)

    def records(self) -> None:
        bans = set(Ban.objects.filter(mailing_list=None).values_list("email", flat=True))
        # Patterns never tell case apart here, so the flag that says so is left out.
        self.differ("global bans", {b.replace("^(?i)", "^") for b in self.model["global_bans"]}, bans)
        kinds = {"hold": "hold", "command": "reply-requests", "owner": "reply-owner", "postings": "reply-postings"}
        expected = Counter((where, who, kinds[k], d) for where, who, k, d in self.model["autoresponse_records"])
        got = {(r.list_id, r.address, r.kind, r.day.isoformat()): r.count for r in AutoResponse.objects.all()}
        self.differ("automatic answers", dict(expected), got)
        events = Counter(
            (e.mailing_list.list_id, e.email, e.at, e.context)
            for e in BounceEvent.objects.select_related("mailing_list")
        )
        old = Counter(
            (where, who, moment(at), context) for where, who, at, _, context, _ in self.model["bounce_events"]
        )
        for event in old - events:
            self.found.append(f"bounce {event}: missing")
        self.differ("bounces of nowhere", Counter(), events - old)
        self.differ("bounces that wait to be judged", 0, BounceEvent.objects.filter(processed=False).count())

    def templates(self) -> None:
        texts = {(t["name"], t["identifier"]): t["data"] for t in self.web["email_templates"] if t["language"] == ""}
        texts |= {
            (t["name"], t["identifier"]): t["data"]
            for t in self.web["email_templates"]
            if (t["name"], t["identifier"]) not in texts
        }
        for old in self.model["templates"]:
            context = old["context"] or "site"
            mailing_list = MailingList.objects.filter(list_id=context).first()
            mailing_list = mailing_list or MailingList.objects.filter(mail_host=context).first()
            if "/api/templates/" in old["uri"] and (mailing_list is not None or context == "site"):
                identifier = old["uri"].rstrip("/").split("/")[-2]
                keys = [(old["name"], identifier), (old["name"], "")]
                expected = next(texts[key] for key in keys if key in texts)
                if mailing_list is not None and context == mailing_list.mail_host:
                    continue  # Whether a list of the domain has its own is not what is asked here.
                self.differ(f"template {old['name']} {context}", expected, template_text(old["name"], mailing_list))

    def queued(self) -> None:
        jobs = [job for job in Job.objects.all() if decode(bytes(job.envelope)).message]
        known: Counter[str] = Counter()
        ids = {f"<{job.message_id}>" for job in jobs}
        for job in jobs:
            data = load(decode(bytes(job.envelope)).message).replace(b"\r\n", b"\n")
            known[hashlib.sha256(data).hexdigest()] += 1
        for name, files in self.files["queue"].items():
            for old in files:
                if name == "digest":
                    continue
                listid = (old.get("metadata") or {}).get("listid", "")
                if "unreadable" in old:
                    self.found.append(f"queue {name}/{old['file']}: unreadable")
                elif listid and not MailingList.objects.filter(list_id=listid).exists():
                    self.found.append(f"queue {name}/{old['file']}: list gone")
                elif name == "virgin" and old["message_id"] in ids:
                    continue  # One without boundary gets a new one whenever it is written down.
                elif not known[old["sha256"]]:
                    self.found.append(f"queue {name}/{old['file']} {old['message_id']}: missing")
        for old in self.files["spool"]:
            self.differ(f"spool {old['file']}", True, known[old["sha256"]] > 0)
        digests = Counter(job.message_id for job in jobs if job.queue == "digests")
        expected = Counter(i.strip("<>") for ids in self.files["digests"].values() for i in ids)
        self.differ("digests", Counter(), expected - digests)

    # --- the web half

    def accounts(self) -> None:
        for old in self.web["accounts"]["users"]:
            name = f"account {old['username']}"
            row = self.user_of(old)
            if row is None:
                self.found.append(f"{name}: missing")
                continue
            if old["password"].startswith("!"):
                self.differ(f"{name}: password", False, row.has_usable_password())
            else:
                self.differ(f"{name}: password", old["password"], row.password)
            for key in ("is_active", "is_superuser", "is_staff"):
                self.differ(f"{name}: {key}", old[key], getattr(row, key))
            self.differ(f"{name}: last_login", moment(old["last_login"]), row.last_login)
            emails = dict(EmailAddress.objects.filter(user=row).values_list("email", "verified"))
            for email in old["emails"]:
                self.differ(f"{name}: {email['email']}", email["verified"], emails.get(email["email"].lower()))
            social = {(s.provider, s.uid): s.extra_data for s in SocialAccount.objects.filter(user=row)}
            for link in old["social"]:
                extra = link["extra_data"]
                extra = json.loads(extra) if isinstance(extra, str) else extra
                self.differ(f"{name}: {link['provider']}", extra, social.get((link["provider"], link["uid"])))

    @staticmethod
    def user_of(account: dict[str, Any]) -> User | None:
        """Who has the account's address; where nobody proved it, it may be on two users, and one has the password."""
        primary = next((e["email"] for e in account["emails"] if e["primary"]), account["email"])
        users = list(User.objects.filter(emailaddress__email=primary.lower()))
        return next((user for user in users if user.password == account["password"]), users[0] if users else None)

    def archives(self) -> None:
        users = {a["username"]: self.user_of(a) for a in self.web["accounts"]["users"]}
        self.people = {user.pk: name for name, user in users.items() if user is not None}
        for address, old in self.web["archives"]["lists"].items():
            row = MailingList.objects.filter(list_id=old["list_id"]).first()
            if row is None:
                self.found.append(f"archive {address}: missing")
                continue
            self.mails(f"archive {address}", old, row)
            self.threads(f"archive {address}", old, row)

    def mails(self, name: str, old: dict[str, Any], row: MailingList) -> None:
        mails = {m.message_id_hash: m for m in Mail.objects.filter(mailing_list=row).select_related("thread", "parent")}
        self.differ(f"{name}: mails", set(old["emails"]), set(mails))
        for digest, expected in old["emails"].items():
            if digest not in mails:
                continue
            mail, about = mails[digest], f"{name}: mail {digest}"
            known = expected["parent"] if expected["parent"] in mails else None
            got = {
                "thread": mail.thread.key, "parent": mail.parent.message_id_hash if mail.parent else None,
                "message_id": mail.message_id, "sender": mail.sender_email, "date": mail.date,
                "archived_date": mail.archived_at, "subject": mail.subject,
            }  # fmt: skip
            wanted = {
                **expected, "parent": known, "date": moment(expected["date"]), "subject": one_line(expected["subject"]),
                "archived_date": moment(expected["archived_date"]),
            }  # fmt: skip
            for key, value in got.items():
                self.differ(f"{about}: {key}", wanted[key], value)
            sender_name = one_line(expected["sender_name"] or "")
            shown = mail.sender_name or mail.sender_email
            self.differ(f"{about}: sender_name", sender_name or shown, shown)
            votes = {self.people.get(v.user_id): v.value for v in Vote.objects.filter(mail=mail)}
            self.differ(f"{about}: votes", dict(map(tuple, expected["votes"])), votes)
            self.differ(f"{about}: likes", sum(v > 0 for v in votes.values()), mail.likes)
            self.content(about, expected, mail)

    def content(self, about: str, expected: dict[str, Any], mail: Mail) -> None:
        """Text and attachments of a mail that was rebuilt; one that is here as it came has more than they."""
        raw = load(mail.message)
        parts = parts_of(raw)
        if b"Comments: rebuilt from an archive" not in raw[:4000]:
            self.differ(f"{about}: parts", True, len(expected["attachments"]) <= len(parts))
            self.originals += 1
            return
        text = parts[0].decoded(raw)
        if b"base64" not in raw[parts[0].start : parts[0].body].lower():
            text = text.replace(b"\r\n", b"\n")
        self.differ(f"{about}: content", expected["content_sha256"], hashlib.sha256(text).hexdigest())
        got = [(p.filename, hashlib.sha256(p.decoded(raw)).hexdigest()) for p in parts[1:]]
        wanted = [(a["name"], a["sha256"]) for a in expected["attachments"]]
        self.differ(f"{about}: attachments", wanted, got)

    def threads(self, name: str, old: dict[str, Any], row: MailingList) -> None:
        threads = {thread.key: thread for thread in Thread.objects.filter(mailing_list=row)}
        self.differ(f"{name}: threads", {k for k, t in old["threads"].items() if t["emails"]}, set(threads))
        for key, expected in old["threads"].items():
            thread = threads.get(key)
            if thread is None:
                continue
            about = f"{name}: thread {key}"
            dates = [moment(old["emails"][m]["date"]) for m in expected["emails"]]
            self.differ(f"{about}: count", len(expected["emails"]), thread.count)
            self.differ(f"{about}: dates", (min(dates), max(dates)), (thread.first_at, thread.last_at))
            self.differ(f"{about}: category", expected["category"] or "", thread.category)
            tags = {(self.people.get(t.user_id), t.name) for t in Tag.objects.filter(thread=thread)}
            self.differ(f"{about}: tags", set(map(tuple, expected["tags"])), tags)
            stars = {self.people.get(f.user_id) for f in Favorite.objects.filter(thread=thread)}
            self.differ(f"{about}: favourites", set(expected["favorites"]), stars)
            views = {self.people.get(v.user_id): v.viewed_at for v in LastView.objects.filter(thread=thread)}
            newest: dict[str, dt.datetime] = {}
            for who, at in expected["last_views"]:
                newest[who] = max(moment(at), newest.get(who, moment(at)))
            self.differ(f"{about}: last views", newest, views)


SECTIONS = (
    "domains", "users", "addresses", "members", "lists", "waiting", "records", "templates", "queued", "accounts",
    "archives",
)  # fmt: skip
