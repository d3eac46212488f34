"""What each setting of an old list is worth here, worked out a second time for `verify` (facts: core/import21.md)."""

import math
import re
from collections.abc import Iterator
from typing import Any

from postroad.upgrade.mailman2.recount import Old

Worth = tuple[str, str, Any]
"""Attribute there, setting here, value here."""

_SWITCHES = """
    admin_immed_notify admin_notify_mchanges administrivia advertised anonymous_list
    bounce_notify_owner_on_bounce_increment bounce_notify_owner_on_disable bounce_notify_owner_on_removal
    bounce_processing=process_bounces collapse_alternatives convert_html_to_plaintext digestable=digests_enabled
    digest_is_default digest_send_periodic emergency filter_content first_strip_reply_to forward_auto_discards
    gateway_to_mail gateway_to_news include_list_post_header=allow_list_posts include_rfc2369_headers
    news_prefix_subject_too=nntp_prefix_subject_too obscure_addresses require_explicit_destination
    respond_to_post_requests send_goodbye_msg=send_goodbye_message send_welcome_msg=send_welcome_message topics_enabled
"""
_NUMBERS = """
    bounce_info_stale_after bounce_you_are_disabled_warnings_interval digest_size_threshhold=digest_size_threshold
"""
_WHOLE = """
    bounce_score_threshold bounce_you_are_disabled_warnings max_days_to_hold max_message_size max_num_recipients
    topics_bodylines_limit
"""
_TEXTS = """
    bounce_matching_headers description dmarc_moderation_notice dmarc_wrapped_message_text info linked_newsgroup
    member_moderation_notice nonmember_rejection_notice preferred_language real_name=display_name reply_to_address
    subject_prefix
"""
_LISTS = """
    accept_these_nonmembers discard_these_nonmembers dmarc_moderation_addresses=dmarc_addresses
    filter_filename_extensions=filter_extensions filter_mime_types=filter_types hold_these_nonmembers
    pass_filename_extensions=pass_extensions pass_mime_types=pass_types reject_these_nonmembers
"""
_ANSWERS = """
    autoresponse_admin_text=autoresponse_owner_text autoresponse_postings_text autoresponse_request_text
"""
_WORDS = """
    autorespond_admin=autorespond_owner: none respond_and_continue
    autorespond_postings: none respond_and_continue
    autorespond_requests: none respond_and_discard respond_and_continue
    bounce_unrecognized_goes_to_list_owner=forward_unrecognized_bounces_to: discard administrators
    digest_volume_frequency: yearly monthly quarterly weekly daily
    filter_action: discard reject forward preserve
    generic_nonmember_action=default_nonmember_action: defer hold reject discard
    mime_is_default_digest=default_digest: plaintext_digests mime_digests
    news_moderation=newsgroup_moderation: none open_moderated moderated
    personalize: individual individual full
    private_roster=member_roster_visibility: public members moderators
    reply_goes_to_list: no_munging point_to_list explicit_header
    subscribe_policy=subscription_policy: open confirm moderate confirm_then_moderate
    unsubscribe_policy=unsubscription_policy: confirm confirm_then_moderate
"""
MODERATED = ("hold", "reject", "discard")
_MITIGATED = ("no_mitigation", "munge_from", "wrap_message", "reject", "discard")
_DAY = 86_400
_OLD_PLACE = re.compile(r"%\(web_page_url\)s\S*|%\(\w{1,40}\)[sd]")
_NEW_PLACE = re.compile(r"\$\{\w{1,40}\}")


def worth(old: Old) -> Iterator[Worth]:
    """Every setting that is here what it was there; attributes that an older release lacks have none."""
    return ((name, setting, value) for name, setting, value in _every(old) if name in old.data)


def without_places(text: str) -> str:
    """An automatic answer without what is filled in, which is written another way here."""
    return _NEW_PLACE.sub("", _OLD_PLACE.sub("", text)).replace("$", "").replace("%", "")


def _pairs(table: str) -> Iterator[tuple[str, str]]:
    for entry in table.split():
        name, _, setting = entry.partition("=")
        yield name, setting or name


def _every(old: Old) -> Iterator[Worth]:
    for name, setting in _pairs(_SWITCHES):
        yield name, setting, bool(old.number(name))
    for name, setting in _pairs(_NUMBERS):
        yield name, setting, old.number(name)
    for name, setting in _pairs(_WHOLE):
        yield name, setting, math.ceil(old.number(name))
    for name, setting in _pairs(_TEXTS):
        yield name, setting, old.text(old.data.get(name))
    for name, setting in _pairs(_LISTS):
        yield name, setting, [_whole(entry, old) for entry in old.lines(name)]
    for name, setting in _pairs(_ANSWERS):
        yield name, setting, without_places(old.text(old.data.get(name)))
    for line in _WORDS.strip().splitlines():
        pair, _, words = line.partition(":")
        (name, setting), number = next(_pairs(pair)), int(old.number(line.strip().partition(":")[0].partition("=")[0]))
        yield name, setting, words.split()[number] if 0 <= number < len(words.split()) else number
    yield from _together(old)


def _whole(entry: str, old: Old) -> str:
    """Another list of the site is named with its host here."""
    return f"{entry}@{old.list_id.removeprefix(f'{old.name}.')}" if re.fullmatch(r"@[^@]+", entry) else entry


def _together(old: Old) -> Iterator[Worth]:
    """What several attributes say together."""
    action, moderates = int(old.number("member_moderation_action")), old.number("default_member_moderation")
    word = MODERATED[action] if 0 <= action < len(MODERATED) else "hold"
    yield "default_member_moderation", "default_member_action", word if moderates else "defer"
    always, sometimes = int(old.number("from_is_list")), int(old.number("dmarc_moderation_action"))
    yield "from_is_list", "dmarc_mitigate_unconditionally", always > sometimes
    strongest = max(always, sometimes)
    word = _MITIGATED[strongest] if 0 <= strongest < len(_MITIGATED) else "no_mitigation"
    yield "dmarc_moderation_action", "dmarc_mitigate_action", word
    yield "autoresponse_graceperiod", "autoresponse_grace_period", old.number("autoresponse_graceperiod") * _DAY
    yield "archive_private", "archive_policy", policy(old)


def policy(old: Old) -> str:
    """Who may read the archive: all only where the list says so."""
    if "archive" in old.data and not old.data["archive"]:
        return "never"
    return "public" if old.data.get("archive_private") in (0, False) else "private"
