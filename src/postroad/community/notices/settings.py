"""When a list writes on its own account: automatic answers and notices about held posts."""

from postroad.community.lists.declare import DAY, Group

_answers = Group("Automatic answers")
_notices = Group("Notices")
_RESPONSES = ("none", "respond_and_discard", "respond_and_continue")

autorespond_owner = _answers.choice(
    "autorespond_owner", _RESPONSES, "none", "Answer mail to the owners", "And then go on with it, or throw it away."
)
autoresponse_owner_text = _answers.text("autoresponse_owner_text", "", "Answer to mail to the owners")
autorespond_postings = _answers.choice(
    "autorespond_postings", _RESPONSES, "none", "Answer posts", "And then go on with the post, or throw it away."
)
autoresponse_postings_text = _answers.text("autoresponse_postings_text", "", "Answer to posts")
autorespond_requests = _answers.choice(
    "autorespond_requests", _RESPONSES, "none", "Answer commands", "And then obey the command, or throw it away."
)
autoresponse_request_text = _answers.text("autoresponse_request_text", "", "Answer to commands")
autoresponse_grace_period = _answers.duration(
    "autoresponse_grace_period",
    90 * DAY,
    "Not again before",
    "The same address gets the same kind of answer once in this time; 0 days: every time.",
)
admin_immed_notify = _notices.boolean(
    "admin_immed_notify", True, "Tell moderators at once", "A mail for each post and request that waits for them."
)
respond_to_post_requests = _notices.boolean(
    "respond_to_post_requests", True, "Tell authors of held posts", "So that nobody posts the same twice."
)

SETTINGS = (
    autorespond_owner, autoresponse_owner_text, autorespond_postings, autoresponse_postings_text,
    autorespond_requests, autoresponse_request_text, autoresponse_grace_period, admin_immed_notify,
    respond_to_post_requests,
)  # fmt: skip
