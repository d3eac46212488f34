"""How a list and a newsgroup are joined."""

from postroad.community.lists import settings as lists
from postroad.community.lists.declare import Group

_usenet = Group("Usenet")

# Declared for all stages: pipeline and moderation ask them too.
gateway_to_news = lists.gateway_to_news
linked_newsgroup = lists.linked_newsgroup
newsgroup_moderation = lists.newsgroup_moderation

gateway_to_mail = _usenet.boolean("gateway_to_mail", False, "Fetch articles from the newsgroup")
nntp_prefix_subject_too = _usenet.boolean(
    "nntp_prefix_subject_too", True, "Subject prefix in the newsgroup", "Off: articles go out without it."
)

SETTINGS = (gateway_to_mail, nntp_prefix_subject_too)
