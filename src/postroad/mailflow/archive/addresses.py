"""Where a list's pages lie: addresses that a page names by the dozen."""

import functools

from django.urls import reverse


@functools.lru_cache(maxsize=1000)
def of_list(list_id: str) -> str:
    """A list's overview; the addresses of its mails and conversations begin with it."""
    return reverse("archive:overview", args=(list_id,))


def of_mail(here: str, hash_: str) -> str:
    """A mail's page on the list whose address is `here`; what it brings along lies below."""
    return f"{here}message/{hash_}/"


def of_thread(here: str, key: str) -> str:
    """A conversation's page on the list whose address is `here`."""
    return f"{here}thread/{key}/"
