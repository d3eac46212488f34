"""What the pages about joining and leaving ask for."""

from django import forms
from django.utils.translation import gettext_lazy as _

from postroad.community.people.models import Preferences

MODES = (
    (Preferences.DeliveryMode.REGULAR, _("every post, as it comes")),
    (Preferences.DeliveryMode.HTML_DIGESTS, _("digests, as one page by threads")),
    (Preferences.DeliveryMode.MIME_DIGESTS, _("digests, with each post attached")),
    (Preferences.DeliveryMode.PLAINTEXT_DIGESTS, _("digests, as plain text")),
)


class JoinForm(forms.Form):
    """Who wants to join, and how the posts shall come."""

    email = forms.EmailField(
        label=_("Your mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    display_name = forms.CharField(
        label=_("Your name (optional)"), max_length=200, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip
    delivery_mode = forms.ChoiceField(label=_("You get"), choices=MODES)


class LeaveForm(forms.Form):
    """Who wants to leave."""

    email = forms.EmailField(
        label=_("Your mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
