"""Join the lines of texts that were wrapped at a column, as wire copy, newsletters and e-mail are.

A program that wraps at a width breaks lines where the next word would not fit. So a line break is *forced* by widths
that have room for the line, but not for the next word as well, and one width forces nearly all. Where a person ends a
line, of a poem, a list, a headline, the next word would mostly fit, and most lines begin with a capital.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

#: The warning of a text whose lines were not joined, because its offsets have to stay as they are.
WRAPPED = (
    "the lines seem to be wrapped at a column, so that sentences end with them; "
    "claimstance.inference.articles.wrapping.unwrap joins them"
)
_MIN_WIDTH, _MAX_WIDTH = 40, 132  # characters of a line that was wrapped
_MIN_MEAN_LENGTH = 20  # characters of a line, with the blank ones between paragraphs
_MIN_BREAKS = 3
_FORCED_SHARE = 0.9  # of the breaks within paragraphs, where blank lines separate these
_FORCED_SHARE_WITHOUT_BLANK_LINES = 0.3  # of all breaks
_LOWER_SHARE = 0.35  # of forced breaks are before a lower-case letter; in prose 0.7 to 0.9
_WEIGHT_OF_LONGER = 2  # of a line that is longer than a width, against one that the width explains
_MAX_HEADLINES = 3  # lines of a headline
_CUT_SHARE = 0.8  # of forced breaks are after lines of one length, where words were cut, too
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
class _WrappedLine:
    """Represent a line of a text, with its end."""

    raw: str
    end: str

    @property
    def text(self) -> str:
        """Return the line without blanks around it."""
        return self.raw.strip()

    @property
    def indent(self) -> int:
        """Return the number of blanks before the text."""
        return len(self.raw) - len(self.raw.lstrip())


def unwrap(text: str) -> str:
    """Return a text with the lines of each paragraph joined, if it was wrapped at a column; else the text as it is.

    Line ends between paragraphs stay, and so do those of lists, tables, quoted e-mail and speeches within the text.
    """
    if not 0 < text.count("\n") < len(text) / _MIN_MEAN_LENGTH:
        return text
    lines = [_WrappedLine(*match.groups()) for match in _LINE.finditer(text)]
    breaks = []  # the indices of lines with text that another line with text follows
    for i, (line, following) in enumerate(pairwise(lines)):
        if line.text and following.text:
            breaks.append(i)
    if not breaks:
        return text
    # Columns are characters or, for some programs, bytes: the right measure leaves fewer breaks unexplained.
    cut, forced = _explained_breaks(lines, breaks, len)
    cut_by_bytes, forced_by_bytes = _explained_breaks(lines, breaks, _count_bytes)
    if len(forced_by_bytes) > len(forced):
        cut, forced = cut_by_bytes, forced_by_bytes

    if len(cut) >= _CUT_SHARE * len(forced) and _are_wrapped(lines, breaks, cut):
        # Lines that were cut at a length keep their blanks, so that nothing belongs between two of them.
        stretches = []
        for i, line in enumerate(lines):
            stretches.append(line.raw)
            if i not in cut:
                stretches.append(line.end)
        return "".join(stretches)
    if _are_wrapped(lines, breaks, forced):
        # A single line that looks like an item may begin with a number or a dash by chance.
        has_list = sum(_ITEM.match(line.raw) is not None for line in lines) > 1
        joined = {i for i in forced if not _begins_anew(lines, i, has_list)}
        return _join(lines, joined)
    return text


def _count_bytes(line: str) -> int:
    """Return the length of a line in UTF-8."""
    return len(line.encode("utf-8", "surrogatepass"))


def _explained_breaks(
    lines: Sequence[_WrappedLine], breaks: Sequence[int], measure: Callable[[str], int]
) -> tuple[set[int], set[int]]:
    """Return the breaks that cutting at a fixed length explains, and those that wrapping at a width explains.

    Cut lines all have one length. A break is forced by all widths that have room for the line, but not for the line, a
    space and the following word as well.
    """
    lengths: dict[int, int] = {}  # break → the line's length, with blanks at its end
    shortest: dict[int, int] = {}  # break → the least width that forces it
    longest: dict[int, int] = {}  # break → the greatest width that forces it
    for i in breaks:
        next_word = lines[i + 1].text.split(maxsplit=1)[0]
        lengths[i] = measure(lines[i].raw)
        shortest[i] = measure(lines[i].raw.rstrip())
        longest[i] = shortest[i] + measure(next_word)
    ((commonest, _),) = Counter(lengths.values()).most_common(1)
    cut = {i for i in breaks if lengths[i] == commonest}

    # The likeliest width forces most breaks; longer lines count against it, since no program leaves them.
    forced_breaks = Counter[int]()  # width → number of breaks that it forces
    for i in breaks:
        narrowest, widest = max(shortest[i], _MIN_WIDTH), min(longest[i], _MAX_WIDTH)
        forced_breaks.update(range(narrowest, widest + 1))
    lines_of_length = Counter(shortest.values())
    longer_lines = sum(length >= _MIN_WIDTH for length in shortest.values())
    best_score, best_width = -math.inf, 0
    # Widths are tried in ascending order, so that each step only subtracts the lines of exactly this width.
    for width in range(_MIN_WIDTH, _MAX_WIDTH + 1):
        longer_lines -= lines_of_length[width]
        score = forced_breaks[width] - _WEIGHT_OF_LONGER * longer_lines
        if score > best_score:
            best_score, best_width = score, width
    forced = {i for i in breaks if shortest[i] <= best_width <= longest[i]}
    return cut, forced


def _are_wrapped(
    lines: Sequence[_WrappedLine], breaks: Sequence[int], explained: Collection[int]
) -> bool:
    """Return whether a program that wraps prose would have made these breaks."""

    def count_lower(indices: Collection[int]) -> int:
        return sum(lines[i + 1].text[0].islower() for i in indices)

    if len(explained) < _MIN_BREAKS:
        return False
    if count_lower(explained) < _LOWER_SHARE * len(explained):
        return False
    if len(explained) >= _FORCED_SHARE * len(breaks):
        return True
    if len(explained) < _FORCED_SHARE_WITHOUT_BLANK_LINES * len(breaks):
        return False
    # Without blank lines, the last line of each paragraph is a short one, and the next begins with a capital.
    unexplained = [i for i in breaks if i not in explained]
    return count_lower(unexplained) <= len(unexplained) / 10


def _begins_anew(lines: Sequence[_WrappedLine], i: int, has_list: bool) -> bool:
    """Return whether the line after a forced break is one of its own all the same."""
    line, following = lines[i], lines[i + 1]
    if following.indent > line.indent:
        return True
    for neighbour in (line, following):
        if neighbour.text.startswith(">") or _GAPS.search(neighbour.text):  # e-mail or a table
            return True
    names_speaker = _SPEAKER.match(following.raw) is not None
    starts_item = has_list and _ITEM.match(following.raw) is not None
    if (names_speaker or starts_item) and _SENTENCE_END.search(line.text):
        return True
    # A headline may take several lines: the last of them is followed by a line that is none.
    if i >= _MAX_HEADLINES or _is_headline(following.text):
        return False
    return all(_is_headline(headline.text) for headline in lines[: i + 1])


def _is_headline(text: str) -> bool:
    """Return whether a first line has a headline's capitals and no stop at its end."""
    long_words = [word for word in text.split() if len(word) > 3]
    has_capitals = all(not word[0].islower() for word in long_words)
    return has_capitals and not _SENTENCE_END.search(text)


def _join(lines: Sequence[_WrappedLine], joined: set[int]) -> str:
    """Return the text of lines, each of ``joined`` together with the one that follows it.

    A space joins two lines, unless the first ends with a hyphen or a dash. The hyphen is removed if the text elsewhere
    has the word without a hyphen, and nowhere with it.
    """
    words: set[str] = set()
    for line in lines:
        words.update(_WORD.findall(line.raw.lower()))
    unwrapped: list[str] = []
    for i, line in enumerate(lines):
        raw = line.raw.lstrip() if i - 1 in joined else line.raw
        if i not in joined:
            unwrapped.append(raw + line.end)
            continue

        raw = raw.rstrip()
        unwrapped.append(raw)
        if _OPEN_DASH.search(raw):
            continue
        word_start = _OPEN_HYPHEN.search(raw)
        word_end = re.match(r"\w+", lines[i + 1].text)
        if word_start is None or word_end is None or word_end[0] in _SUSPENDED:
            unwrapped.append(" ")
            continue
        compound = f"{word_start[1]}-{word_end[0]}".lower()
        word = f"{word_start[1]}{word_end[0]}".lower()
        if word in words and compound not in words:
            unwrapped[-1] = raw[:-1]
    return "".join(unwrapped)
