"""Compares an imported site with what Mailman 2.1 itself said of it (TRUTH.json); knows nothing of the importer.

`differences` names everything that is neither the same here nor told in the report with a reason.
"""

import base64
import hashlib
import math
import re
from collections.abc import Iterator

from postroad.community.bans.models import Ban
from postroad.community.lists.models import MailingList
from postroad.community.lists.register import all_settings
from postroad.community.notices.templates import text
from postroad.community.people.models import Address
from postroad.community.subscriptions.models import Member, Pending
from postroad.community.subscriptions.tokens import hashed
from postroad.foundation.queue.envelope import decode
from postroad.foundation.storage import actions as storage
from postroad.mailflow.archive.models import Mail
from postroad.mailflow.moderation.models import HeldMessage


def plain(value):
    """A text of TRUTH, however Mailman had it."""
    if isinstance(value, dict) and "unicode" in value:
        return value["unicode"]
    if isinstance(value, dict) and "bytes_base64" in value:
        data = base64.b64decode(value["bytes_base64"])
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode("cp1252", "replace")
    return value


SAME = [
    "admin_immed_notify", "admin_notify_mchanges", "administrivia", "advertised", "anonymous_list",
    "collapse_alternatives", "convert_html_to_plaintext", "description", "digest_is_default", "digest_send_periodic",
    "dmarc_moderation_notice", "dmarc_wrapped_message_text", "emergency", "filter_content", "first_strip_reply_to",
    "forward_auto_discards", "gateway_to_mail", "gateway_to_news", "include_rfc2369_headers", "linked_newsgroup",
    "max_days_to_hold", "max_message_size", "max_num_recipients", "member_moderation_notice",
    "nonmember_rejection_notice", "obscure_addresses", "preferred_language", "reply_to_address",
    "require_explicit_destination", "respond_to_post_requests", "topics_enabled", "topics_bodylines_limit",
    "bounce_matching_headers", "bounce_score_threshold", "bounce_info_stale_after",
    "bounce_you_are_disabled_warnings", "bounce_you_are_disabled_warnings_interval",
    "bounce_notify_owner_on_bounce_increment", "bounce_notify_owner_on_disable", "bounce_notify_owner_on_removal",
    "discard_these_nonmembers", "hold_these_nonmembers", "reject_these_nonmembers",
]  # fmt: skip
RENAMED = {
    "real_name": "display_name", "bounce_processing": "process_bounces", "digestable": "digests_enabled",
    "include_list_post_header": "allow_list_posts", "news_prefix_subject_too": "nntp_prefix_subject_too",
    "send_goodbye_msg": "send_goodbye_message", "send_welcome_msg": "send_welcome_message",
    "filter_filename_extensions": "filter_extensions", "filter_mime_types": "filter_types",
    "pass_filename_extensions": "pass_extensions", "pass_mime_types": "pass_types",
    "dmarc_moderation_addresses": "dmarc_addresses", "digest_size_threshhold": "digest_size_threshold",
}  # fmt: skip
WORDS = {
    "subscribe_policy": ("subscription_policy", "open confirm moderate confirm_then_moderate"),
    "unsubscribe_policy": ("unsubscription_policy", "confirm confirm_then_moderate"),
    "private_roster": ("member_roster_visibility", "public members moderators"),
    "generic_nonmember_action": ("default_nonmember_action", "defer hold reject discard"),
    "filter_action": ("filter_action", "discard reject forward preserve"),
    "reply_goes_to_list": ("reply_goes_to_list", "no_munging point_to_list explicit_header"),
    "personalize": ("personalize", "individual individual full"),
    "news_moderation": ("newsgroup_moderation", "none open_moderated moderated"),
    "digest_volume_frequency": ("digest_volume_frequency", "yearly monthly quarterly weekly daily"),
    "mime_is_default_digest": ("default_digest", "plaintext_digests mime_digests"),
    "autorespond_admin": ("autorespond_owner", "none respond_and_continue"),
    "autorespond_postings": ("autorespond_postings", "none respond_and_continue"),
    "autorespond_requests": ("autorespond_requests", "none respond_and_discard respond_and_continue"),
    "bounce_unrecognized_goes_to_list_owner": ("forward_unrecognized_bounces_to", "discard administrators"),
}
USUAL = {
    "admin_member_chunksize": 30, "archive_volume_frequency": 1, "drop_cc": 1,
    "dmarc_none_moderation_action": 0, "dmarc_quarantine_moderation_action": 1, "encode_ascii_prefixes": 2,
    "equivalent_domains": "", "include_sender_header": 1, "member_verbosity_threshold": 0, "nondigestable": 1,
    "new_member_options": 256, "post_password": None, "regular_exclude_lists": [],
    "regular_include_lists": [], "subscribe_auto_approval": [], "umbrella_list": 0,
}  # fmt: skip


