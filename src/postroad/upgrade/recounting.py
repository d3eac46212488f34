"""What is here of things that every old system has, as `verify` names it."""

from collections.abc import Callable, Iterator

from postroad.community.notices.models import OwnText
from postroad.foundation.errors import NotFound
from postroad.foundation.storage import actions as storage
from postroad.mailflow.moderation.models import HeldMessage
from postroad.upgrade.fingerprints import fingerprint, numbered, words_of
from postroad.upgrade.verifying import Name


def held_here() -> Iterator[Name]:
    """Each held post by its list and content, and which of the same it is."""
    return numbered(_held())


def _held() -> Iterator[Name]:
    for list_id, key in HeldMessage.objects.values_list("mailing_list__list_id", "message").iterator(500):
        try:
            yield list_id, fingerprint(storage.load(key))
        except NotFound:
            continue


def texts_here(comparable: Callable[[str], str]) -> Iterator[Name]:
    """Each text of one's own by its scope, template, language and content, made comparable."""
    for context, name, language, text in OwnText.objects.values_list("context", "name", "language", "text"):
        yield context, name, language, words_of(comparable(text))
