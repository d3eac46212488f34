"""What can go wrong, and what each surface answers: one table for SMTP, HTTP and the command line.

Actions raise these; intake, REST, web and commands look the answer up in `ANSWERS` and render `str(error)`,
which is meant for people: what is wrong, where, what is allowed, what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


class PostroadError(Exception):
    """Anything Postroad refuses on purpose; its text may be shown to the one who asked."""


class BadInput(PostroadError):
    """What was given cannot be understood or is out of range."""


class NotFound(PostroadError):
    """What was named does not exist."""


class NotAllowed(PostroadError):
    """The one who asks has no right to it."""


class SignInNeeded(PostroadError):
    """Nobody, or the wrong credential, asked for something protected."""


class Conflict(PostroadError):
    """It exists already, or is being done already."""


class Stale(PostroadError):
    """What is to be changed is not any more what the one who asks saw."""


class Rejected(PostroadError):
    """A mail that a rule turns away for good."""


class TooLarge(PostroadError):
    """More bytes, parts or recipients than allowed."""


class TooMany(PostroadError):
    """More requests than allowed; may be tried again later."""


class TryLater(PostroadError):
    """Nothing wrong with the request: disk full, database away, overload (RFC 5321 §4.2.1, 4yz)."""


class StorageFull(TryLater):
    """There is no room to keep what was given (RFC 3463, X.3.1)."""


class ConfigurationError(PostroadError):
    """The configuration file does not say something that can be served."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How one kind of error looks outside: SMTP code and RFC 3463 status, HTTP status, exit code."""

    smtp: int
    enhanced: str
    http: int
    exit: int


ANSWERS: Mapping[type[PostroadError], Answer] = MappingProxyType(
    {
        BadInput: Answer(501, "5.5.4", 400, 2),
        NotFound: Answer(550, "5.1.1", 404, 2),
        NotAllowed: Answer(550, "5.7.1", 403, 2),
        SignInNeeded: Answer(530, "5.7.0", 401, 2),
        Conflict: Answer(550, "5.5.0", 409, 2),
        Stale: Answer(550, "5.5.0", 412, 2),
        Rejected: Answer(550, "5.7.1", 403, 2),
        TooLarge: Answer(552, "5.3.4", 413, 2),
        TooMany: Answer(452, "4.5.3", 429, 2),
        TryLater: Answer(451, "4.3.0", 503, 3),
        StorageFull: Answer(452, "4.3.1", 507, 3),
        ConfigurationError: Answer(451, "4.3.5", 500, 2),
    }
)

UNEXPECTED = Answer(451, "4.3.0", 500, 3)


def answer_for(error: BaseException) -> Answer:
    """The row of the table for this error; an error nobody foresaw is temporary, so that no mail is lost."""
    for kind in type(error).__mro__:
        if kind in ANSWERS:
            return ANSWERS[kind]
    return UNEXPECTED


def last_line(told: str) -> str:
    """Of a traceback, or what a program said, the line that says what went wrong."""
    return told.strip().rpartition("\n")[2]
