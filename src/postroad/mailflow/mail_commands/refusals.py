"""Why a command was not obeyed: what the verbs behind the commands raise, told in the sender's language.

They raise in English, as REST answers; only mail to people translates it.
"""

from pathlib import Path

from postroad.community.notices.sentences import Sentences

REFUSALS = (
    "set $word: allowed are $allowed",
    "$name $word: allowed are $allowed",
    "vacation: until when? Write a date such as 2027-01-31, or off.",
    "Subscription request already pending",
    "This token is unknown, was used already, or is too old. Please begin again.",
    "List posting address not allowed",
    "Membership is banned",
    "Member already subscribed",
    "$email is already a $role of $listname",
    "Not list, $allowed: $word",
    "Not a date such as 2027-01-31: $word",
    "This day is past: $word",
    "This membership has no address that could be asked.",
    "Too many requests came from your network. Please try again in an hour.",
    "Invalid email address: $email",
    'Invalid Parameter "$name": Accepted Values are: $allowed.',
    'Invalid Parameter "$name": Not true or false: $word.',
    "Unknown preference $name; allowed are $allowed",
    "A held post can be accepted, rejected, discarded, held or deferred.",
    "This post was decided about meanwhile.",
    "No held post waits for this answer; perhaps somebody decided about it meanwhile.",
    "The password in the Approved line is not the list's; the post still waits.",
    "To accept a post by mail, put a line `Approved: PASSWORD` on top of the answer.",
)
"""A test finds a sentence of those verbs that is not here."""

told = Sentences(Path(__file__).parent, REFUSALS).told
