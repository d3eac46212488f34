"""Delivery has no settings of its own per list: the relay is the site's, personal copies are `lists.settings`'."""

from typing import Any

from postroad.community.lists.register import Setting

SETTINGS: tuple[Setting[Any], ...] = ()
