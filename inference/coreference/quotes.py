"""Quotes between double quotation marks, and quotations of several paragraphs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_QUOTE_MARK = re.compile(r"[“”\"]|''|``")


@dataclass(frozen=True)
class Quote:
    """Represent a quote: the characters ``[start, end)`` of a text, both quotation marks included.

    Attributes:
        start: index of the opening mark.
        end: index behind the closing mark; the end of the paragraph if there is none.
        is_closed: true if there is a closing mark.
    """

    start: int
    end: int
    is_closed: bool = True


def find_quotes(text: str) -> Iterator[Quote]:
    """Yield the quotes of a text, in order; one that is never closed ends with its paragraph."""
    for paragraph in re.finditer(r"[^\n]+", text):
        opened: int | None = None
        for mark in _QUOTE_MARK.finditer(text, *paragraph.span()):
            if opened is None and mark[0] != "”":
                opened = mark.start()
            elif opened is not None:
                is_opening = mark[0] in ("“", "``")
                # An opening mark may be typed where a quote closes: “so it is“, he said.
                before = text[mark.start() - 1]
                after = text[mark.end() : mark.end() + 1]
                stands_at_end = not before.isspace() and not after.isalnum()
                if not is_opening or stands_at_end:
                    yield Quote(opened, mark.end())
                    opened = None
        if opened is not None:
            yield Quote(opened, paragraph.end(), is_closed=False)


def join_quotes(text: str) -> list[Quote]:
    """Return the quotes of a text, with quotes that go on in the next paragraph joined.

    By convention, a quotation of several paragraphs opens with each of them and closes with the last.
    """
    quotations: list[Quote] = []
    for quote in find_quotes(text):
        last = quotations[-1] if quotations else None
        # Only white space lies between the end of one paragraph and the mark that opens the next.
        if last and not last.is_closed and not text[last.end : quote.start].strip():
            quotations[-1] = replace(quote, start=last.start)
        else:
            quotations.append(quote)
    return quotations
