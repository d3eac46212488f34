"""Every attribute of a Mailman 2.1 list and what it is here; what is nothing here stands in `LOST` with the reason.

Facts: core/import21.md, which says what Mailman 3's own importer takes over.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

BOOLEANS: Mapping[str, str] = MappingProxyType({
    name: name
    for name in (
        "admin_immed_notify", "admin_notify_mchanges", "administrivia", "advertised", "anonymous_list",
        "bounce_notify_owner_on_bounce_increment", "bounce_notify_owner_on_disable", "bounce_notify_owner_on_removal",
        "collapse_alternatives", "convert_html_to_plaintext", "digest_is_default", "digest_send_periodic", "emergency",
        "filter_content",
        "first_strip_reply_to", "forward_auto_discards", "gateway_to_mail", "gateway_to_news",
        "include_rfc2369_headers", "obscure_addresses", "require_explicit_destination", "respond_to_post_requests",
        "topics_enabled",
    )
} | {
    "bounce_processing": "process_bounces", "digestable": "digests_enabled",
    "include_list_post_header": "allow_list_posts", "news_prefix_subject_too": "nntp_prefix_subject_too",
    "send_goodbye_msg": "send_goodbye_message", "send_welcome_msg": "send_welcome_message",
})  # fmt: skip

WHOLE_NUMBERS: Mapping[str, str] = MappingProxyType({
    name: name
    for name in (
        "bounce_score_threshold", "bounce_you_are_disabled_warnings", "max_days_to_hold", "max_message_size",
        "max_num_recipients", "topics_bodylines_limit",
    )
})  # fmt: skip

LINES: Mapping[str, str] = MappingProxyType({
    "description": "description", "linked_newsgroup": "linked_newsgroup", "real_name": "display_name",
    "reply_to_address": "reply_to_address",
})  # fmt: skip

TEXTS: Mapping[str, str] = MappingProxyType({
    "bounce_matching_headers": "bounce_matching_headers", "dmarc_moderation_notice": "dmarc_moderation_notice",
    "dmarc_wrapped_message_text": "dmarc_wrapped_message_text", "info": "info",
    "member_moderation_notice": "member_moderation_notice", "nonmember_rejection_notice": "nonmember_rejection_notice",
})  # fmt: skip

ANSWERS: Mapping[str, str] = MappingProxyType({
    "autoresponse_admin_text": "autoresponse_owner_text", "autoresponse_postings_text": "autoresponse_postings_text",
    "autoresponse_request_text": "autoresponse_request_text",
})  # fmt: skip
"""Texts with placeholders."""

LISTS: Mapping[str, str] = MappingProxyType({
    "filter_filename_extensions": "filter_extensions", "filter_mime_types": "filter_types",
    "pass_filename_extensions": "pass_extensions", "pass_mime_types": "pass_types",
    "dmarc_moderation_addresses": "dmarc_addresses", "accept_these_nonmembers": "accept_these_nonmembers",
    "hold_these_nonmembers": "hold_these_nonmembers", "reject_these_nonmembers": "reject_these_nonmembers",
    "discard_these_nonmembers": "discard_these_nonmembers",
})  # fmt: skip

_ANSWER = ("none", "respond_and_continue")
CHOICES: Mapping[str, tuple[str, Sequence[str]]] = MappingProxyType({
    "autorespond_admin": ("autorespond_owner", _ANSWER),
    "autorespond_postings": ("autorespond_postings", _ANSWER),
    "autorespond_requests": ("autorespond_requests", ("none", "respond_and_discard", "respond_and_continue")),
    "bounce_unrecognized_goes_to_list_owner": ("forward_unrecognized_bounces_to", ("discard", "administrators")),
    "digest_volume_frequency": (
        "digest_volume_frequency", ("yearly", "monthly", "quarterly", "weekly", "daily"),
    ),
    "filter_action": ("filter_action", ("discard", "reject", "forward", "preserve")),
    "mime_is_default_digest": ("default_digest", ("plaintext_digests", "mime_digests")),
    "generic_nonmember_action": ("default_nonmember_action", ("defer", "hold", "reject", "discard")),
    "news_moderation": ("newsgroup_moderation", ("none", "open_moderated", "moderated")),
    "personalize": ("personalize", ("individual", "individual", "full")),
    "private_roster": ("member_roster_visibility", ("public", "members", "moderators")),
    "reply_goes_to_list": ("reply_goes_to_list", ("no_munging", "point_to_list", "explicit_header")),
    "subscribe_policy": ("subscription_policy", ("open", "confirm", "moderate", "confirm_then_moderate")),
    "unsubscribe_policy": ("unsubscription_policy", ("confirm", "confirm_then_moderate")),
})  # fmt: skip
"""A number there is a word here."""

DURATIONS: Mapping[str, tuple[str, float]] = MappingProxyType({
    "autoresponse_graceperiod": ("autoresponse_grace_period", 86_400.0),
    "bounce_info_stale_after": ("bounce_info_stale_after", 1.0),
    "bounce_you_are_disabled_warnings_interval": ("bounce_you_are_disabled_warnings_interval", 1.0),
})  # fmt: skip
"""The setting, and the seconds of one unit there."""

COUNTERS: Mapping[str, str] = MappingProxyType({
    "post_id": "post_id", "volume": "volume", "next_digest_number": "next_digest_number",
    "usenet_watermark": "usenet_watermark",
})  # fmt: skip

LOST: Mapping[str, tuple[tuple[Any, ...], str]] = MappingProxyType({
    "admin_member_chunksize": ((30,), "pages have a size of their own"),
    "archive_volume_frequency": ((1,), "archives are shown by month and by thread"),
    "dmarc_none_moderation_action": ((0,), "authors whose domain asks for nothing are left as they are"),
    "dmarc_quarantine_moderation_action": (
        (1,), "a domain that asks for quarantine is treated as one that asks for rejection"
    ),
    "drop_cc": ((1,), "addresses in Cc stay as the author wrote them"),
    "encode_ascii_prefixes": ((0, 2), "prefixes are encoded only where they must be (RFC 2047)"),
    "equivalent_domains": (("",), "a person's other addresses are told to Postroad one by one"),
    "include_sender_header": ((1,), "no Sender field is added; From and the List fields say it all"),
    "member_verbosity_threshold": ((0,), "there is no limit of posts for each member; emergency moderation remains"),
    "new_member_options": ((256,), "new members begin with no options set, and set their own"),
    "nondigestable": ((1,), "members may always choose single posts"),
    "post_password": ((None, ""), "the password for posts is the moderators'"),
    "regular_exclude_lists": ((), "a list's recipients are its members; sibling lists are not taken away"),
    "regular_include_lists": ((), "a list's recipients are its members; sibling lists are not added"),
    "subscribe_auto_approval": ((), "whom to let in without asking is decided for each request"),
    "umbrella_list": ((0,), "subscribe the lists' addresses themselves; their owners are not written to instead"),
})  # fmt: skip
"""What has no counterpart: the values with which nothing is lost, and why there is none."""

ELSEWHERE = frozenset({
    "admin_responses", "postings_responses", "request_responses", "hold_and_cmd_autoresponses", "available_languages",
    "ban_list", "bounce_info", "created_at", "data_version", "default_member_moderation", "delivery_status",
    "digest_footer", "digest_header", "digest_members", "digest_last_sent_at", "digest_size_threshhold",
    "dmarc_moderation_action", "from_is_list", "goodbye_msg", "header_filter_rules", "host_name", "language",
    "last_post_time", "member_moderation_action", "member_verbosity_interval", "members", "mod_password", "moderator",
    "msg_footer", "msg_header", "next_post_number", "next_request_id", "nntp_host", "one_last_digest", "owner",
    "password", "passwords", "preferred_language", "regular_exclude_ignore", "scrub_nondigest", "send_reminders",
    "subject_prefix", "topics", "topics_userinterest", "umbrella_member_suffix", "user_options", "usernames",
    "web_page_url", "welcome_msg", "acceptable_aliases", "archive", "archive_private", "_internal_name", "_fullpath",
})  # fmt: skip
"""Attributes that `settings.py` and the steps of people, texts and requests read, or that never said anything."""
