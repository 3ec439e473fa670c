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
_MARKS = {"": "“", "/": "”"}


def read_cell(text: str) -> str:
    """Return the text of a cell: of one with HTML a paragraph a line, without tags, and characters for entities.

    Without HTML only entities are replaced, such as ``&amp;``; HTML that was escaped once more, as in feeds, is read.
    """
    if "<" not in text and "&" not in text:
        return text
    if has_markup(text):
        return _read_markup(text)
    plain = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    return _read_markup(plain) if has_markup(plain) else plain


def has_markup(text: str) -> bool:
    """Return whether a text holds HTML: an element that is closed, a line break, a block at its beginning."""
    first = _TAG.match(text.lstrip())
    if first and first[2].lower() in _BLOCKS:
        return True
    opened = set()
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        if name in _VOID or (tag[1] and name in opened):
            return True
        opened.add(name)
    return False


def _read_markup(text: str) -> str:
    """Return the text between tags, with a line for each block."""
    text = _without_comments(text)
    has_blocks = any(tag[2].lower() in _BLOCKS for tag in _TAG.finditer(text))
    pieces: list[str] = []
    position, silent = 0, ""
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        if not silent:
            pieces.append(_plain(text[position : tag.start()], has_blocks))
            pieces.append(_between(name, tag[1]))
        position = tag.end()
        if not silent and name in _SILENT and not tag[1]:
            silent = name
        elif name == silent and tag[1]:
            silent = ""
    if not silent:
        pieces.append(_plain(text[position:], has_blocks))
    read = "".join(pieces)
    if not has_blocks:
        return read
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in read.split("\n"))
    return "\n".join(line for line in lines if line and line != "-")


def _plain(text: str, has_blocks: bool) -> str:
    """Return what stands between tags; where blocks make the lines, its own line ends are spaces."""
    if has_blocks:
        text = re.sub(r"\s+", " ", text)
    return html.unescape(text).replace("\u00a0", " ")


def _between(name: str, closing: str) -> str:
    """Return what a tag stands for."""
    if name == "li" and not closing:
        return "\n- "
    if name in _BLOCKS:
        return "\n"
    if name == "q":
        return _MARKS[closing]
    return " " if name in _CELLS else ""


def _without_comments(text: str) -> str:
    pieces, position = [], 0
    while (start := text.find("<!--", position)) >= 0:
        end = text.find("-->", start)
        if end < 0:
            break
        pieces.append(text[position:start])
        position = end + len("-->")
    return "".join(pieces) + text[position:]
