"""Setting values in and out, as REST 3.1 has them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.contrib.auth.hashers import check_password
from hypothesis import given
from hypothesis import strategies as st

from postroad.community.lists.register import all_settings
from postroad.community.lists.values import bounded, checked, from_wire, moment_text, to_wire
from postroad.foundation.durations import seconds_of, text_of
from postroad.foundation.errors import BadInput

pytestmark = pytest.mark.sqlite_only

DAY = 86_400.0


def read(name, value):
    return from_wire(all_settings()[name], value)


def refused(name, value):
    with pytest.raises(BadInput) as error:
        read(name, value)
    return str(error.value)


@pytest.mark.parametrize("word", ["true", "YES", "1", 1, "On", "enable", "ENABLED", True])
def test_these_words_mean_yes(word):
    assert read("advertised", word) is True


@pytest.mark.parametrize("word", ["false", "No", "0", 0, "off", "DISABLE", "disabled", False])
def test_these_words_mean_no(word):
    assert read("advertised", word) is False


@pytest.mark.parametrize("word", ["", "maybe", 7, None, ["yes"], "2"])
def test_anything_else_is_no_truth_value(word):
    assert "boolean" in refused("advertised", word)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("info", "x" * 1_000_001), ("description", "x" * 1_000_001), ("filter_types", ["x" * 600_000] * 2),
        ("accept_these_nonmembers", ["a@b.example"] * 100_000),
    ],
)  # fmt: skip
def test_nothing_is_longer_than_a_setting_can_be(name, value):
    """Settings are read with their list, for every post; what another program had is moved in all the same."""
    assert checked(all_settings()[name], value)
    with pytest.raises(BadInput, match="at most 1000000 characters"):
        bounded(read(name, value))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7d", 7 * DAY), ("1w2d", 9 * DAY), ("5d3h10m5s", 5 * DAY + 11405), ("1.5d", 1.5 * DAY), ("0d", 0),
        ("5d11405.0s", 5 * DAY + 11405), (".5h", 1800), ("90m", 5400),
    ],
)  # fmt: skip
def test_a_duration_is_numbers_with_units_from_weeks_to_seconds(text, seconds):
    assert read("bounce_info_stale_after", text) == seconds


@pytest.mark.parametrize("text", ["", "7", 7, "7 d", "-7d", "1d1w", "1d1d", "d", "1y", "9999999999d", None, "１d١x"])
def test_other_spellings_of_a_duration_are_refused(text):
    assert refused("bounce_info_stale_after", text)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=100_000)))
def test_a_duration_comes_back_as_it_went_out(duration):
    seconds = float(int(duration.total_seconds()))
    assert seconds_of(text_of(seconds)) == seconds


def test_durations_go_out_as_days_and_seconds():
    assert text_of(7 * DAY) == "7d"
    assert text_of(0) == "0d"
    assert text_of(5 * DAY + 11405) == "5d11405.0s"


def test_a_moment_goes_out_in_utc_without_zone():
    zone = timezone(timedelta(hours=2))
    assert moment_text(datetime(2026, 11, 22, 15, 4, 48, 628976, zone)) == "2026-11-22T13:04:48.628976"
    assert to_wire(all_settings()["created_at"], datetime(2026, 11, 22, 13, 4, 48, tzinfo=UTC)) == "2026-11-22T13:04:48"
    assert to_wire(all_settings()["last_post_at"], None) is None


def test_a_choice_is_exactly_one_of_its_names():
    assert read("archive_policy", "private") == "private"
    assert refused("archive_policy", "Private") == "Accepted Values are: never, private, public"
    assert refused("default_member_action", 1) == "Accepted Values are: hold, reject, discard, accept, defer"


@pytest.mark.parametrize(("value", "number"), [("5", 5), (5, 5), ("0", 0)])
def test_a_count_is_a_whole_number(value, number):
    assert read("max_message_size", value) == number


@pytest.mark.parametrize("value", ["-1", -1, "x", "", None, True, "1.5", 10**20, float("inf")])
def test_what_is_no_count_is_refused(value):
    assert "whole number" in refused("max_message_size", value)


@pytest.mark.parametrize("value", ["nan", "inf", -0.5, "x", None, False])
def test_a_number_is_finite_and_not_negative(value):
    assert refused("digest_size_threshold", value)
    assert read("digest_size_threshold", "10.5") == 10.5


def test_a_line_holds_no_line_break_and_no_text_holds_what_a_database_cannot():
    assert "one line" in refused("description", "a\nb")
    assert read("info", "a\nb") == "a\nb"
    assert refused("info", "a\0b")
    assert refused("info", "\ud800")
    assert refused("info", ["a", "b"])
    assert read("info", None) == ""


def test_a_list_of_texts_takes_none_one_or_several():
    assert read("filter_types", "") == []
    assert read("filter_types", "image") == ["image"]
    assert read("filter_types", ["image", "audio/mpeg"]) == ["image", "audio/mpeg"]
    assert refused("filter_types", [1])


def test_nonmembers_are_addresses_patterns_or_other_lists():
    assert read("accept_these_nonmembers", ["a@example.com", "^.*@b", "@ant@example.com"])
    assert read("hold_these_nonmembers", ["@ant@example.com"])
    assert "Invalid email address: nobody" in refused("accept_these_nonmembers", ["nobody"])
    assert "regular expression" in refused("hold_these_nonmembers", "^(")
    assert "for ever" in refused("reject_these_nonmembers", "^(a+)+$")


def test_aliases_are_lower_case_once_and_sorted():
    assert read("acceptable_aliases", ["B@Example.com", "^A\\S+@x", "b@example.com"]) == ["^a\\S+@x", "b@example.com"]
    assert refused("acceptable_aliases", ["nobody"]) == "nobody"
    assert read("acceptable_aliases", "") == []
    assert to_wire(all_settings()["acceptable_aliases"], ("b@x", "a@x")) == ["a@x", "b@x"]


def test_a_password_is_kept_as_an_argon2_hash_only():
    hashed = read("moderator_password", "s3cret")
    assert hashed.startswith("argon2")
    assert check_password("s3cret", hashed)
    assert read("moderator_password", None) is None
    assert read("moderator_password", "") is None


def test_languages_and_pipelines_are_known_ones():
    assert read("preferred_language", "pt_BR") == "pt_BR"
    assert "Accepted Values are:" in refused("preferred_language", "tlh")
    assert read("posting_pipeline", "virgin") == "virgin"
    assert "default-posting-pipeline" in refused("posting_pipeline", "sewer")


def test_a_typed_value_of_the_wrong_type_is_refused():
    register = all_settings()
    for name, value in (("advertised", "yes"), ("bounce_info_stale_after", "7d"), ("moderator_password", 5)):
        if name == "moderator_password":
            assert checked(register[name], value)
            continue
        with pytest.raises(BadInput):
            checked(register[name], value)
    assert checked(register["bounce_info_stale_after"], 3600) == 3600.0
    assert checked(register["moderator_password"], "argon2$x") == "argon2$x"
