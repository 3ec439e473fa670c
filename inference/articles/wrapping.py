"""Join the lines of texts that were wrapped at a column, as wire copy, newsletters and e-mail are.

A program that wraps at a width breaks lines where the next word would not fit. So a line break is *forced* by widths
that have room for the line, but not for the next word as well, and one width forces nearly all. Where a person ends a
line, of a poem, a list, a headline, the next word would mostly fit, and most lines begin with a capital.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_NARROWEST, _WIDEST = 40, 132  # characters of a line that was wrapped
_SHORTEST_MEAN = 20  # characters of a line, with the blank ones between paragraphs
_FEWEST_BREAKS = 3
_FORCED_SHARE = 0.9  # of the breaks within paragraphs, where blank lines part these
_FORCED_SHARE_UNPARTED = 0.3  # of all breaks, where nothing does
_LOWER_SHARE = 0.35  # of forced breaks are before a lower-case letter; in prose 0.7 to 0.9
_WEIGHT_OF_LONGER = 2  # of a line that is longer than a width, against one that the width explains
_MOST_HEADLINES = 3  # lines of a headline
_CUT_SHARE = (
    0.8  # of forced breaks are after lines of one length, where lines were cut in words, too
)
_WORD = re.compile(r"\w+(?:-\w+)*")
_LINE = re.compile(r"([^\n]*?)(\r?\n|\Z)")
_GAPS = re.compile(r"\S\s{3,}\S")  # between the columns of a table
_ITEM = re.compile(r"\s*(?:[-*•·–—]|\(?(?:\d{1,3}|[a-z])[.)])\s")
_SPEAKER = re.compile(r"\s*[A-Z][\w.'’-]*(?:\s[A-Z][\w.'’-]*){0,3}:\s")
_SENTENCE_END = re.compile(r"[.!?:;…][”’\"')\]]*$")
_OPEN_HYPHEN = re.compile(r"(\w+)[-\u2010]$")
_OPEN_DASH = re.compile(r"\S(?:[—–]|--)$")
_SUSPENDED = ("and", "or", "to", "nor")  # pre- and post-war


@dataclass(frozen=True, slots=True)
class _Line:
    """A line, its end, and what it says without blanks around it."""

    raw: str
    end: str

    @property
    def text(self) -> str:
        return self.raw.strip()

    @property
    def indent(self) -> int:
        return len(self.raw) - len(self.raw.lstrip())


def unwrap(text: str) -> str:
    """Return a text with the lines of each paragraph joined, if it was wrapped at a column; else the text as it is.

    Line ends between paragraphs stay, and so do those of lists, tables, quoted e-mail and speeches within the text.
    """
    if not 0 < text.count("\n") < len(text) / _SHORTEST_MEAN:
        return text
    lines = [_Line(*match.groups()) for match in _LINE.finditer(text)]
    breaks = [i for i, line in enumerate(lines[:-1]) if line.text and lines[i + 1].text]
    # Columns are characters or, for some programs, bytes: the right measure leaves fewer breaks unexplained.
    full, forced = max(
        (_explained(lines, breaks, measure) for measure in (_characters, _bytes)),
        key=lambda explained: len(explained[1]),
    )
    if len(full) >= _CUT_SHARE * len(forced) and _are_wrapped(lines, breaks, full):
        return _join_cut(lines, set(full))
    if _are_wrapped(lines, breaks, forced):
        has_list = sum(_ITEM.match(line.raw) is not None for line in lines) > 1
        return _join(lines, {i for i in forced if not _begins_anew(lines, i, has_list)})
    return text


def _characters(line: str) -> int:
    return len(line)


def _bytes(line: str) -> int:
    return len(line.encode("utf-8", "surrogatepass"))


def _explained(
    lines: Sequence[_Line], breaks: Sequence[int], measure: Callable[[str], int]
) -> tuple[list[int], list[int]]:
    """Return the breaks that explain best by cutting after so many characters, and by wrapping at a width.

    Cut lines all have one length. A break is forced by all widths that have room for the line, but not for the line, a
    space and the following word as well.
    """
    raw = [measure(lines[i].raw) for i in breaks]
    shortest = [measure(lines[i].raw.rstrip()) for i in breaks]
    longest = [
        length + measure(lines[i + 1].text.split(maxsplit=1)[0])
        for i, length in zip(breaks, shortest, strict=True)
    ]
    if not breaks:
        return [], []
    length = Counter(raw).most_common(1)[0][0]
    width = _likeliest_width(shortest, longest)
    return (
        [i for i, one in zip(breaks, raw, strict=True) if one == length],
        [
            i
            for i, least, most in zip(breaks, shortest, longest, strict=True)
            if least <= width <= most
        ],
    )


def _likeliest_width(shortest: Sequence[int], longest: Sequence[int]) -> int:
    """Return the width that forces most breaks; longer lines count against it, since no program leaves them.

    Args:
        shortest: the lengths of the lines.
        longest: the widths at which they still have no room for the next word.
    """
    forced, ends = Counter[int](), Counter(shortest)
    for least, most in zip(shortest, longest, strict=True):
        forced.update(range(max(least, _NARROWEST), min(most, _WIDEST) + 1))
    longer, best, likeliest = len(shortest) - sum(ends[n] for n in range(_NARROWEST)), -math.inf, 0
    for width in range(_NARROWEST, _WIDEST + 1):
        longer -= ends[width]
        if (score := forced[width] - _WEIGHT_OF_LONGER * longer) > best:
            best, likeliest = score, width
    return likeliest


def _are_wrapped(lines: Sequence[_Line], breaks: Sequence[int], forced: Sequence[int]) -> bool:
    """Return whether forced breaks are what wrapping makes of prose."""
    if len(forced) < _FEWEST_BREAKS:
        return False
    lower = sum(lines[i + 1].text[0].islower() for i in forced)
    if lower < _LOWER_SHARE * len(forced):
        return False
    if len(forced) >= _FORCED_SHARE * len(breaks):
        return True
    # Without blank lines, the last line of each paragraph is a short one, and the next begins with a capital.
    chosen = set(forced)
    others = [i for i in breaks if i not in chosen]
    ragged = sum(lines[i + 1].text[0].islower() for i in others)
    return len(forced) >= _FORCED_SHARE_UNPARTED * len(breaks) and ragged <= len(others) / 10


def _begins_anew(lines: Sequence[_Line], i: int, has_list: bool) -> bool:
    """Return whether the line after a forced break is one of its own all the same."""
    line, following = lines[i], lines[i + 1]
    if following.indent > line.indent:
        return True
    if any(each.text.startswith(">") or _GAPS.search(each.text) for each in (line, following)):
        return True
    ends = _SENTENCE_END.search(line.text) is not None
    if ends and (_SPEAKER.match(following.raw) or (has_list and _ITEM.match(following.raw))):
        return True
    return i < _MOST_HEADLINES and all(
        _is_headline(each.text) == (n <= i) for n, each in enumerate(lines[: i + 2])
    )


def _join_cut(lines: Sequence[_Line], joined: set[int]) -> str:
    """Return the text of lines that were cut after so many characters, in the middle of words, too."""
    return "".join(line.raw + ("" if i in joined else line.end) for i, line in enumerate(lines))


def _join(lines: Sequence[_Line], joined: set[int]) -> str:
    """Return the text of lines, each of ``joined`` together with the one that follows it."""
    words = {word for line in lines for word in _WORD.findall(line.raw.lower())}
    pieces: list[str] = []
    for i, line in enumerate(lines):
        raw = line.raw.lstrip() if i - 1 in joined else line.raw
        if i in joined:
            pieces.append(_open_end(raw.rstrip(), lines[i + 1].text, words))
        else:
            pieces.append(raw + line.end)
    return "".join(pieces)


def _is_headline(text: str) -> bool:
    """Return whether a first line has a headline's capitals and no stop at its end."""
    words = [word for word in text.split() if len(word) > 3]
    return not _SENTENCE_END.search(text) and all(not word[0].islower() for word in words)


def _open_end(line: str, following: str, words: set[str]) -> str:
    """Return a line with what stands between it and the following one: a space, or nothing after a hyphen or dash."""
    if _OPEN_DASH.search(line):
        return line
    hyphen = _OPEN_HYPHEN.search(line)
    rest = re.match(r"\w+", following)
    if hyphen is None or rest is None or rest[0] in _SUSPENDED:
        return f"{line} "
    compound, word = f"{hyphen[1]}-{rest[0]}".lower(), f"{hyphen[1]}{rest[0]}".lower()
    return line[:-1] if word in words and compound not in words else line
