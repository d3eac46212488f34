"""What is asked of who makes a webhook."""

from django import forms
from django.utils.translation import gettext_lazy as _

from postroad.foundation.webhooks.actions import EVENTS


class WebhookForm(forms.Form):
    """An address, and what it is told."""

    url = forms.CharField(
        label=_("Address"), max_length=2000, help_text=_("Where the events are sent, such as https://example.org/hook"),
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    events = forms.MultipleChoiceField(
        label=_("Events"), required=False, choices=[(event, event) for event in EVENTS],
        widget=forms.CheckboxSelectMultiple, help_text=_("None chosen: all of them."),
    )  # fmt: skip
