"""Which posts pass by themselves, which wait for a moderator, and which are turned away."""

from postroad.community.lists import settings as lists
from postroad.community.lists.declare import CHAINS, Group

_moderation = Group("Moderation")
_dmarc = Group("DMARC")
ACTIONS = ("hold", "reject", "discard", "accept", "defer")

# Declared for all stages, here so that the rules find them where they look.
dmarc_mitigate_action = lists.dmarc_mitigate_action
dmarc_mitigate_unconditionally = lists.dmarc_mitigate_unconditionally
newsgroup_moderation = lists.newsgroup_moderation

default_member_action = _moderation.choice(
    "default_member_action", ACTIONS, "defer", "Posts by members", "defer: the other checks decide."
)
default_nonmember_action = _moderation.choice(
    "default_nonmember_action", ACTIONS, "hold", "Posts by others", "For senders who are on none of the lists below."
)
accept_these_nonmembers = _moderation.strings(
    "accept_these_nonmembers",
    "Others whose posts are accepted",
    "Addresses, patterns that start with ^, or @ and another list's address for all of its members.",
    kind="emails_or_patterns_or_lists",
)
hold_these_nonmembers = _moderation.strings(
    "hold_these_nonmembers", "Others whose posts are held", "Addresses or patterns.", kind="emails_or_patterns"
)
reject_these_nonmembers = _moderation.strings(
    "reject_these_nonmembers",
    "Others whose posts are rejected",
    "Addresses or patterns; the author is told.",
    kind="emails_or_patterns",
)
discard_these_nonmembers = _moderation.strings(
    "discard_these_nonmembers",
    "Others whose posts are discarded",
    "Addresses or patterns; nobody is told.",
    kind="emails_or_patterns",
)
moderate_first_posts = _moderation.integer(
    "moderate_first_posts",
    0,
    "First posts of members",
    "So many posts of each new member are held, until a moderator accepted them. 0: none.",
    exposed=False,
)
authenticate_senders = _moderation.boolean(
    "authenticate_senders",
    False,
    "Ask for proof of the sender",
    "Rights of members count only if DKIM, SPF or DMARC vouches for From; other posts in their names are held.",
    exposed=False,
)
emergency = _moderation.boolean("emergency", False, "Emergency", "Holds every post, whoever wrote it.")
administrivia = _moderation.boolean(
    "administrivia", True, "Hold stray commands", "Posts that look like a command meant for the request address."
)
require_explicit_destination = _moderation.boolean(
    "require_explicit_destination", True, "Must name the list", "Holds posts with the list neither in To nor in Cc."
)
max_message_size = _moderation.integer(
    "max_message_size", 40, "Largest post", "In kilobytes; larger ones are held. 0: any size."
)
max_num_recipients = _moderation.integer(
    "max_num_recipients", 10, "Most recipients", "Posts with so many addresses in To and Cc are held. 0: any number."
)
max_days_to_hold = _moderation.integer(
    "max_days_to_hold", 0, "Days to hold", "Held posts are discarded after so many days. 0: they wait for ever."
)
moderator_password = _moderation.password(
    "moderator_password", "Password for posts", "A post with it in an Approved header passes; only a hash is kept."
)
dmarc_addresses = _dmarc.strings(
    "dmarc_addresses",
    "Authors who always need it",
    "Addresses or patterns, whatever their domain says.",
    kind="emails_or_patterns",
)
dmarc_moderation_notice = _dmarc.text(
    "dmarc_moderation_notice", "", "Reason given on rejection", "Sent to the author when such posts are rejected."
)
posting_chain = _moderation.choice("posting_chain", CHAINS, "default-posting-chain", "Checks of posts", exposed=False)
owner_chain = _moderation.choice(
    "owner_chain", CHAINS, "default-owner-chain", "Checks of mail to the owners", exposed=False
)
bounce_matching_headers = _moderation.text(
    "bounce_matching_headers",
    "",
    "Suspicious headers",
    "Posts that match are held. One per line: a header's name, a colon and a pattern.",
    exposed=False,
)
member_moderation_notice = _moderation.text(
    "member_moderation_notice", "", "Reason given to moderated members", exposed=False
)
nonmember_rejection_notice = _moderation.text("nonmember_rejection_notice", "", "Reason given to others", exposed=False)
forward_auto_discards = _moderation.boolean(
    "forward_auto_discards",
    False,
    "Show moderators what was discarded",
    "Posts of strangers that are thrown away go to owners and moderators, at most 100 a day.",
    exposed=False,
)

SETTINGS = (
    default_member_action, default_nonmember_action, accept_these_nonmembers, hold_these_nonmembers,
    reject_these_nonmembers, discard_these_nonmembers, emergency, administrivia, require_explicit_destination,
    max_message_size, max_num_recipients, max_days_to_hold, moderator_password, dmarc_addresses,
    dmarc_moderation_notice, posting_chain, owner_chain, bounce_matching_headers, member_moderation_notice,
    nonmember_rejection_notice, forward_auto_discards, moderate_first_posts, authenticate_senders,
)  # fmt: skip
