"""Whether an author lets archives keep a mail (facts: mail-flow §12, to-archive)."""

from postroad.foundation.message.headers import Headers


def may_be_archived(headers: Headers) -> bool:
    """False with `X-No-Archive` of any value, or `X-Archive: no`."""
    return "x-no-archive" not in headers and (headers.get("x-archive") or "").strip().lower() != "no"
