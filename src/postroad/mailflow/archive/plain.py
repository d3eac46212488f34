"""A plain text of a mail as HTML: paragraphs, quotes that fold, patches, tables in fixed width, live links."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from postroad.foundation.message.links import linked

DEEPEST_QUOTE = 8
LONGEST_OPEN_QUOTE = 12
"""Lines; a longer quote is folded."""
LONGEST_OPEN_END = 3
"""Lines of a quote that ends a mail: what was answered above is seldom read again."""

_MARKS = re.compile(r"(?:> ?)++")
_FLOWED_MARKS = re.compile(r">(?: ?>)*+")
"""One space behind them is stuffing (RFC 3676 §4.5)."""
_ADDRESS = re.compile(r"([A-Za-z0-9._%+-]{1,64})@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+)")
_NEW_LINE_BEFORE = re.compile(r"\s|[-*+•–>|#]|\(?\w{1,3}[.)]\s")
_COLUMNS = re.compile(r"\S {3,}\S|\S\t+\S|^ {4,}\S|^\t|[|+][-=]{3,}|^\s*[-=_~]{3,}\s*$")
_PROSE_LINE = 55
"""Characters; a line of at least so many was broken by the author's program, not by the author."""

_LONGEST_STATISTICS = 200
"""Lines between git's line of hyphens and the first file of a patch."""

Line = tuple[int, str]
"""How deep it is quoted, and what is behind the marks."""


def hidden_address(text: str) -> str:
    """Text with mail addresses as a stranger sees them: `anne(a)…`."""
    return _ADDRESS.sub(lambda match: f"{match[1]}(a)…", text) if "@" in text else text


def text_to_html(text: str, *, obscure: bool = False, flowed: bool = False) -> str:
    """Plain text as HTML; `obscure` hides addresses, `flowed` follows RFC 3676."""
    lines = text.split("\n")
    patch = _first_line_of_patch(lines)
    signature = _last_signature(lines, patch)
    writer = _Writer(obscure=obscure, flowed=flowed)
    writer.prose(lines[:patch], ends_mail=patch == len(lines))
    if patch < len(lines):
        writer.patch(lines[patch:signature])
        writer.prose(lines[signature:], ends_mail=False)
    return "".join(writer.pieces)


def _first_line_of_patch(lines: Sequence[str]) -> int:
    """Where a patch begins; behind the last line when there is none."""
    for number, line in enumerate(lines):
        is_old_name = line.startswith("--- ") and number + 1 < len(lines) and lines[number + 1].startswith("+++ ")
        if is_old_name or line.startswith(("diff --git ", "Index: ")):
            # git puts a line of hyphens and the count of changes before it.
            marks = (n for n in range(number - 1, max(-1, number - _LONGEST_STATISTICS), -1) if lines[n] == "---")
            return next(marks, number)
    return len(lines)


def _last_signature(lines: Sequence[str], start: int) -> int:
    for number in range(len(lines) - 1, start, -1):
        if lines[number] == "-- ":
            return number
    return len(lines)


