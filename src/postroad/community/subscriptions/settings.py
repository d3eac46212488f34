"""Who may join and leave, who sees the members, and what is said about it."""

from postroad.community.lists.declare import Group

_members = Group("Members")
_digests = Group("Digests")
_POLICIES = ("open", "confirm", "moderate", "confirm_then_moderate")

subscription_policy = _members.choice(
    "subscription_policy",
    _POLICIES,
    "confirm",
    "Joining",
    "open: at once; confirm: the address must answer a mail; moderate: a moderator decides; or both in turn.",
)
unsubscription_policy = _members.choice(
    "unsubscription_policy", _POLICIES, "confirm", "Leaving", "The same choices; the one-click header always works."
)
member_roster_visibility = _members.choice(
    "member_roster_visibility",
    ("public", "members", "moderators"),
    "moderators",
    "Who sees the members",
    "Members who hide their address are shown to owners and moderators only.",
)
send_welcome_message = _members.boolean("send_welcome_message", True, "Welcome new members", "One mail on joining.")
send_goodbye_message = _members.boolean("send_goodbye_message", True, "Say goodbye", "One mail on leaving.")
admin_notify_mchanges = _members.boolean(
    "admin_notify_mchanges", False, "Tell owners who joins and leaves", "A mail for each."
)
digest_is_default = _digests.boolean(
    "digest_is_default", False, "New members get digests", "Unless they say what they want.", exposed=False
)
default_digest = _digests.choice(
    "default_digest",
    ("mime_digests", "plaintext_digests", "html_digests"),
    "mime_digests",
    "Which digests new members get",
    "With each post attached, as plain text, or as one page by threads.",
    exposed=False,
)

SETTINGS = (
    subscription_policy, unsubscription_policy, member_roster_visibility, send_welcome_message, send_goodbye_message,
    admin_notify_mchanges, digest_is_default, default_digest,
)  # fmt: skip
