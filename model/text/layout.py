"""The lines of an article, which limit attributions: speech outside quotation marks ends with its line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_LINE_END = re.compile(r"[\n\r\v\f\x85\u2028\u2029]")  # the same characters end sentences
_OPENED = re.compile(r"^[\s•*·–—-]*(?:\(?\w{1,3}[.)]\s+)?[“‘\"«„]|^\s*(?:''|``)")
_CLOSED = re.compile(r"(?:[”’»\"]|'')\W*$")
_MARK = re.compile(r"[“”«»„]|\"|''|``|(?<!\w)‘|’(?!\w)")


@dataclass(frozen=True)
class Layout:
    """Represent the lines of an article's sentences.

    Attributes:
        lines: the number of the line of each sentence.
        speech_breaks: sentences that speech outside quotation marks does not continue into.
        quotations: sentence with words inside quotation marks → the offset of its first such mark; 0 if no words stand
            before it, or if the quotation was opened in an earlier sentence.
        colons: lines that end with a colon: they introduce the speech on later lines.
    """

    lines: tuple[int, ...]
    speech_breaks: frozenset[int]
    quotations: Mapping[int, int]
    colons: frozenset[int] = frozenset()

    def begins_line(self, sentence: int) -> bool:
        """Return whether a sentence is the first of its line."""
        return sentence == 0 or self.lines[sentence - 1] != self.lines[sentence]

    def ends_line(self, sentence: int) -> bool:
        """Return whether a sentence is the last of its line."""
        is_last = sentence + 1 == len(self.lines)
        return is_last or self.lines[sentence + 1] != self.lines[sentence]

    def introduces(self, sentence: int) -> bool:
        """Return whether the line of a sentence ends with a colon."""
        return self.lines[sentence] in self.colons


def layout_of(text: str, bounds: Sequence[tuple[int, int]]) -> Layout:
    """Return the layout of an article whose sentences lie at ``bounds``."""
    lines = []
    line = previous = 0
    for start, end in bounds:
        line += sum(1 for _ in _LINE_END.finditer(text, previous, start))
        lines.append(line)
        previous = end
    return layout_of_lines([text[start:end] for start, end in bounds], lines)


def layout_of_lines(sentences: Sequence[str], lines: Sequence[int]) -> Layout:
    """Return the layout of sentences from the number of the line of each."""
    ends: set[int] = set()
    quotations: dict[int, int] = {}
    is_open = False  # a quotation continues after the sentence before
    marks = _QuotationMarks()
    for index, sentence in enumerate(sentences):
        begins_line = index == 0 or lines[index] != lines[index - 1]
        if index > 0 and begins_line and not is_open:
            # Quotations on successive lines may be one speech.
            is_next_quotation = _CLOSED.search(sentences[index - 1]) and _OPENED.match(sentence)
            if not is_next_quotation:
                ends.add(index)
        opening = marks.follow(sentence, begins_line)
        if is_open or _OPENED.match(sentence):
            quotations[index] = 0
        elif opening is not None:
            quotations[index] = opening
        is_open = marks.double or marks.single
    colons = set()
    for sentence, line in zip(sentences, lines, strict=True):
        if sentence.endswith(":"):
            colons.add(line)
    return Layout(tuple(lines), frozenset(ends), quotations, frozenset(colons))


@dataclass
class _QuotationMarks:
    """Track the quotation marks of a text: is a quotation in double marks open, and one in single marks?"""

    double: bool = False
    single: bool = False

    def follow(self, sentence: str, begins_line: bool) -> int | None:
        """Follow the marks of a sentence; return the offset of the first one behind which words are quoted.

        A quotation of several paragraphs is opened again in each of them: a straight mark at the start of a line opens.
        An apostrophe closes nothing unless a single mark is open.
        """
        first: int | None = None
        for mark in _MARK.finditer(sentence):
            if mark[0] in ("“", "„", "«", "``"):
                self.double = True
            elif mark[0] in ("”", "»"):
                self.double = False
            elif mark[0] == "‘":
                self.single = True
            elif mark[0] == "’":
                self.single = False
            else:
                self.double = not self.double or (begins_line and mark.start() == 0)
            if first is None and (self.double or self.single):
                first = mark.start()
        return first
