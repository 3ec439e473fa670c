"""The text of HTML as Label Studio's HyperText displays it, which ``globalOffsets`` refer to.

``globalOffsets`` count the characters of every text node of the document, and one for each ``<br>`` (see
``findGlobalOffset`` in Label Studio's ``selection-tools.js``). Two paragraphs follow each other without a separator, so
that the ends of blocks are collected beside the text: a sentence ends there at the latest.
"""

import re
from html.parser import HTMLParser
from itertools import pairwise

from claimstance.model.text.sentences import split_sentences

#: Elements that begin on a new line.
_BLOCK = re.compile(
    "address|article|aside|blockquote|body|caption|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|"
    "h[1-6]|header|hr|html|legend|li|main|nav|ol|option|p|pre|section|summary|table|tbody|td|tfoot|th|thead|title|tr|ul"
)


class _TextCollector(HTMLParser):
    """Collect the text of a document, and the positions in it where blocks begin or end."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.strings: list[str] = []
        self.length = 0
        self.block_bounds = {0}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.handle_data("\n")
        if _BLOCK.fullmatch(tag):
            self.block_bounds.add(self.length)

    def handle_endtag(self, tag: str) -> None:
        if _BLOCK.fullmatch(tag):
            self.block_bounds.add(self.length)

    def handle_data(self, data: str) -> None:
        self.strings.append(data)
        self.length += len(data)


def displayed_text(html: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the displayed text of an HTML document, and the bounds of its sentences in it.

    >>> displayed_text("<p>Rain &amp; sun.</p><p>Snow.</p>")
    ('Rain & sun.Snow.', [(0, 11), (11, 16)])
    """
    parser = _TextCollector()
    parser.feed(html)
    parser.close()
    text = "".join(parser.strings)
    bounds = sorted({*parser.block_bounds, len(text)})
    sentences = []
    for start, end in pairwise(bounds):
        for first, last in split_sentences(text[start:end]):
            sentences.append((start + first, start + last))
    return text, sentences
