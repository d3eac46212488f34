"""What django-allauth asks this site: an address proved there is the user's here."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from postroad.community.people import actions
from postroad.community.people.models import User
from postroad.foundation.message.addresses import identity


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's account adapter; named in `project/settings.py`."""

    def clean_email(self, email: str) -> str:
        """The address by which it is known."""
        return identity(super().clean_email(email))

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """The user has proved to own the address."""
        confirmed = bool(super().confirm_email(request, email_address))
        if confirmed:
            actions.adopt(email_address.user)
        return confirmed

    def login(self, request: HttpRequest, user: User) -> None:
        """A code sent by mail and some social sign-ins prove an address without `confirm_email`."""
        super().login(request, user)
        actions.adopt(user)
