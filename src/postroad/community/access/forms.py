"""What the page of tokens asks for."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from postroad.community.access.models import Token
from postroad.community.access.queries import lists_of
from postroad.community.people.models import User

SCOPES = (
    (Token.Scope.READ, _("read settings and counts")),
    (Token.Scope.MODERATE, _("moderate: decide about held mail and requests, see members")),
    (Token.Scope.MANAGE, _("manage: change settings and members")),
)
DAYS = ((30, _("30 days")), (90, _("90 days")), (365, _("one year")))


class TokenForm(forms.Form):
    """A new token of the person who is signed in."""

    name = forms.CharField(label=_("What is it for?"), max_length=100)
    scope = forms.ChoiceField(label=_("It may"))
    lists = forms.MultipleChoiceField(
        label=_("On these lists"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: all lists you own or moderate, now and later."),
    )  # fmt: skip
    days = forms.TypedChoiceField(label=_("It holds for"), choices=DAYS, coerce=int, initial=90)

    def __init__(self, user: User, *arguments: Any) -> None:
        super().__init__(*arguments)
        site = ((Token.Scope.SITE, _("do everything on this site")),) if user.is_superuser else ()
        self.fields["scope"].choices = [*SCOPES, *site]  # type: ignore[attr-defined]
        names = lists_of(user).values_list("list_id", flat=True)[:200]
        self.fields["lists"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]