class Comparison:
    """One list, here and there."""

    def __init__(self, name, truth, archive, notes):
        self.list = MailingList.objects.get(list_name=name)
        self.there = truth["attributes"]
        self.truth, self.archive, self.name = truth, archive, name
        self.told = [f"{kind} {what} {why}" for kind, what, _, why in notes if name in what or kind == "mails"]

    def here(self, setting):
        return all_settings()[setting].of(self.list)

    def is_told(self, *words):
        return any(all(word in note for word in words) for note in self.told)

    def differences(self) -> Iterator[str]:
        for part in (
            self.settings, self.combined, self.rules, self.texts, self.members, self.held, self.requests, self.mails,
        ):  # fmt: skip
            for what in part():
                yield f"{self.name}: {part.__name__}: {what}"

    def settings(self):
        for old in SAME:
            yield from self._same(old, old)
        for old, new in RENAMED.items():
            yield from self._same(old, new)
        for old, (new, words) in WORDS.items():
            if self.here(new) != words.split()[int(self.there[old])]:
                yield f"{old} {self.there[old]} is {self.here(new)}"
        for old, usual in USUAL.items():
            if self.there[old] != usual and not self.is_told(f": {old}"):
                yield f"{old} {self.there[old]} is lost and not told"
        if self.here("autoresponse_grace_period") != self.there["autoresponse_graceperiod"] * 86400:
            yield "autoresponse_graceperiod"

    def _same(self, old, new):
        there, here = self.there[old], self.here(new)
        there = [plain(entry) for entry in there] if isinstance(there, list) else plain(there)
        if list(here) == there if isinstance(there, list) else here == there:
            return
        if not self.is_told(f": {old}"):
            yield f"{old} was {there!r} and is {here!r}"

    def combined(self):
        t, here = self.there, self.here
        policy = "never" if not t["archive"] else "private" if t["archive_private"] else "public"
        if (here("archive_policy"), self.list.archive_policy) != (policy, policy):
            yield "archive_policy"
        action = ("hold", "reject", "discard")[t["member_moderation_action"]]
        if here("default_member_action") != (action if t["default_member_moderation"] else "defer"):
            yield "default_member_action"
        if here("dmarc_mitigate_unconditionally") != (t["from_is_list"] > t["dmarc_moderation_action"]):
            yield "from_is_list"
        strongest = ("no_mitigation", "munge_from", "wrap_message", "reject", "discard")[
            max(t["from_is_list"], t["dmarc_moderation_action"])
        ]
        if here("dmarc_mitigate_action") != strongest:
            yield "dmarc_moderation_action"
        if here("subject_prefix").strip() != plain(t["subject_prefix"]).strip():
            yield "subject_prefix"
        if plain(t["info"]).replace("\r\n", "\n") != here("info"):
            yield "info"
        if (t["mod_password"] or "") != (here("moderator_password") or "sha1$$").split("$")[2]:
            yield "mod_password"
        accepted = [f"{e}@lists.old.example" if e.startswith("@") else e for e in t["accept_these_nonmembers"]]
        if list(here("accept_these_nonmembers")) != accepted:
            yield "accept_these_nonmembers"
        for old, new in (("next_digest_number", "next_digest_number"), ("volume", "volume"), ("post_id", "post_id")):
            if here(new) != t[old]:
                yield old
        for old, moment in (
            ("created_at", self.list.created_at), ("last_post_time", self.list.last_post_at),
            ("digest_last_sent_at", self.list.digest_last_sent_at),
        ):  # fmt: skip
            if abs((moment.timestamp() if moment else 0) - t[old]) > 1e-3:
                yield old
        if self.list.next_request_id < t["next_request_id"]:
            yield "next_request_id"
        bans = {b if b.startswith("^") else b.lower() for b in t["ban_list"]}
        if set(Ban.objects.filter(mailing_list=self.list).values_list("email", flat=True)) != bans:
            yield "ban_list"
        topics = {plain(topic[0]) for topic in t["topics"] if plain(topic[1])}
        if {line.partition(":")[0] for line in here("topics")} != topics:
            yield "topics"
        aliases = [a for a in t["acceptable_aliases"].split("\n") if a.strip()]
        if not all(any(a in alias for alias in here("acceptable_aliases")) for a in aliases):
            yield "acceptable_aliases"

    def rules(self):
        expected = [
            line
            for pattern, action, _ in self.there["header_filter_rules"]
            for line in re.split(r"[\r\n]+", pattern)
            if line.strip()
        ]
        matches = list(self.list.header_matches.all())
        for line in expected:
            header = line.strip("^").partition(":")[0].lower()
            if not any(m.header == header for m in matches) and not self.is_told("header checks", line):
                yield line
        actions = {2: "reject", 3: "discard", 6: "accept", 7: "hold", 0: None}
        allowed = {
            (line.strip("^").partition(":")[0].lower(), actions[action])
            for pattern, action, _ in self.there["header_filter_rules"]
            for line in re.split(r"[\r\n]+", pattern)
        }
        yield from (f"{m.header}: {m.action}" for m in matches if (m.header, m.action) not in allowed)

    def texts(self):
        for old, name, words in (
            ("msg_footer", "list:member:regular:footer", ("${display_name}", "${listname}")),
            ("msg_header", "list:member:regular:header", ()),
            ("digest_footer", "list:member:digest:footer", ()),
            ("goodbye_msg", "list:user:notice:goodbye", ()),
            ("welcome_msg", "list:user:notice:welcome", ()),
        ):
            there, here = plain(self.there[old]), text(name, self.list)
            if self.is_told(f"texts {old}"):
                continue
            if there.endswith("%(web_page_url)slistinfo%(cgiext)s/%(_internal_name)s\n") and "$listname" in here:
                continue  # What Mailman says by itself, and what Postroad does.
            first = next((w for w in re.findall(r"[^\W_]{3,}", re.sub(r"%\(\w+\)s", "", there))), "")
            if first not in here or "%(" in here or (words and there and not any(word in here for word in words)):
                yield f"{old}: {here!r}"

    def members(self):
        rows = {
            m.address.email: m
            for m in Member.objects.filter(mailing_list=self.list, role="member").select_related("address")
        }
        for email, there in self.truth["members"].items():
            row = rows.pop(email.lower(), None)
            if row is None:
                if not self.is_told("members", email):
                    yield f"{email} is missing"
                continue
            yield from self._member(email, there, row)
        yield from (f"{email} is no member there" for email in rows)
        for role in ("owner", "moderator"):
            here = set(
                Member.objects.filter(mailing_list=self.list, role=role).values_list("address__email", flat=True)
            )
            if here != {email.lower() for email in self.there[role]}:
                yield role

    def _member(self, email, there, row):
        o = there["options"]
        mode = "regular" if not there["digest"] else "plaintext_digests" if o["DisableMime"] else "mime_digests"
        status = ("enabled", "unknown", "by_user", "by_moderator", "by_bounces")[there["delivery_status"]]
        moderated = ("hold", "reject", "discard")[self.there["member_moderation_action"]]
        expected = {
            "delivery_mode": mode, "delivery_status": status, "acknowledge_posts": o["AcknowledgePosts"],
            "hide_address": o["ConcealSubscription"], "receive_own_postings": not o["DontReceiveOwnPosts"],
            "receive_list_copy": not o["DontReceiveDuplicates"],
            "moderation_action": moderated if o["Moderate"] else "defer",
        }  # fmt: skip
        for name, value in expected.items():
            if getattr(row, name) != value:
                yield f"{email}: {name} is {getattr(row, name)} and was {value}"
        if row.preferred_language != there["language"] and not self.is_told("members", email, "language"):
            yield f"{email}: language"
        if row.address.original_email != there["cased_address"]:
            yield f"{email}: {row.address.original_email}"
        if there["topics"] and not self.is_told("members", email, "topics"):
            yield f"{email}: topics"
        bounce = there["bounce"]
        if bounce and row.bounce_score > math.ceil(bounce["state"]["score"] if "state" in bounce else 9):
            yield f"{email}: bounces"
        name, names = plain(there["name"]) or "", self._names(email)
        if row.address.display_name not in names and " ".join(name.split()) != row.address.display_name:
            yield f"{email}: called {row.address.display_name!r}, not {name!r}"

    def _names(self, email):
        return {" ".join((plain(names) or "").split()) for names in ALL_NAMES.get(email.lower(), ())}

    def held(self):
        rows = {row.request_id: row for row in HeldMessage.objects.filter(mailing_list=self.list)}
        for number, there in self.truth["held_messages"].items():
            row = rows.get(int(number))
            if row is None:
                if not self.is_told("held posts", f"request {number} "):
                    yield number
                continue
            raw = storage.load(row.message).replace(b"\r\n", b"\n")
            if hashlib.sha256(raw).hexdigest() != there["message"]["sha256"]:
                yield f"{number}: other bytes"
            if (row.sender, row.reason) != (there["sender"], there["reason"]):
                yield f"{number}: {row.sender} {row.reason}"
            if abs(row.held_at.timestamp() - there["time"]) > 1e-3 or decode(bytes(row.envelope)).kind != "posting":
                yield f"{number}: time"

    def requests(self):
        rows = Pending.objects.filter(list_id=self.list.list_id, token_owner="moderator")
        here = {(row.kind, row.email, row.display_name) for row in rows}
        wanted = {("subscription", entry[1], plain(entry[2])) for entry in self.truth["held_subscriptions"].values()}
        wanted |= {("unsubscription", email, "") for email in self.truth["held_unsubscriptions"].values()}
        if here != wanted:
            yield f"{here ^ wanted}"
        for secret, value in self.truth["pending"].items():
            if secret in ("evictions", "version"):
                continue
            if value[0] == "H":
                known = HeldMessage.objects.filter(request_id=value[1], token_hash=hashed(secret)).exists()
            elif value[0] == "P":
                from postroad.mailflow.bounces.models import Probe

                known = Probe.objects.filter(token_hash=hashed(secret)).exists()
            else:
                known = Pending.objects.filter(token_hash=hashed(secret), list_id=self.list.list_id).exists()
            if not known and not self.is_told("confirmations"):
                yield f"{secret} {value}"

    def mails(self):
        data, messages = self.archive
        here = {row.message: row for row in Mail.objects.filter(mailing_list=self.list)}
        starts = []
        for message in messages:
            starts.append(data.find(message["separator"].encode() + b"\n", starts[-1] + 1 if starts else 0))
        for message, start, end in zip(messages, starts, [*starts[1:], len(data)], strict=True):
            raw = data[start:end].partition(b"\n")[2]
            raw = raw[:-1] if raw.endswith(b"\n\n") else raw
            bare = re.sub(rb"^>From ", b"From ", raw, flags=re.MULTILINE)
            row = here.pop(hashlib.sha256(bare).hexdigest(), None)
            if row is None:
                yield f"mail {message['index']} {message['label']} is missing"
            elif (
                message["message_id"]
                and row.message_id != message["message_id"].strip().strip("<>")
                and (message["label"] == "corpus" and "Message-ID removed" not in message["defects"])
            ):
                yield f"mail {message['index']}: {row.message_id}"
        yield from (f"{row.message_id} was not there" for row in here.values())


ALL_NAMES: dict[str, list] = {}


def differences(truth, mailboxes, notes) -> list[str]:
    """Everything unexplained, for all lists; `mailboxes` are the bytes of each list's mbox."""
    ALL_NAMES.clear()
    for there in truth["lists"].values():
        for email, member in there["members"].items():
            ALL_NAMES.setdefault(email.lower(), []).append(member["name"])
    found = []
    for name, there in truth["lists"].items():
        archive = (mailboxes[name], truth["archives"][name]["messages"])
        found += Comparison(name, there, archive, notes).differences()
    lost = {e.lower() for there in truth["lists"].values() for e in there["members"]} - set(
        Address.objects.values_list("email", flat=True)
    )
    told = " ".join(what for _, what, _, _ in notes)
    return [*found, *(f"{email} is no address here" for email in lost if email not in told)]
