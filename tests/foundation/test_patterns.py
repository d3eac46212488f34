"""Patterns of list owners: what is allowed, and that nothing allowed can be made to hang."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.errors import BadInput
from postroad.foundation.patterns import compile_pattern, found, matches
from tests.effort import ends_within

pytestmark = pytest.mark.sqlite_only

USUAL = (
    r"^.*@spam\.example$", r"^[^@]+@(.+\.)?example\.com$", r"^([a-z0-9-]+\.)*example\.com$", r"^\S+@\d+\.example",
    r"^(?!.*@example\.com$)", r"^foo@bar\.example|baz@qux\.example$", r"^(alice|bob)\+?.*@example\.org",
    r"^\[SPAM\]", "viagra", r"^.*(casino|poker).*$", r"^yes$", r"^[0-9]{5,}@qq\.com$", r"^.+", "^",
)  # fmt: skip
CATASTROPHES = (
    r"^(a+)+$", r"^(a*)*b", r"^(a|a)*b", r"^(a|ab|b)*c", r"^((a+){5}){5}$", r"^(\w+\s?)*$", r"^(.*,)*x", r"^(a{1,3})*b",
    r"^(a)\1", r"^(a?){30}a{30}", r"^.*.*.*.*.*=", r"^(?:x+x+)+y", r"^(?=(a+)+b)", "^" + "a?" * 40 + "a" * 40,
    "^" + ".{0,9}" * 9 + "x", "^" + "(a|ab|abc)" * 20 + "x", r"^(.*,){9}x",
)  # fmt: skip


@pytest.mark.parametrize("text", USUAL)
def test_what_list_owners_usually_write_is_allowed(text):
    assert compile_pattern(text).text == text


@pytest.mark.parametrize("text", CATASTROPHES)
def test_a_pattern_that_could_take_for_ever_is_refused_when_it_is_made(text):
    with pytest.raises(BadInput, match=r"pattern|Pattern|repeat"):
        compile_pattern(text)


def test_a_broken_or_endless_pattern_is_refused_with_its_reason():
    with pytest.raises(BadInput, match="Not a regular expression"):
        compile_pattern("^(a")
    with pytest.raises(BadInput, match="500"):
        compile_pattern("^" + "a" * 500)


def test_matching_ignores_case_and_is_anchored_where_asked():
    pattern = compile_pattern(r"^.*@Example\.com$")
    assert matches(pattern, "ANNE@EXAMPLE.COM")
    assert not matches(pattern, "anne@example.org")
    assert found(compile_pattern("casino"), "Best Casino")
    assert not matches(compile_pattern("casino"), "Best Casino")


pieces = st.sampled_from(
    [
        "a",
        "b",
        ".",
        "[ab]",
        r"\w",
        "a*",
        ".*",
        ".+?",
        "(a+)",
        "(ab)*",
        "(a|b)+",
        "(a|ab)",
        "(a*b)*",
        "a{2,}",
        "(.+,)*",
        r"\s*",
        "(?:a?b)+",
    ]
)


@given(st.lists(pieces, min_size=1, max_size=8), st.sampled_from(["a", "ab", "aab", "a,", " a"]))
def test_whatever_is_allowed_ends_soon_on_any_text(parts, unit):
    try:
        pattern = compile_pattern("^" + "".join(parts) + "!$")
    except BadInput:
        return
    assert ends_within(1, lambda: found(pattern, unit * 2000), tries=1)
