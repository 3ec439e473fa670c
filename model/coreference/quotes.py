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
            start, end = mark.span()
            if opened is None:
                if mark[0] != "”":
                    opened = start
                continue
            # An opening mark may be typed where a quote closes: “so it is“, he said.
            stands_at_end = not text[start - 1].isspace() and not text[end : end + 1].isalnum()
            is_opening = mark[0] in ("“", "``")
            if stands_at_end or not is_opening:
                yield Quote(opened, end)
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
