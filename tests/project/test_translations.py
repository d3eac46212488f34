"""The five languages that are delivered: nothing is missing, no variable is lost, and what is compiled is current."""

import ast
from pathlib import Path

import pytest

import postroad
from postroad.community.notices import actions as notices
from postroad.community.notices.subjects import AUTOMATIC_ANSWER, RESULTS, SUBJECTS
from postroad.community.notices.templates import ALL_NAMES, built_in, translated, variables
from postroad.foundation.catalogs import catalogues, compiled, entries, translator
from postroad.mailflow.bounces import actions as bounces
from postroad.mailflow.delivery import actions as delivery
from postroad.mailflow.mail_commands.commands import COMMANDS
from postroad.mailflow.mail_commands.refusals import REFUSALS
from postroad.mailflow.mail_commands.refusals import told as refusal
from postroad.mailflow.moderation import answers
from postroad.mailflow.moderation.reasons import REASONS, told
from postroad.mailflow.pipeline import worker as pipeline
from postroad.mailflow.pipeline.handlers import dmarc, link_attachments, mime_delete, subject_prefix

pytestmark = pytest.mark.sqlite_only

DELIVERED = ("ar", "de", "es", "fr", "ja")
PACKAGE = Path(postroad.__file__).parent


def said_by(slice_folder: str, *names: str) -> list[str]:
    """The constant texts that modules of a slice give to these functions."""
    found = []
    for path in sorted((PACKAGE / slice_folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in names:
                    found.append(node.args[0].value)
    return found


TEXTS = {
    "community/notices": [
        *filter(None, map(built_in, ALL_NAMES)), *SUBJECTS.values(), AUTOMATIC_ANSWER, RESULTS, notices.UNDO,
        notices.REQUEST, notices.NO_REASON,
    ],
    "mailflow/bounces": [bounces.REFUSING, bounces.REFUSING_TEXT],
    "mailflow/delivery": [delivery.REFUSED, delivery.REFUSED_TEXT],
    "mailflow/moderation": [
        *REASONS, answers.DECIDE, answers.LAST, answers.REFUSED, answers.FORWARDED, answers.ATTACHED,
        answers.DISCARDED, answers.DISCARDED_ATTACHED,
    ],
    "mailflow/pipeline": [
        pipeline.UNTITLED, pipeline.FILTERED_OUT, pipeline.ATTACHED, mime_delete.DISPOSED, mime_delete.UNKNOWN,
        mime_delete.LEFT_OUT, subject_prefix.NO_SUBJECT, dmarc.VIA, link_attachments.KEPT, link_attachments.NAMELESS,
    ],
    "mailflow/mail_commands": [
        *REFUSALS,
        *(text for text in said_by("mailflow/mail_commands", "say", "translated") if any(map(str.isalpha, text))),
        *(command.help for command in COMMANDS),
    ],
}  # fmt: skip
OBEYED_BY = (
    "community/subscriptions/actions.py", "community/subscriptions/workflow.py", "community/subscriptions/consent.py",
    "mailflow/moderation/actions.py", "mailflow/mail_commands/options.py",
)  # fmt: skip
"""The modules whose verbs do what commands ask for."""
OF_OTHERS = {
    "This link is unknown, was used already, or is too old.", "Address not registered", "Unverified address",
    "Address is not controlled by user", "A thread can be followed or muted, not: x", "No such user",
    "User without preferred address",
}  # fmt: skip
"""What only pages and REST can cause."""
UNTRANSLATED = {"echo $words", "$line\n    $help", "$email: $word", "$names", "$reason"}
"""Nothing in them is English."""


@pytest.mark.parametrize("language", DELIVERED)
@pytest.mark.parametrize("folder", TEXTS)
def test_every_text_is_there_in_every_language(folder, language):
    catalogue = PACKAGE / folder / "locale" / language / "LC_MESSAGES" / "django.po"
    known = entries(catalogue.read_text())
    assert [text for text in TEXTS[folder] if not known.get(text) and text not in UNTRANSLATED] == []


@pytest.mark.parametrize("catalogue", catalogues(), ids=lambda path: f"{path.parts[-5]}-{path.parts[-3]}")
def test_a_translation_has_the_variables_of_its_text_and_its_end(catalogue):
    wrong = [
        text
        for text, translation in entries(catalogue.read_text()).items()
        if text and (variables(text) != variables(translation) or text.endswith("\n") != translation.endswith("\n"))
    ]
    assert wrong == []


@pytest.mark.parametrize("catalogue", catalogues(), ids=lambda path: f"{path.parts[-5]}-{path.parts[-3]}")
def test_compiled_catalogues_are_those_of_the_translators(catalogue):
    """`python -m postroad.foundation.catalogs` makes them."""
    assert catalogue.with_suffix(".mo").read_bytes() == compiled(catalogue.read_text())


def test_every_sentence_of_the_rules_can_be_told_in_another_language():
    sentences = {sentence for sentence in REASONS if "$" not in sentence}
    said = {text for text in said_by("mailflow/moderation", "Hit") if text and not text.startswith("$")}
    assert said <= sentences


def raised_in(module: str) -> list[str]:
    """The sentences of a module's errors, with an x for each value."""
    found = []
    for node in ast.walk(ast.parse((PACKAGE / module).read_text())):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            parts = node.exc.args[0].values if isinstance(node.exc.args[0], ast.JoinedStr) else [node.exc.args[0]]
            found.append("".join(part.value if isinstance(part, ast.Constant) else "x" for part in parts))
    return found


def test_every_refusal_of_a_command_can_be_told_in_another_language():
    raised = {sentence for module in OBEYED_BY for sentence in raised_in(module)}
    assert "Membership is banned" in raised
    assert {sentence for sentence in raised - OF_OTHERS if refusal(sentence, "de") == sentence} == set()


def test_a_reason_keeps_its_values_and_an_owners_own_words_stay():
    reasons = [
        "Message has 12 recipients, 10 are too many",
        "Nobody posts on Sundays",
        'Header "X: \n$a" matched a header rule',
    ]
    assert told(reasons, "de") == (
        "Die Nachricht hat 12 Empfänger, 10 sind zu viele; Nobody posts on Sundays; "
        "Das Kopffeld »X: \n$a« passt zu einer Regel"
    )
    assert told(reasons[:1], "en") == reasons[0]
    assert told(reasons[:1], "cs") == reasons[0], "a language without a catalogue gets English"


def test_a_regional_language_is_served_by_its_main_one():
    assert translated(SUBJECTS["list:user:notice:welcome"], "de_AT").startswith("Willkommen")


def test_right_to_left_text_is_not_turned_by_hand():
    arabic = translator(PACKAGE / "community/notices", "ar")(built_in("list:user:notice:welcome"))
    assert not set(arabic) & {"\u200e", "\u200f", "\u202a", "\u202b", "\u202c"}, "readers do that by themselves"
