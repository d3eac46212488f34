"""Sign-in by any spelling of an address; allauth's own forms look for it in lower case only."""

from allauth.account.forms import LoginForm, RequestLoginCodeForm

from postroad.foundation.message.addresses import identity


class SignIn(LoginForm):  # type: ignore[misc]
    """By password."""

    def clean_login(self) -> str:
        """The address by which it is known."""
        return identity(super().clean_login())


class RequestCode(RequestLoginCodeForm):  # type: ignore[misc]
    """By a code that is mailed."""

    def clean_email(self) -> str:
        """The address by which it is known."""
        self.cleaned_data["email"] = identity(self.cleaned_data["email"])
        return str(super().clean_email())
