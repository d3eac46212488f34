"""What is asked of a moderator."""

from django import forms
from django.utils.translation import gettext_lazy as _

from postroad.community.notices.own_texts import LONGEST_TEXT
from postroad.foundation.languages import LANGUAGES

DECISIONS = (("accept", _("Accept")), ("reject", _("Reject")), ("discard", _("Discard")))
FROM_NOW_ON = (
    ("", _("ask me, as now")), ("accept", _("accept")), ("hold", _("hold")), ("reject", _("reject")),
    ("discard", _("discard")), ("defer", _("treat as any member's")),
)  # fmt: skip


class DecisionForm(forms.Form):
    """A word about one held post, and about its sender from now on."""

    decision = forms.ChoiceField(choices=DECISIONS)
    reason = forms.CharField(
        label=_("Reason, if you reject it"), required=False, max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    from_now_on = forms.ChoiceField(label=_("Posts of this sender from now on"), choices=FROM_NOW_ON, required=False)


class BulkForm(forms.Form):
    """One word about everything that is ticked."""

    decision = forms.ChoiceField(choices=DECISIONS)
    reason = forms.CharField(required=False, max_length=5000)


class TextForm(forms.Form):
    """A text of the list's own."""

    language = forms.ChoiceField(
        label=_("Readers"), required=False, choices=(("", _("everybody")), *((c, n) for c, n in LANGUAGES.items())),
        help_text=_("Everybody, or only those who read this language."),
    )  # fmt: skip
    body = forms.CharField(
        label=_("Text"), required=False, max_length=LONGEST_TEXT, strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "class": "mono"}),
    )  # fmt: skip
