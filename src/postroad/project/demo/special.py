"""Sample mails that are more than plain text: HTML, a picture, files, other scripts, a patch, one to be judged.

Built with the standard library, as a member's mail program would; all names and words are invented.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage


@dataclass(frozen=True, slots=True)
class Special:
    """A mail of the archive: its list, author (place in `PEOPLE`), age in days, subject, and what fills it."""

    list_name: str
    author: int
    days: float
    subject: str
    fill: Callable[[EmailMessage], None]
    answers: int | None = None
    """Place among these mails of the one it answers."""


def picture(width: int = 480, height: int = 270) -> bytes:
    """A PNG made here: a field at dusk, and a sun over it."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            sky = y * 255 // height
            if (x - 340) ** 2 + (y - 90) ** 2 < 34**2:
                colour = (250, 214, 120)
            elif y > 170 + ((x * 7 + y * 13) % 17) // 4:
                colour = (40 + x % 9, 96 + (x * y) % 23 - y // 12, 66)
            else:
                colour = (120 + sky // 3, 160 + sky // 6, 200 - sky // 5)
            rows += bytes(colour)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(*part) for part in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _html(mail: EmailMessage) -> None:
    """HTML alone, with its own picture, one from elsewhere that is never loaded, and a script that never runs."""
    mail.set_content(
        "<html><head><style>p { color: hotpink }</style></head><body><h2>What grows in November</h2>"
        "<p>Dear gardeners, the <b>winter beds</b> are ready. This is how it looked on Sunday:</p>"
        '<p><img src="cid:field" alt="The field at dusk"></p>'
        "<table><tr><th>Bed</th><th>Sown</th><th>Cover</th></tr><tr><td>North</td><td>Spinach</td><td>Fleece</td></tr>"
        "<tr><td>South</td><td>Lamb's lettuce</td><td>none</td></tr></table>"
        '<ul><li>Please bring <i>straw</i></li><li><a href="https://example.org/plan">The plan</a></li></ul>'
        '<img src="https://tracker.example.com/open.gif" alt="logo of the seed shop">'
        '<script>document.title="ran"</script>'
        "</body></html>",
        subtype="html",
    )
    mail.add_related(picture(), "image", "png", cid="<field>", filename="dusk.png")


def _files(mail: EmailMessage) -> None:
    mail.set_content("Minutes and accounts of the meeting are attached, and a picture of the new gate.\n\nDana\n")
    mail.add_attachment("Present: eleven.\n\n1. The fence is paid for.\n2. The tank leaks.\n", filename="minutes.txt")
    mail.add_attachment("month,in,out\n10,120.00,86.40\n11,95.00,310.00\n", subtype="csv", filename="accounts.csv")
    mail.add_attachment(picture(320, 200), "image", "png", filename="gate.png")


def _japanese(mail: EmailMessage) -> None:
    mail.set_content(
        "皆さん、こんにちは。\n\n来週の土曜日、温室の窓を直します。手伝ってくださる方はいますか。\n"
        "道具は私が持って行きます。昼ご飯も用意します。\n\n田中\n"
    )


def _arabic(mail: EmailMessage) -> None:
    mail.set_content(
        "مرحبا جميعا،\n\nسأحضر بذور النعناع والبقدونس يوم السبت. من يريد منها؟\n\n"
        "> 来週の土曜日\n\nيمكنني المساعدة في إصلاح النافذة أيضا (the glass is 60 × 40 cm).\n\nفاطمة\n"
    )


_PATCH = """The beds file counts the herb spiral twice; the sum of square metres is wrong since spring.

Signed-off-by: Kofi Mensah <kofi@example.org>
---
 plan/beds.py | 6 +++---
 1 file changed, 3 insertions(+), 3 deletions(-)

diff --git a/plan/beds.py b/plan/beds.py
index 3f1c2aa..9be41d0 100644
--- a/plan/beds.py
+++ b/plan/beds.py
@@ -11,9 +11,9 @@ BEDS = load("beds.csv")

 def square_metres(beds):
-    total = 0
-    for bed in beds + SPIRAL:
-        total += bed.width * bed.length
+    total = SPIRAL.area
+    for bed in beds:
+        total += bed.width * bed.length  # in metres
     return total
--\x20
2.43.0
"""


def _patch(mail: EmailMessage) -> None:
    mail.set_content(_PATCH)


def _review(mail: EmailMessage) -> None:
    mail.set_content(
        "On Tuesday, Kofi Mensah wrote:\n> The beds file counts the herb spiral twice; the sum of square metres is\n"
        "> wrong since spring.\n\nTrue. The old and the new sums:\n\n    bed        old     new\n"
        "    north     12.0    12.0\n    south      9.5     9.5\n    spiral     6.2     3.1\n\n"
        + "".join(f"> {line}\n" for line in _PATCH.split("\n")[6:22])
    )


SPECIALS = (
    Special("garden", 3, 5.6, "What grows in November", _html),
    Special("board", 3, 4.0, "Minutes, accounts, and a picture", _files),
    Special("garden", 6, 4.6, "温室の窓を直します", _japanese),
    Special("garden", 5, 4.2, "Re: 温室の窓を直します", _arabic, answers=2),
    Special("garden", 10, 1.9, "[PATCH] plan: count the herb spiral once", _patch),
    Special("garden", 1, 1.5, "Re: [PATCH] plan: count the herb spiral once", _review, answers=4),
)

HELD = (
    "seeds@bargains.example.com", "board", "Seeds for less",
    "Dear board,\n\nwe sell seeds by the sack. Answer today.\n",
)  # fmt: skip
"""Who is no member, of which list, writes this; a moderator is to judge it."""

_TURNS = (
    "One path through the middle, and beds to both sides?", "Two paths, or the wheelbarrow will not pass.",
    "The barrow is 60 cm wide. One path of a metre would do.", "And where does the tank stand then?",
    "By the gate, as now. It is the only place with shade.", "The shade is from the elder, and that is to be cut.",
    "Cut? The elder was here before the gate.", "Then we cut it back, and leave the tank.",
    "I measured again: with the elder cut back there are 4.2 m.", "4.2 m are two beds and a path. Good.",
    "Good. I draw it.",
)  # fmt: skip


def deep_conversation(count: int = 60) -> Iterator[tuple[int, float, int | None, str]]:
    """A long conversation with replies deep below each other, as samples tell them: author, days ago, parent, text."""
    for number in range(count):
        parent = None if number == 0 else number - 1 if number % 7 else number // 3
        text = _TURNS[number % len(_TURNS)]
        quoted = f"> {_TURNS[(number - 1) % len(_TURNS)]}\n\n" if number % 3 == 1 else ""
        yield (number * 5 + 2) % 12, 20.0 - number * 0.2, parent, f"{quoted}{text}\n"
