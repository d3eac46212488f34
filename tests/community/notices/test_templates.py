"""Where the text of a notice comes from, and how its variables are filled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.community.lists import actions as lists
from postroad.community.notices import templates
from postroad.community.notices.models import TemplateUri


@pytest.fixture
def ants():
    lists.create_domain("notices.example")
    return lists.create_list("ants@notices.example")


def test_all_names_of_mailman_are_known():
    assert len(templates.NAMES) == 28
    assert "list:user:notice:no-more-today" in templates.NAMES
    assert "domain:admin:notice:new-list" in templates.NAMES


@pytest.mark.django_db
def test_the_nearest_text_counts(ants):
    name = "list:user:notice:welcome"
    assert "Welcome" in templates.text(name, ants)
    for context in ("", "notices.example", "ants.notices.example"):
        TemplateUri.objects.create(context=context, name=name, uri="", text=f"from {context or 'site'}")
        assert templates.text(name, ants) == f"from {context or 'site'}"


def test_unknown_variables_stay():
    assert templates.expand("$known ${known}x $unknown $$5", {"known": "k"}) == "k kx $unknown $5"


@pytest.mark.sqlite_only
@given(st.text(), st.text())
def test_a_value_is_never_expanded_again(template, value):
    assert templates.expand("${a}", {"a": value}) == value
    templates.expand(template, {"a": value})


@pytest.mark.sqlite_only
@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_wrapping_loses_no_word(word):
    body = " ".join([word] * 60)
    assert templates.wrapped(body).split() == body.split()
