"""Read the HTML that text columns of tables hold, as exports of websites and feeds do."""

import html
import re

_BLOCKS = (
    *("address", "article", "aside", "blockquote", "br", "center", "dd", "div", "dl", "dt"),
    *("figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr"),
    *("li", "main", "ol", "p", "pre", "section", "table", "tr", "ul"),
)
_INLINE = (
    *("a", "abbr", "b", "big", "cite", "code", "del", "em", "font", "i", "img", "ins", "mark"),
    *("q", "s", "small", "span", "strike", "strong", "sub", "sup", "td", "th", "time", "tt", "u"),
    *("body", "head", "html", "iframe", "link", "meta", "noscript", "script", "style", "title"),
)
_SILENT = ("head", "iframe", "noscript", "script", "style")
_VOID = ("br", "hr", "img")
_CELLS = ("td", "th")
_TAG = re.compile(
    rf"<(/?)({'|'.join(sorted((*_BLOCKS, *_INLINE), key=len, reverse=True))})(?:\s[^<>]*|/)?>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_QUOTATION_MARKS = {"": "“", "/": "”"}  # for <q> and </q>


def read_cell(text: str) -> str:
    """Return the text of a cell; HTML becomes one paragraph per line, without tags and with entities replaced.

    Without HTML only entities are replaced, such as ``&amp;``. HTML that was escaped once more, as in feeds, is read.
    """
    if "<" not in text and "&" not in text:
        return text
    if not has_markup(text):
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
        if not has_markup(text):
            return text
    return _read_markup(text)


def has_markup(text: str) -> bool:
    """Return whether a text holds HTML: an element that is closed, a line break, a block at its beginning."""
    first_tag = _TAG.match(text.lstrip())
    if first_tag and first_tag[2].lower() in _BLOCKS:
        return True
    opened = set()
    for tag in _TAG.finditer(text):
        is_closing, name = tag[1], tag[2].lower()
        if name in _VOID or (is_closing and name in opened):
            return True
        opened.add(name)
    return False


def _read_markup(text: str) -> str:
    """Return the text between tags, with a line for each block."""
    text = _without_comments(text)
    tags = list(_TAG.finditer(text))
    has_blocks = any(tag[2].lower() in _BLOCKS for tag in tags)

    pieces: list[str] = []
    position = 0
    silent_element = ""  # the one whose content is skipped until it is closed
    for tag in tags:
        closing, name = tag[1], tag[2].lower()  # closing is "/" for an end tag, else empty
        if not silent_element:
            pieces.append(_plain_text(text[position : tag.start()], has_blocks))
            if name == "li" and not closing:
                pieces.append("\n- ")
            elif name in _BLOCKS:
                pieces.append("\n")
            elif name == "q":
                pieces.append(_QUOTATION_MARKS[closing])
            elif name in _CELLS:
                pieces.append(" ")

        position = tag.end()
        if not silent_element and name in _SILENT and not closing:
            silent_element = name
        elif name == silent_element and closing:
            silent_element = ""
    if not silent_element:
        pieces.append(_plain_text(text[position:], has_blocks))

    plain = "".join(pieces)
    if not has_blocks:
        return plain
    lines = []
    for raw_line in plain.split("\n"):
        line = re.sub(r"[ \t]+", " ", raw_line).strip()
        if line not in ("", "-"):  # an item of a list may be empty
            lines.append(line)
    return "\n".join(lines)


def _plain_text(text: str, has_blocks: bool) -> str:
    """Return the text between two tags; where blocks make the lines, its own line ends are spaces."""
    if has_blocks:
        text = re.sub(r"\s+", " ", text)
    return html.unescape(text).replace("\u00a0", " ")


def _without_comments(text: str) -> str:
    """Return HTML without comments; one that is never closed stays."""
    # A regular expression would take quadratic time for a text with many comments that nothing closes.
    pieces = []
    position = 0
    start = text.find("<!--")
    while start >= 0:
        end = text.find("-->", start)
        if end < 0:
            break
        pieces.append(text[position:start])
        position = end + len("-->")
        start = text.find("<!--", position)
    return "".join(pieces) + text[position:]
