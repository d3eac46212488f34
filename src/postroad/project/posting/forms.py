"""What is asked of somebody who writes to a list here."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from postroad.community.people.models import Address

LONGEST_TEXT = 100_000
"""Characters."""


class PostForm(forms.Form):
    """A post: which of one's own addresses it comes from, and what it says."""

    sender = forms.ChoiceField(label=_("From"))
    subject = forms.CharField(label=_("Subject"), max_length=200)
    text = forms.CharField(label=_("Text"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 14}))

    def __init__(self, addresses: Sequence[Address], *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        field = self.fields["sender"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(address.shown, address.original_email) for address in addresses]
