"""The verbs of texts written here: look at one, see what it would become, keep it, give it up."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from postroad.community.lists.models import MailingList
from postroad.community.notices.models import OwnText
from postroad.community.notices.subjects import SUBJECTS
from postroad.community.notices.templates import (
    ALL_NAMES,
    built_in,
    expand,
    language_of,
    standard_values,
    text,
    translated,
    variables,
    wrapped,
)
from postroad.foundation.errors import BadInput
from postroad.foundation.languages import LANGUAGES, is_language

LONGEST_TEXT = 65_536
_SAMPLES: Mapping[str, str] = {
    "member": "anne@example.org", "email": "anne@example.org", "user_email": "anne@example.org",
    "user_address": "anne@example.org", "user_name": "Anne Example", "user_name_or_email": "Anne Example",
    "sender_email": "anne@example.org", "sender": "anne@example.org", "subject": "Hello", "reasons": "The reason",
    "reason": "The reason", "request": "The request", "count": "3", "data": "- one\n- two",
    "confirm_url": "https://example.org/confirm/…", "answer_email": "answers@example.org",
    "undo": "https://example.org/undo/…", "resume_url": "https://example.org/resume/…", "token": "…",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preview:
    """A notice as its reader would get it, and the variables nobody will fill."""

    subject: str
    body: str
    unknown: tuple[str, ...]


def show(name: str, mailing_list: MailingList, language: str = "") -> str:
    """The text in force, with its variables.

    Raises:
        BadInput: there is no such template.
    """
    _check_name(name)
    return text(name, mailing_list, language)


def preview(name: str, mailing_list: MailingList, body: str, language: str = "") -> Preview:
    """What a text would become, filled with sample values; nothing is kept.

    Raises:
        BadInput: there is no such template or language, or the text is too long.
    """
    _check(name, body, language)
    values = {**_SAMPLES, **standard_values(mailing_list, language)}
    known = {*values, *variables(built_in(name))}
    unknown = tuple(sorted(variables(body) - known))
    return Preview(sample_subject(name, mailing_list, language), wrapped(expand(body, values)), unknown)


def sample_subject(name: str, mailing_list: MailingList, language: str = "") -> str:
    """The subject of a notice, filled with sample values; empty for a text that is part of another mail."""
    subject = translated(SUBJECTS.get(name, ""), language or language_of(mailing_list))
    return expand(subject, {**_SAMPLES, **standard_values(mailing_list, language)})


@transaction.atomic
def keep(name: str, context: str, body: str, language: str = "") -> int:
    """Use this text in a scope ("" for the site, a mail host, a list-id); "" as language: for all of them. Its key.

    Raises:
        BadInput: there is no such template or language, or the text is too long.
    """
    _check(name, body, language)
    row, _ = OwnText.objects.update_or_create(
        context=context, name=name, language=language, defaults={"text": body.replace("\r\n", "\n")}
    )
    return row.pk


def names_in(context: str) -> frozenset[str]:
    """The templates a scope has a text of its own for, in whatever language."""
    return frozenset(OwnText.objects.filter(context=context).values_list("name", flat=True))


def give_up(name: str, context: str, language: str = "") -> bool:
    """Use again what the wider scope says; whether there was a text."""
    removed, _ = OwnText.objects.filter(context=context, name=name, language=language).delete()
    return removed > 0


def _check_name(name: str) -> None:
    if name not in ALL_NAMES:
        raise BadInput(f"Unknown template {name}. Allowed are {', '.join(ALL_NAMES)}")


def _check(name: str, body: str, language: str) -> None:
    _check_name(name)
    if len(body) > LONGEST_TEXT or "\0" in body:
        raise BadInput(f"A text of at most {LONGEST_TEXT} characters, without NUL.")
    if language and not is_language(language):
        raise BadInput(f"Unknown language {language}. Allowed are {', '.join(LANGUAGES)}")
