"""Which part of a mail HyperKitty meant by the number and the name in the address of an attachment.

The number counts every part of the mail as it came, containers too, depth first from 0. A mail that was rebuilt from
HyperKitty's tables has other parts; there each says its old number itself.
"""

from postroad.foundation.message.mime import MimeTooComplex, walk

COUNTER = "X-HyperKitty-Counter"
"""The field in which a part of a rebuilt mail says its number."""


def part_called(raw: bytes, counter: str, name: str) -> int | None:
    """The number, among the parts that have none below them, of the one that is meant; None if none is."""
    try:
        every = list(walk(raw).walk())
    except MimeTooComplex:
        return None
    leaves = [part for part in every if not part.children]
    told = [number for number, part in enumerate(leaves) if part.headers.get(COUNTER.lower()) == counter]
    if told:
        return told[0]
    called = [number for number, part in enumerate(leaves) if name and part.filename == name]
    meant = every[int(counter)] if counter.isdecimal() and len(counter) < 5 and int(counter) < len(every) else None
    counted = [number for number, part in enumerate(leaves) if part is meant]
    if len(called) == 1 or not counted:
        return called[0] if called else None
    return counted[0]
