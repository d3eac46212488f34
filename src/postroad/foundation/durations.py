"""Lengths of time as Mailman writes them: `7d`, `1w2d`, `5d3h10m5s`, `1.5d`."""

import re

from postroad.foundation.errors import BadInput

DAY = 86_400.0
_UNITS = {"w": 7 * DAY, "d": DAY, "h": 3600.0, "m": 60.0, "s": 1.0}
_DURATION = re.compile("".join(rf"(?:(?P<{unit}>\d+(?:\.\d*)?|\.\d+){unit})?" for unit in _UNITS))
_LONGEST = 999_999_999 * DAY


def seconds_of(text: object) -> float:
    """Seconds of a length of time such as `1w2d`.

    Raises:
        BadInput: it is not written so, or longer than anybody waits.
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if match is None:
        raise BadInput(f"Not a length of time such as 7d, 12h or 1w2d: {text}")
    seconds = sum(float(number) * _UNITS[unit] for unit, number in match.groupdict().items() if number)
    if seconds > _LONGEST:
        raise BadInput(f"Too long a time: {text}")
    return seconds


def text_of(seconds: float) -> str:
    """A length of time as REST writes it: `7d`, or `5d11405.0s` when it is not whole days."""
    days, rest = divmod(float(seconds), DAY)
    return f"{int(days)}d{rest}s" if rest else f"{int(days)}d"