class _Writer:
    """Collects the HTML of one text."""

    def __init__(self, *, obscure: bool, flowed: bool) -> None:
        self.pieces: list[str] = []
        self._obscure = obscure
        self._flowed = flowed

    def prose(self, lines: Sequence[str], *, ends_mail: bool) -> None:
        """Paragraphs, quotes, and the signature."""
        runs = list(_runs([self._line(line) for line in lines]))
        for number, run in enumerate(runs):
            if run[0][0] == 0:
                self._own_words([text for _, text in run])
            else:
                is_last = ends_mail and not any(text.strip() for later in runs[number + 1 :] for _, text in later)
                limit = LONGEST_OPEN_END if is_last and number else LONGEST_OPEN_QUOTE
                self._quote(run, folded=len(run) > limit)

    def _line(self, line: str) -> Line:
        found = (_FLOWED_MARKS if self._flowed else _MARKS).match(line)
        if found is None:
            return 0, line.removeprefix(" ") if self._flowed else line
        rest = line[found.end() :]
        return min(found[0].count(">"), DEEPEST_QUOTE), rest.removeprefix(" ") if self._flowed else rest

    def _own_words(self, lines: list[str]) -> None:
        for number, line in enumerate(lines):
            if line.rstrip("\r") == "-- ":
                self._paragraphs(lines[:number])
                rest = "\n".join(lines[number + 1 :]).strip("\n")
                if rest:
                    self.pieces.append(f'<p class="signature" dir="auto">{self._linked(rest)}</p>')
                return
        self._paragraphs(lines)

    def _paragraphs(self, lines: Iterable[str]) -> None:
        paragraph: list[str] = []
        for line in (*lines, ""):
            if line.strip():
                paragraph.append(line)
            elif paragraph:
                self.pieces.append(self._paragraph(paragraph))
                paragraph = []

    def _paragraph(self, lines: list[str]) -> str:
        columns = sum(1 for line in lines if _may_be_column(line) and _COLUMNS.search(line))
        if columns * 2 > len(lines) and (len(lines) > 1 or lines[0][0] == " "):
            return f'<pre tabindex="0">{self._linked(chr(10).join(lines))}</pre>'
        return f'<p dir="auto">{self._linked(self._joined(lines))}</p>'

    def _joined(self, lines: list[str]) -> str:
        """The lines with those breaks taken out that only fitted them to a screen of 80 columns."""
        pieces = [lines[0]]
        for before, line in itertools.pairwise(lines):
            if self._flowed:
                is_soft = before.endswith(" ")
            else:
                is_soft = len(before) >= _PROSE_LINE and not _NEW_LINE_BEFORE.match(line)
            pieces += [("" if before.endswith(" ") else " ") if is_soft else "\n", line]
        return "".join(pieces)

    def _quote(self, lines: list[Line], *, folded: bool) -> None:
        self.pieces.append('<details class="quote"><summary>Quoted text</summary>' if folded else "")
        open_quotes = 1 if folded else 0
        for depth, texts in _by_depth(lines):
            while open_quotes < depth:
                self.pieces.append('<blockquote class="quote">')
                open_quotes += 1
            while open_quotes > depth:
                self.pieces.append("</blockquote>")
                open_quotes -= 1
            self._paragraphs(texts)
        self.pieces.append("</blockquote>" * (open_quotes - (1 if folded else 0)))
        self.pieces.append("</details>" if folded else "")

    def patch(self, lines: Sequence[str]) -> None:
        """Lines of a patch in fixed width, what is new and what goes marked."""
        self.pieces.append('<pre class="patch" tabindex="0">')
        for line in lines:
            kind = _patch_class(line)
            text = self._linked(line)
            self.pieces.append(f'<span class="{kind}">{text}</span>\n' if kind else f"{text}\n")
        self.pieces.append("</pre>")

    def _linked(self, text: str) -> str:
        return linked(text, self._escaped)

    def _escaped(self, text: str) -> str:
        return escape(hidden_address(text) if self._obscure else text)


def _runs(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines of one's own, then quoted ones, in turn."""
    run: list[Line] = []
    for line in lines:
        if run and (line[0] == 0) != (run[0][0] == 0):
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def _by_depth(lines: Iterable[Line]) -> Iterator[tuple[int, list[str]]]:
    depth, texts = 0, list[str]()
    for line_depth, text in lines:
        if texts and line_depth != depth:
            yield depth, texts
            texts = []
        depth = line_depth
        texts.append(text)
    if texts:
        yield depth, texts


def _may_be_column(line: str) -> bool:
    """Cheap, and true for most lines of a table: the expression is asked only for these."""
    return "   " in line or "\t" in line or line.lstrip()[:1] in "|+-=_~"


def _patch_class(line: str) -> str:
    if line.startswith(
        ("diff ", "index ", "Index: ", "--- ", "+++ ", "new file", "deleted file", "similarity ", "rename ")
    ):
        return "file"
    return {"+": "add", "-": "del", "@": "at"}.get(line[:1], "")
