"""The page of one's tokens, under the account: see them, make one, revoke one."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from postroad.community.access import actions
from postroad.community.access.forms import TokenForm
from postroad.community.access.queries import tokens_of
from postroad.community.people.models import User
from postroad.foundation.configuration import current
from postroad.foundation.errors import PostroadError


def _signed_in(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)
    return user


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """One's tokens; a new one is shown once, on the page that answers the form."""
    user = _signed_in(request)
    form = TokenForm(user, request.POST or None)
    secret, status = "", 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                _, secret = actions.make_token(user, **form.cleaned_data)
                form, status = TokenForm(user), 201
            except PostroadError as error:
                form.add_error(None, str(error))
    context = {"form": form, "tokens": tokens_of(user), "secret": secret, "rest": f"http://{current().rest.listen}/3.1"}
    return render(request, "access/tokens.html", context, status=status)


@never_cache
@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's tokens."""
    actions.revoke(get_object_or_404(tokens_of(_signed_in(request)), pk=pk))
    return redirect("access:tokens")
