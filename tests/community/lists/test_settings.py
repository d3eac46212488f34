"""The register of list settings: names, defaults and choices that Mailman's clients and importers rely on."""

import importlib
from datetime import UTC, datetime

import pytest
from django.conf import settings as django_settings

from postroad.community.lists import settings
from postroad.community.lists.models import MailingList
from postroad.community.lists.register import Setting, all_settings, writable
from postroad.community.lists.styles import STYLES

DAY = 86_400.0
WRITABLE = {
    "acceptable_aliases": (), "accept_these_nonmembers": (), "admin_immed_notify": True, "admin_notify_mchanges": False,
    "administrivia": True, "advertised": True, "allow_list_posts": True, "anonymous_list": False,
    "archive_policy": "public", "archive_rendering_mode": "text", "autorespond_owner": "none",
    "autorespond_postings": "none", "autorespond_requests": "none", "autoresponse_grace_period": 90 * DAY,
    "autoresponse_owner_text": "", "autoresponse_postings_text": "", "autoresponse_request_text": "",
    "bounce_info_stale_after": 7 * DAY, "bounce_notify_owner_on_bounce_increment": False,
    "bounce_notify_owner_on_disable": True, "bounce_notify_owner_on_removal": True, "bounce_score_threshold": 5,
    "bounce_you_are_disabled_warnings": 3, "bounce_you_are_disabled_warnings_interval": 7 * DAY,
    "collapse_alternatives": True, "convert_html_to_plaintext": False, "default_member_action": "defer",
    "default_nonmember_action": "hold", "description": "", "digest_send_periodic": True, "digest_size_threshold": 30.0,
    "digest_volume_frequency": "monthly", "digests_enabled": True, "display_name": "Ant",
    "discard_these_nonmembers": (), "dmarc_mitigate_action": "no_mitigation", "dmarc_mitigate_unconditionally": False,
    "dmarc_addresses": (), "dmarc_moderation_notice": "", "dmarc_wrapped_message_text": "", "emergency": False,
    "filter_action": "discard", "filter_content": False, "filter_extensions": (), "filter_types": (),
    "first_strip_reply_to": False, "forward_unrecognized_bounces_to": "administrators", "gateway_to_mail": False,
    "gateway_to_news": False, "hold_these_nonmembers": (), "include_rfc2369_headers": True, "info": "",
    "linked_newsgroup": "", "max_message_size": 40, "max_num_recipients": 10, "max_days_to_hold": 0,
    "member_roster_visibility": "moderators", "moderator_password": None, "newsgroup_moderation": "none",
    "nntp_prefix_subject_too": True, "pass_types": (), "pass_extensions": (), "personalize": "individual",
    "posting_pipeline": "default-posting-pipeline", "preferred_language": "en", "process_bounces": True,
    "reject_these_nonmembers": (), "reply_goes_to_list": "no_munging", "reply_to_address": "",
    "require_explicit_destination": True, "respond_to_post_requests": True, "send_goodbye_message": True,
    "send_welcome_message": True, "subject_prefix": "[Ant] ", "subscription_policy": "confirm",
    "unsubscription_policy": "confirm",
}  # fmt: skip
READ_ONLY = {
    "bounces_address": "ant-bounces@example.com", "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    "digest_last_sent_at": None, "fqdn_listname": "ant@example.com", "join_address": "ant-join@example.com",
    "last_post_at": None, "leave_address": "ant-leave@example.com", "list_name": "ant", "mail_host": "example.com",
    "next_digest_number": 1, "no_reply_address": "noreply@example.com", "owner_address": "ant-owner@example.com",
    "post_id": 1, "posting_address": "ant@example.com", "request_address": "ant-request@example.com",
    "usenet_watermark": None, "volume": 1,
}  # fmt: skip
UNEXPOSED = {
    "posting_chain", "owner_chain", "owner_pipeline", "bounce_matching_headers", "member_moderation_notice",
    "nonmember_rejection_notice", "obscure_addresses", "forward_auto_discards", "topics", "topics_enabled",
    "topics_bodylines_limit",
}  # fmt: skip


def ant(style: str = "legacy-default") -> MailingList:
    created = datetime(2026, 1, 1, tzinfo=UTC)
    return MailingList(
        list_id="ant.example.com", list_name="ant", mail_host="example.com", style_name=style, created_at=created
    )


def test_a_fresh_list_has_mailmans_76_writable_attributes_with_their_defaults():
    exposed = {name: setting.of(ant()) for name, setting in writable().items() if setting.exposed}
    assert exposed == WRITABLE
    assert len(exposed) == 76


def test_the_17_read_only_attributes_follow_from_the_list():
    derived = {name: setting.of(ant()) for name, setting in all_settings().items() if setting.read_only}
    assert derived == READ_ONLY
    assert len(derived) == 17


def test_what_mailman_keeps_without_showing_is_declared_but_not_exposed():
    hidden = {name for name, setting in all_settings().items() if not setting.exposed}
    assert hidden >= UNEXPOSED  # What Postroad adds stands beside them, never in an old shape.


@pytest.mark.parametrize("module", django_settings.LIST_SETTING_MODULES)
def test_a_setting_is_read_by_its_own_name_and_stands_in_its_modules_tuple(module):
    loaded = importlib.import_module(module)
    named = {name: value for name, value in vars(loaded).items() if isinstance(value, Setting)}
    assert all(name == setting.name for name, setting in named.items())
    missing = set(named.values()) - set(loaded.SETTINGS)
    assert all(setting in settings.SETTINGS for setting in missing)


def test_every_setting_has_a_group_and_a_label_and_a_default_that_it_allows():
    for setting in all_settings().values():
        assert setting.group
        assert setting.label
        if setting.choices:
            assert setting.default in setting.choices, setting.name


@pytest.mark.parametrize(
    ("style", "differs"),
    [
        ("legacy-announce", {"allow_list_posts": False, "authenticate_senders": True}),
        (
            "private-default",
            {"advertised": False, "archive_policy": "private", "subscription_policy": "confirm_then_moderate"},
        ),
    ],
)
def test_a_style_changes_what_mailmans_does_and_announcements_ask_for_proof(style, differs):
    values = {name: setting.of(ant(style)) for name, setting in writable().items()}
    usual = {name: setting.of(ant("legacy-default")) for name, setting in writable().items()}
    assert {name: value for name, value in values.items() if value != usual[name]} == differs
    assert set(STYLES) == {"legacy-default", "legacy-announce", "private-default"}


def test_a_stored_value_goes_before_the_styles():
    mailing_list = ant("private-default")
    mailing_list.settings = {"advertised": True, "subject_prefix": ""}
    assert settings.advertised.of(mailing_list) is True
    assert settings.subject_prefix.of(mailing_list) == ""
