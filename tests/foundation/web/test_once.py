"""Parts of templates that are rendered once for each language."""

import pytest
from django.template import Context, engines
from django.utils.translation import override

pytestmark = pytest.mark.sqlite_only


def test_what_stands_in_once_is_made_once_for_each_language():
    template = engines["django"].from_string(
        "{% load once i18n %}{% once %}{% translate 'Yes' %} {{ n }}{% endonce %} {{ n }}"
    )
    shown = []
    for number, language in enumerate(("en", "de", "en", "de")):
        with override(language):
            shown.append(template.template.render(Context({"n": number})))
    assert shown == ["Yes 0 0", "Ja 1 1", "Yes 0 2", "Ja 1 3"]
