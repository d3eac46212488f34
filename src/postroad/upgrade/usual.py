"""What a list says where nobody said otherwise: the value that must be here where an old one could not be kept."""

from collections.abc import Collection

from postroad.community.lists.models import MailingList
from postroad.community.lists.register import all_settings
from postroad.upgrade.verifying import plain


def usual_values(list_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """By list-id and setting, for lists that are here."""
    found = {}
    for made in MailingList.objects.filter(list_id__in=list_ids):
        found[made.list_id] = {name: plain(setting.initial(made)) for name, setting in all_settings().items()}
    return found
