"""What handlers write into a list's mail, in the language of the list."""

from collections.abc import Mapping
from pathlib import Path

from postroad.community.lists.models import MailingList
from postroad.community.notices.templates import expand, language_of
from postroad.foundation.catalogs import translator

_SLICE = Path(__file__).parent


def say(mailing_list: MailingList, text: str, values: Mapping[str, str] | None = None) -> str:
    """The text in the list's language, with its `$variables` filled."""
    return expand(translator(_SLICE, language_of(mailing_list))(text), values or {})
