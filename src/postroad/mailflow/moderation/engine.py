"""Asks the rules of a chain about a post until one decides. Nothing is written here, so `explain` may ask too."""

from collections.abc import Mapping

from postroad.community.lists.models import HeaderMatch
from postroad.foundation.configuration import current
from postroad.foundation.errors import BadInput
from postroad.foundation.message.encoded_words import decode_words
from postroad.foundation.patterns import compile_pattern, found
from postroad.mailflow.moderation.chains import DEFAULT_POSTING_CHAIN, Link
from postroad.mailflow.moderation.post import Post
from postroad.mailflow.moderation.verdict import Action, Hit, Verdict

_ACTIONS: Mapping[str, Action] = {"accept": "accept", "reject": "reject", "discard": "discard"}


class _Judgement:
    """The hits, misses and reasons gathered so far."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self.misses: list[str] = []
        self.reasons: list[str] = []

    def hit(self, rule: str, hit: Hit) -> None:
        self.hits.append(rule)
        if hit.reason:
            self.reasons.append(hit.reason)

    def verdict(self, action: str, decided_by: str) -> Verdict:
        known: Action = _ACTIONS.get(action, "hold")
        return Verdict(known, decided_by, tuple(self.hits), tuple(self.misses), tuple(self.reasons))


def judge(post: Post, chain: tuple[Link, ...] = DEFAULT_POSTING_CHAIN) -> Verdict:
    """What is to be done with a post, and which rule says so."""
    so_far = _Judgement()
    for link in chain:
        if link.then == "header matches":
            verdict = _header_matches(post, so_far)
            if verdict is not None:
                return verdict
        elif link.then == "hold if any":
            if so_far.hits:
                return so_far.verdict("hold", so_far.hits[0])
        elif link.rule is not None:
            hit = link.rule.check(post)
            if hit is None:
                so_far.misses.append(link.rule.name)
                continue
            so_far.hit(link.rule.name, hit)
            if link.then != "collect":
                return so_far.verdict(hit.action if link.then == "as it says" else link.then, link.rule.name)
    return so_far.verdict("accept", "the end of the chain")


def _header_matches(post: Post, so_far: _Judgement) -> Verdict | None:
    """The site's header checks, then the list's, in order (facts: mail-flow §8)."""
    jump = current().mail.jump_chain
    for number, line in enumerate(current().mail.header_checks):
        header, _, pattern = line.partition(":")
        if _found(post, header, pattern.strip()):
            so_far.hit(f"header-match-config-{number}", Hit(f"Header {header} matched {pattern.strip()}"))
    if so_far.hits:
        return so_far.verdict(jump, so_far.hits[0])
    for number, match in enumerate(HeaderMatch.objects.filter(mailing_list=post.mailing_list).order_by("position")):
        if match.action == "defer" or not _found(post, match.header, match.pattern):
            continue
        name = f"header-match-{post.mailing_list.list_id}-{number}"
        so_far.hit(name, Hit(f"Header {match.header} matched {match.pattern}"))
        return so_far.verdict(match.action or jump, name)
    return None


def _found(post: Post, header: str, pattern: str) -> bool:
    """Whether the field, in the mail or in any of its parts, matches anywhere; a broken pattern never does."""
    try:
        compiled = compile_pattern(pattern)
    except BadInput:
        return False
    places = [post.headers, *(part.headers for part in (post.root.walk() if post.root else ()))]
    values = (value for headers in places for value in headers.get_all(header.strip()))
    return any(found(compiled, decode_words(value)) for value in values)
