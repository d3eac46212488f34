"""When a member whose mail comes back is switched off and removed, and who is told."""

from postroad.community.lists.declare import DAY, Group

_bounces = Group("Bounces")

process_bounces = _bounces.boolean("process_bounces", True, "Process bounces", "Off: mail that comes back is dropped.")
bounce_score_threshold = _bounces.integer(
    "bounce_score_threshold", 5, "Bounces before switching off", "Counted once a day at most."
)
bounce_info_stale_after = _bounces.duration(
    "bounce_info_stale_after", 7 * DAY, "Forget bounces after", "If none came for so long, counting starts anew."
)
bounce_you_are_disabled_warnings = _bounces.integer(
    "bounce_you_are_disabled_warnings", 3, "Warnings", "Sent before a member who is switched off is removed."
)
bounce_you_are_disabled_warnings_interval = _bounces.duration(
    "bounce_you_are_disabled_warnings_interval", 7 * DAY, "Time between warnings"
)
bounce_notify_owner_on_bounce_increment = _bounces.boolean(
    "bounce_notify_owner_on_bounce_increment", False, "Tell owners of each bounce"
)
bounce_notify_owner_on_disable = _bounces.boolean(
    "bounce_notify_owner_on_disable", True, "Tell owners when a member is switched off"
)
bounce_notify_owner_on_removal = _bounces.boolean(
    "bounce_notify_owner_on_removal", True, "Tell owners when a member is removed"
)
forward_unrecognized_bounces_to = _bounces.choice(
    "forward_unrecognized_bounces_to",
    ("discard", "administrators", "site_owner"),
    "administrators",
    "Unrecognised bounces go to",
    "Mail to the bounce address in which no failed address can be found.",
)

SETTINGS = (
    process_bounces, bounce_score_threshold, bounce_info_stale_after, bounce_you_are_disabled_warnings,
    bounce_you_are_disabled_warnings_interval, bounce_notify_owner_on_bounce_increment,
    bounce_notify_owner_on_disable, bounce_notify_owner_on_removal, forward_unrecognized_bounces_to,
)  # fmt: skip
