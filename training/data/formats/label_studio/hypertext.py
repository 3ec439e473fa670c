"""HTML as Label Studio's HyperText shows it: the text that its ``globalOffsets`` count in.

They count the characters of every text node of the document, and one for each ``<br>`` (``findGlobalOffset`` in Label
Studio's ``selection-tools.js``). Nothing stands between two paragraphs there, so that the ends of blocks are kept
beside the text: no sentence goes on after one.
"""

import re
from html.parser import HTMLParser
from itertools import pairwise

from claimstance.model.text.sentences import split_sentences

#: Elements that begin a line of their own.
_BLOCK = re.compile(
    "address|article|aside|blockquote|body|caption|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|"
    "h[1-6]|header|hr|html|legend|li|main|nav|ol|option|p|pre|section|summary|table|tbody|td|tfoot|th|thead|title|tr|ul"
)


class _Shown(HTMLParser):
    """Collect the text of a document, and the places in it where blocks begin or end."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.length = 0
        self.bounds = {0}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.handle_data("\n")
        if _BLOCK.fullmatch(tag):
            self.bounds.add(self.length)

    def handle_endtag(self, tag: str) -> None:
        if _BLOCK.fullmatch(tag):
            self.bounds.add(self.length)

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
        self.length += len(data)


def shown_text(html: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text that is shown of a document, and the bounds of its sentences in it.

    >>> shown_text("<p>Rain &amp; sun.</p><p>Snow.</p>")
    ('Rain & sun.Snow.', [(0, 11), (11, 16)])
    """
    parser = _Shown()
    parser.feed(html)
    parser.close()
    text = "".join(parser.parts)
    bounds = sorted({*parser.bounds, len(text)})
    sentences = []
    for start, end in pairwise(bounds):
        for left, right in split_sentences(text[start:end]):
            sentences.append((start + left, start + right))
    return text, sentences
