"""A plain text of a mail as HTML: paragraphs, quotes that fold, patches, tables in fixed width, live links."""

import itertools
import re
from collections.abc import Iterator, Sequence
from html import escape
from operator import itemgetter

from postroad.foundation.message.links import linked

DEEPEST_QUOTE = 8
LONGEST_OPEN_QUOTE = 12
"""Lines; a longer quote is folded."""
LONGEST_OPEN_END = 3
"""Lines of a quote that ends a mail: what was answered above is seldom read again."""

# In these a line end stands before each line: an expression that begins with a letter is found many times faster.
_PATCH = re.compile(r"\n(?:--- [^\n]*+\n\+\+\+ |diff --git |Index: )")
_QUOTED = re.compile(r"(\n>[^\n]*+(?:\n>[^\n]*+)*+)")
_EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*+\n)++")
_QUOTED_LINE = re.compile(r"\n((?:> ?)++)([^\n]*+)")
_FLOWED_QUOTED_LINE = re.compile(r"\n(>(?: ?>)*+) ?([^\n]*+)")
"""One space behind the marks is stuffing (RFC 3676 §4.5)."""
_DOMAIN = re.compile(r"@(?<=[A-Za-z0-9._%+-]@)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
_FITTED = re.compile(r"\n(?<=[^\n]{55}\n)(?!\s|[-*+•–>|#]|\(?\w{1,3}[.)]\s)")
"""Where the author's program broke a line, not the author: behind so many characters, and inside of prose."""
_MARKED_LINE = re.compile(r"\n\s*+[-|+=_~]")
_COLUMNS = re.compile(r"\S {3,}\S|\S\t+\S|^ {4,}\S|^\t|[|+][-=]{3,}|^\s*[-=_~]{3,}\s*$")

_LONGEST_STATISTICS = 200
"""Lines between git's line of hyphens and the first file of a patch."""


def hidden_address(text: str) -> str:
    """Text with mail addresses as a stranger sees them: `anne(a)…`."""
    return _DOMAIN.sub("(a)…", text) if "@" in text else text


def text_to_html(text: str, *, obscure: bool = False, flowed: bool = False) -> str:
    """Plain text, its lines ending in LF, as HTML; `obscure` hides addresses, `flowed` follows RFC 3676."""
    writer = _Writer(obscure=obscure, flowed=flowed)
    lines = f"\n{text}"
    patch = _begin_of_patch(lines)
    writer.prose(lines[:patch], ends_mail=patch == len(lines))
    if patch < len(lines):
        signature = _last_signature(lines, patch)
        writer.patch(lines[patch:signature].split("\n")[1:])
        writer.prose(lines[signature:], ends_mail=False)
    return "".join(writer.pieces)


def _begin_of_patch(lines: str) -> int:
    """Where a patch begins; the end when there is none."""
    found = _PATCH.search(lines)
    if found is None:
        return len(lines)
    # git puts a line of hyphens and the count of changes before it.
    marks = lines.rfind("\n---\n", 0, found.start() + 1)
    return marks if marks >= 0 and lines.count("\n", marks, found.start()) < _LONGEST_STATISTICS else found.start()


def _last_signature(lines: str, start: int) -> int:
    """Where the last signature behind this place begins; the end when there is none."""
    found = f"{lines}\n".rfind("\n-- \n", start + 1)
    return found if found >= 0 else len(lines)


class _Writer:
    """Collects the HTML of one text; a line end stands before each of the lines it is given."""

    def __init__(self, *, obscure: bool, flowed: bool) -> None:
        self.pieces: list[str] = []
        self._obscure = obscure
        self._flowed = flowed

    def prose(self, lines: str, *, ends_mail: bool) -> None:
        """Paragraphs, quotes, and the signature."""
        runs = _QUOTED.split(lines)  # Own words and quotes in turn.
        last = next((n for n in reversed(range(len(runs))) if runs[n].replace(">", "").strip()), 0)
        for number, run in enumerate(runs):
            if not run:
                continue
            if number % 2 == 0:
                self._own_words(run.replace("\n ", "\n") if self._flowed else run)
            else:
                answers = ends_mail and number >= last and runs[0]
                limit = LONGEST_OPEN_END if answers else LONGEST_OPEN_QUOTE
                self._quote(run, folded=run.count("\n") > limit)

    def _own_words(self, lines: str) -> None:
        words, _, signature = f"{lines}\n".partition("\n-- \n")
        self._paragraphs(words)
        if signature := signature.strip("\n"):
            self.pieces.append(f'<p class="signature" dir="auto">{self._linked(signature)}</p>')

    def _paragraphs(self, lines: str) -> None:
        self.pieces += [self._paragraph(paragraph) for paragraph in _EMPTY_LINES.split(f"\n{lines}\n\n") if paragraph]

    def _paragraph(self, text: str) -> str:
        if _is_table(text):
            return f'<pre tabindex="0">{self._linked(text)}</pre>'
        return f'<p dir="auto">{self._linked(self._joined(text))}</p>'

    def _joined(self, paragraph: str) -> str:
        """The lines with those breaks taken out that only fitted them to a screen of 80 columns."""
        if self._flowed:
            return paragraph.replace(" \n", " ")
        return _FITTED.sub(" ", paragraph.replace(" \n", "\n"))

    def _quote(self, lines: str, *, folded: bool) -> None:
        self.pieces.append('<details class="quote"><summary>Quoted text</summary>' if folded else "")
        open_quotes = 1 if folded else 0
        for depth, texts in self._by_depth(lines):
            while open_quotes < depth:
                self.pieces.append('<blockquote class="quote">')
                open_quotes += 1
            while open_quotes > depth:
                self.pieces.append("</blockquote>")
                open_quotes -= 1
            self._paragraphs(texts)
        self.pieces.append("</blockquote>" * (open_quotes - (1 if folded else 0)))
        self.pieces.append("</details>" if folded else "")

    def _by_depth(self, lines: str) -> Iterator[tuple[int, str]]:
        """Quoted lines without their marks: how deep, and those that stand so deep behind each other."""
        found = (_FLOWED_QUOTED_LINE if self._flowed else _QUOTED_LINE).findall(lines)
        by_line = ((min(marks.count(">"), DEEPEST_QUOTE), f"\n{text}") for marks, text in found)
        for depth, run in itertools.groupby(by_line, itemgetter(0)):
            yield depth, "".join(text for _, text in run)

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


def _is_table(paragraph: str) -> bool:
    """Whether most of its lines are set in columns; of prose, the expressions see nothing."""
    if not ("   " in paragraph or "\t" in paragraph or _MARKED_LINE.search(f"\n{paragraph}")):
        return False
    lines = paragraph.split("\n")
    columns = sum(1 for line in lines if _COLUMNS.search(line))
    return columns * 2 > len(lines) and (len(lines) > 1 or paragraph[0] == " ")


def _patch_class(line: str) -> str:
    if line.startswith(
        ("diff ", "index ", "Index: ", "--- ", "+++ ", "new file", "deleted file", "similarity ", "rename ")
    ):
        return "file"
    return {"+": "add", "-": "del", "@": "at"}.get(line[:1], "")
