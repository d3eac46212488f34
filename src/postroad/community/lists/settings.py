"""What a list is called, says about itself and does to every post; also what two stages need to know."""

from postroad.community.lists.declare import Group
from postroad.foundation.configuration import current

_identity = Group("Identity")
_posts = Group("Posts")
_counters = Group("Counters")
_dmarc = Group("DMARC")
_digests = Group("Digests")
_archive = Group("Archive")
_usenet = Group("Usenet")

# --- what it is called

display_name = _identity.line(
    "display_name", "{list_name}", "Name", "What people call the list; shown on pages, in notices and in footers."
)
description = _identity.line(
    "description", "", "Description", "One line for overviews; also stands beside the list's address in headers."
)
info = _identity.text("info", "", "About the list", "Purpose, rules and customs, for the list's own page.")
advertised = _identity.boolean(
    "advertised", True, "Show in overviews", "Off: only who knows the list's address finds its page."
)
preferred_language = _identity.language(
    "preferred_language", "en", "Language", "For notices and pages where the reader has not chosen another."
)
acceptable_aliases = _identity.strings(
    "acceptable_aliases",
    "Other addresses of the list",
    "Posts to these count as sent to the list. One address per line, or a pattern that starts with ^.",
    kind="aliases",
)

# --- what happens to posts

subject_prefix = _posts.line(
    "subject_prefix", "[{list_name}] ", "Subject prefix", "Put before every subject; %d becomes the post's number."
)
reply_goes_to_list = _posts.choice(
    "reply_goes_to_list",
    ("no_munging", "point_to_list", "explicit_header", "explicit_header_only"),
    "no_munging",
    "Replies go to",
    "The author decides (no_munging), the list, or the address below with or without the author's own.",
)
reply_to_address = _posts.line("reply_to_address", "", "Reply address", "Used when replies go to an explicit address.")
first_strip_reply_to = _posts.boolean(
    "first_strip_reply_to", False, "Drop the author's Reply-To", "Removes what the author asked for before adding ours."
)
anonymous_list = _posts.boolean(
    "anonymous_list", False, "Anonymous", "Removes everything from the headers that tells who wrote a post."
)
allow_list_posts = _posts.boolean(
    "allow_list_posts", True, "Invite posts", "Off: headers say that the list takes no posts; they are not refused."
)
include_rfc2369_headers = _posts.boolean(
    "include_rfc2369_headers", True, "List headers", "List-Id, List-Unsubscribe and so on; mail programs rely on them."
)
personalize = _posts.choice(
    "personalize",
    ("none", "individual", "full"),
    "individual",
    "Personal copies",
    "individual: each reader gets a copy with a bounce address and an unsubscribe link of its own, and footers may name"
    " the member; full: the To line names the member as well; none: one copy for many readers, which lacks all that.",
)
posting_pipeline = _posts.pipeline(
    "posting_pipeline", "default-posting-pipeline", "Pipeline", "What prepares accepted posts."
)
owner_pipeline = _posts.pipeline(
    "owner_pipeline", "default-owner-pipeline", "Pipeline of mail to the owners", exposed=False
)

# --- what more than one stage asks

_MITIGATIONS = ("no_mitigation", "munge_from", "wrap_message", "reject", "discard")
dmarc_mitigate_action = _dmarc.choice(
    "dmarc_mitigate_action",
    _MITIGATIONS,
    "no_mitigation",
    "When the author's domain forbids changes",
    "Receivers refuse such posts unless From names the list (munge_from) or the post is attached (wrap_message).",
)
dmarc_mitigate_unconditionally = _dmarc.boolean(
    "dmarc_mitigate_unconditionally", False, "Do it for every post", "Whatever the author's domain says."
)
dmarc_wrapped_message_text = _dmarc.text(
    "dmarc_wrapped_message_text", "", "Text before a wrapped post", "Explains why the post comes as an attachment."
)
digests_enabled = _digests.boolean(
    "digests_enabled", True, "Digests", "Members may choose one mail with many posts in it."
)
archive_policy = _archive.choice(
    "archive_policy",
    ("never", "private", "public"),
    "public",
    "Archive",
    "public: everybody may read it; private: members only; never: posts are not kept.",
)
newsgroup_moderation = _usenet.choice(
    "newsgroup_moderation",
    ("none", "open_moderated", "moderated"),
    "none",
    "The newsgroup is moderated",
    "moderated: every post is held first; open_moderated: only the gateway's approval header is added.",
)
gateway_to_news = _usenet.boolean("gateway_to_news", False, "Send posts to the newsgroup")
linked_newsgroup = _usenet.line("linked_newsgroup", "", "Newsgroup", "Its full name, such as comp.lang.example.")

# --- what follows from the list

list_name = _identity.derived("list_name", "line", lambda m: m.list_name, "Local part of the address")
mail_host = _identity.derived("mail_host", "line", lambda m: m.mail_host, "Mail host")
fqdn_listname = _identity.derived("fqdn_listname", "line", lambda m: m.fqdn_listname, "Full name")
posting_address = _identity.derived("posting_address", "line", lambda m: m.address(), "Address for posts")
owner_address = _identity.derived("owner_address", "line", lambda m: m.address("owner"), "Address of the owners")
request_address = _identity.derived("request_address", "line", lambda m: m.address("request"), "Address for commands")
join_address = _identity.derived("join_address", "line", lambda m: m.address("join"), "Address to join")
leave_address = _identity.derived("leave_address", "line", lambda m: m.address("leave"), "Address to leave")
bounces_address = _identity.derived("bounces_address", "line", lambda m: m.address("bounces"), "Address of bounces")
no_reply_address = _identity.derived(
    "no_reply_address", "line", lambda m: f"{current().mail.noreply_address}@{m.mail_host}", "Address nobody reads"
)
created_at = _counters.moment("created_at", lambda m: m.created_at, "Made")
last_post_at = _counters.moment("last_post_at", lambda m: m.last_post_at, "Last post")
digest_last_sent_at = _counters.moment("digest_last_sent_at", lambda m: m.digest_last_sent_at, "Last digest")
next_digest_number = _counters.derived(
    "next_digest_number", "int", lambda m: m.next_digest_number, "Number of the next digest"
)
volume = _counters.derived("volume", "int", lambda m: m.volume, "Volume of the digests")
post_id = _counters.derived("post_id", "int", lambda m: m.post_id, "Number of the next post")
usenet_watermark = _counters.derived(
    "usenet_watermark", "int", lambda m: m.usenet_watermark, "Last article fetched from the newsgroup"
)

SETTINGS = (
    display_name, description, info, advertised, preferred_language, acceptable_aliases,
    subject_prefix, reply_goes_to_list, reply_to_address, first_strip_reply_to, anonymous_list, allow_list_posts,
    include_rfc2369_headers, personalize, posting_pipeline, owner_pipeline,
    dmarc_mitigate_action, dmarc_mitigate_unconditionally, dmarc_wrapped_message_text, digests_enabled,
    archive_policy, newsgroup_moderation, gateway_to_news, linked_newsgroup,
    list_name, mail_host, fqdn_listname, posting_address, owner_address, request_address, join_address,
    leave_address, bounces_address, no_reply_address, created_at, last_post_at, digest_last_sent_at,
    next_digest_number, volume, post_id, usenet_watermark,
)  # fmt: skip
