"""Line ends: mail travels in CRLF lines, whatever it was stored with (RFC 5322 §2.1)."""


def with_crlf(raw: bytes) -> bytes:
    """The mail in CRLF lines; one that has them already is not copied."""
    if b"\n" in raw and raw.count(b"\n") != raw.count(b"\r\n"):
        raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return raw
