"""What each setting of an old list and each option of a member is worth here, worked out a second time for `verify`.

Read from the old tables anew, by tables of its own (facts: core/schema.md); a column that is null says nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from postroad.upgrade.importing.pickles import Record, load
from postroad.upgrade.mailman3.databases import OldDatabase, Row

_SWITCHES = """
    admin_immed_notify admin_notify_mchanges administrivia advertised allow_list_posts anonymous_list
    bounce_notify_owner_on_bounce_increment bounce_notify_owner_on_disable bounce_notify_owner_on_removal
    collapse_alternatives convert_html_to_plaintext digest_is_default digest_send_periodic digests_enabled
    dmarc_mitigate_unconditionally emergency filter_content first_strip_reply_to gateway_to_mail gateway_to_news
    include_rfc2369_headers nntp_prefix_subject_too obscure_addresses process_bounces require_explicit_destination
    respond_to_post_requests send_goodbye_message send_welcome_message
"""
_NUMBERS = """
    bounce_score_threshold bounce_you_are_disabled_warnings digest_size_threshold max_days_to_hold max_message_size
    max_num_recipients topics_bodylines_limit
"""
_TEXTS = """
    autoresponse_owner_text autoresponse_postings_text autoresponse_request_text bounce_matching_headers description
    display_name dmarc_moderation_notice dmarc_wrapped_message_text info linked_newsgroup member_moderation_notice
    nonmember_rejection_notice owner_chain owner_pipeline posting_chain posting_pipeline preferred_language
    reply_to_address subject_prefix
"""
_PICKLED = """
    accept_these_nonmembers discard_these_nonmembers dmarc_addresses hold_these_nonmembers reject_these_nonmembers
"""
_SPANS = "autoresponse_grace_period bounce_info_stale_after bounce_you_are_disabled_warnings_interval"
_ANSWERED = "none respond_and_discard respond_and_continue"
_JOINED = "open confirm moderate confirm_then_moderate"
_DONE = "hold reject discard accept defer"
_WORDS: Mapping[str, list[str]] = {
    name: words.split()
    for name, words in {
        "archive_policy": "never private public", "archive_rendering_mode": "- text markdown",
        "autorespond_owner": _ANSWERED, "autorespond_postings": _ANSWERED, "autorespond_requests": _ANSWERED,
        "default_member_action": _DONE, "default_nonmember_action": _DONE,
        "digest_volume_frequency": "yearly monthly quarterly weekly daily",
        "dmarc_mitigate_action": "no_mitigation munge_from wrap_message reject discard",
        "filter_action": f"{_DONE} forward preserve",
        "forward_unrecognized_bounces_to": "discard administrators site_owner",
        "member_roster_visibility": "public members moderators",
        "newsgroup_moderation": "none open_moderated moderated", "personalize": "individual individual full",
        "reply_goes_to_list": "no_munging point_to_list explicit_header explicit_header_only",
        "subscription_policy": _JOINED, "unsubscription_policy": _JOINED,
    }.items()
}  # fmt: skip
"""Words by number; that nobody gets a copy of his own becomes that everybody does, and the report says so."""
_FILTERS = ("filter_types", "pass_types", "filter_extensions", "pass_extensions")
UNORDERED = (*_FILTERS, "acceptable_aliases")
"""Settings whose values have no order there; here they are compared in the order of letters."""

_OPTIONS: Mapping[str, list[str]] = {
    "delivery_mode": ["", "regular", "plaintext_digests", "mime_digests", "summary_digests"],
    "delivery_status": ["", "enabled", "by_user", "by_bounces", "by_moderator", "unknown"],
    "acknowledge_posts": [], "hide_address": [], "preferred_language": [], "receive_list_copy": [],
    "receive_own_postings": [],
}  # fmt: skip
OPTIONS = ("moderation_action", *_OPTIONS)
"""What is compared of each member."""


def settings(core: OldDatabase) -> Iterator[tuple[Row, str, Any]]:
    """Every setting of every list that says something: the list's row, the setting, its value here."""
    together = _of_lists(core)
    for row in core.rows("mailinglist", sorted({"id", "list_id", "mail_host"} | core.columns("mailinglist"))):
        for name, value in (*_of_columns(row), *together.get(row["id"], {}).items()):
            yield row, name, value


def options(core: OldDatabase) -> Iterator[tuple[Row, str, Any]]:
    """Every option of every member: its row, the option, its value here; None where another one decides."""
    kept = {row["id"]: row for row in core.rows("preferences", ("id", *_OPTIONS))}
    for row in core.rows("member", ("id", "list_id", "role", "address_id", "user_id", "moderation_action",
                                    "preferences_id")):  # fmt: skip
        own = kept.get(row["preferences_id"], {})
        yield row, "moderation_action", _word(_DONE.split(), row["moderation_action"])
        for name, words in _OPTIONS.items():
            value = own.get(name)
            is_switch = not words and name != "preferred_language"
            yield row, name, _word(words, value) if words else bool(value) if is_switch and value is not None else value


def _of_columns(row: Row) -> Iterator[tuple[str, Any]]:
    host = row["mail_host"]
    for names, worth in (
        (_SWITCHES, bool), (_NUMBERS, float), (_TEXTS, _text), (_SPANS, _seconds),
        (_PICKLED, lambda value: [_whole(entry, host) for entry in _strings(value)]),
    ):  # fmt: skip
        for name in names.split():
            if row.get(name) is not None:
                yield name, worth(row[name])
    for name, words in _WORDS.items():
        if row.get(name) is not None:
            yield name, _word(words, row[name])


def _of_lists(core: OldDatabase) -> dict[int, dict[str, Any]]:
    """What has tables of its own, by list: all of it together."""
    found: dict[int, dict[str, list[str]]] = {}
    for row in core.rows("contentfilter", ("id", "mailing_list_id", "filter_type", "filter_pattern")):
        name = _FILTERS[row["filter_type"]]
        found.setdefault(row["mailing_list_id"], {}).setdefault(name, []).append(row["filter_pattern"])
    for row in core.rows("acceptablealias", ("id", "mailing_list_id", "alias")):
        found.setdefault(row["mailing_list_id"], {}).setdefault("acceptable_aliases", []).append(row["alias"])
    return {number: {name: sorted(values) for name, values in of.items()} for number, of in found.items()}


def _word(words: list[str], number: Any) -> Any:
    return words[number] if isinstance(number, int) and 0 <= number < len(words) else number


def _text(value: Any) -> str:
    written = bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
    return written.replace("\0", "")


def _seconds(value: Any) -> float:
    """An interval, which SQLite and MySQL keep as a moment counted from 1970."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return float((moment - datetime(1970, 1, 1, tzinfo=moment.tzinfo)).total_seconds())


def _strings(value: Any) -> Iterable[str]:
    found = load(bytes(value), frozenset({"sqlalchemy.ext.mutable.MutableList"})) if value else []
    if isinstance(found, Record):
        found = [*(found.arguments[0] if found.arguments else []), *found.items]
    return (_text(entry) for entry in found)


def _whole(entry: str, host: str) -> str:
    """A pattern without a flag that counts always; another list of the site by its whole name."""
    entry = entry.replace("(?i)", "") if entry.startswith("^") else entry
    return f"{entry}@{host}" if re.fullmatch(r"@[^@]+", entry) else entry
