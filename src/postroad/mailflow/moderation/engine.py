"""Asks the rules of a chain about a post until one decides. Nothing is written here, so `explain` may ask too."""

from postroad.mailflow.moderation import settings
from postroad.mailflow.moderation.chains import CHAINS, Chain
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import ACTIONS, Verdict


def judge(post: Post) -> Verdict:
    """What is to be done with a post, and which rule says so, by the chain of its list."""
    setting = settings.owner_chain if post.envelope.kind == "owner" else settings.posting_chain
    return _ask(post, CHAINS[setting.of(post.mailing_list)])


def _ask(post: Post, chain: Chain) -> Verdict:
    post.hits.clear()
    misses: list[str] = []
    reasons: list[str] = []
    for link in chain:
        hit = link.rule.check(post)
        if hit is None:
            if link.recorded:
                misses.append(link.rule.name)
            continue
        name = hit.rule or link.rule.name
        if link.recorded or hit.rule:
            post.hits.append(name)
        if hit.reason:
            reasons.append(hit.reason)
        if link.then != "collect":
            action = ACTIONS[hit.action if link.then == "as it says" else link.then]
            decided_by = name if link.recorded else next(iter(post.hits), name)
            return Verdict(action, decided_by, tuple(post.hits), tuple(misses), tuple(reasons))
    return Verdict("accept", "the end of the chain", tuple(post.hits), tuple(misses), tuple(reasons))
