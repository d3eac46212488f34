"""When a digest is sent."""

from postroad.community.lists import settings as lists
from postroad.community.lists.declare import Group

_digests = Group("Digests")

# Declared for all stages: the pipeline asks it too.
digests_enabled = lists.digests_enabled

digest_size_threshold = _digests.number(
    "digest_size_threshold", 30.0, "Send when larger than", "In kilobytes. 0: size does not matter."
)
digest_send_periodic = _digests.boolean(
    "digest_send_periodic", True, "Send daily", "Even if there are few posts; nothing is sent if there are none."
)
digest_volume_frequency = _digests.choice(
    "digest_volume_frequency",
    ("yearly", "monthly", "quarterly", "weekly", "daily"),
    "monthly",
    "New volume",
    "Numbering of digests starts again at 1 then.",
)

SETTINGS = (digest_size_threshold, digest_send_periodic, digest_volume_frequency)
