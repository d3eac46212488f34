"""Patterns of list owners: what is allowed, and that nothing allowed can be made to hang."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.foundation.errors import BadInput
from postroad.foundation.patterns import LONGEST_TEXT, SHORTEST_TEXT, compile_pattern, found, matches

pytestmark = pytest.mark.sqlite_only

USUAL = (
    r"^.*@spam\.example$", r"^[^@]+@(.+\.)?example\.com$", r"^([a-z0-9-]+\.)*example\.com$", r"^\S+@\d+\.example",
    r"^(?!.*@example\.com$)", r"^foo@bar\.example|baz@qux\.example$", r"^(alice|bob)\+?.*@example\.org",
    r"^\[SPAM\]", "viagra", r"^.*(casino|poker).*$", r"^yes$", r"^[0-9]{5,}@qq\.com$", r"^.+", "^",
)  # fmt: skip
CATASTROPHES = (
    r"^(a+)+$", r"^(a*)*b", r"^(a|a)*b", r"^(a|ab|b)*c", r"^((a+){5}){5}$", r"^(\w+\s?)*$", r"^(.*,)*x", r"^(a{1,3})*b",
    r"^(a)\1", r"^(a?){30}a{30}", r"^.*.*.*.*.*=", r"^(?:x+x+)+y", r"^(?=(a+)+b)", "^" + "a?" * 40 + "a" * 40,
    "^" + ".{0,9}" * 9 + "x", "^" + "(a|ab|abc)" * 20 + "x", r"^(.*,){9}x", "^" + r"\w*,?" * 9 + "=",
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


@pytest.mark.parametrize(
    ("text", "reason"), [(r"^(a*)*b", "A repeat inside a repeat"), (r"^(a|a)*b", "Alternatives that begin alike")]
)
def test_a_refusal_names_what_is_wrong(text, reason):
    with pytest.raises(BadInput, match=reason):
        compile_pattern(text)


@pytest.mark.parametrize(("text", "limit"), [("^.*.*!", 2000), ("^.*.*.*!", 669), ("^.*.*[ab]*,!", 669)])
def test_texts_are_cut_the_shorter_the_more_repeats_there_are(text, limit):
    """Also for one that ends where something else must begin: it is gone through once for each way of the others."""
    assert compile_pattern(text).limit == limit


@pytest.mark.filterwarnings("ignore::FutureWarning")  # Python's, about sets in sets that may come.
@given(st.text(st.sampled_from("ab.*+?{1,}()[]|^$\\wd-:=!<>P"), max_size=40))
def test_whatever_is_written_is_a_pattern_or_refused_with_a_reason(text):
    with suppress(BadInput):
        assert SHORTEST_TEXT <= compile_pattern(text).limit <= LONGEST_TEXT
