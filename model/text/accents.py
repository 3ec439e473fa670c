"""Text without accents, so that *José*, however it is encoded, and *Jose* are the same name.

A letter with an accent is one character (NFC), or a letter and a combining mark (NFD). Folding decomposes a text
canonically, drops the marks, and replaces letters such as *ł*, which Unicode does not decompose, by those that people
type for them. Marks that form another letter rather than an accent (in Japanese, Indic and Thai scripts) stay, in
canonical order, so that canonically equal strings are equal after folding in any script.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_LETTERS = {
    **{"Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "ẞ": "SS", "ß": "ss", "Þ": "Th", "þ": "th"},
    **{"Ð": "D", "ð": "d", "Đ": "D", "đ": "d", "Ħ": "H", "ħ": "h", "ı": "i", "ĸ": "k"},
    **{"Ł": "L", "ł": "l", "Ø": "O", "ø": "o", "Ŧ": "T", "ŧ": "t"},
}
_REPLACED_LETTER = re.compile(f"[{''.join(_LETTERS)}]")


@dataclass(frozen=True)
class FoldedText:
    """Represent a folded text with its alignment to the original text.

    Attributes:
        text: the folded text.
        origins: for each of its characters, the characters ``[start, end)`` of the original text that it comes from;
            ``None`` if folding changed nothing.
    """

    text: str
    origins: tuple[tuple[int, int], ...] | None = None

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the span in the original text; ``None`` if it begins or ends inside of an original character."""
        if self.origins is None:
            return start, end
        origins = self.origins
        if start > 0 and origins[start - 1] == origins[start]:
            return None
        if end < len(origins) and origins[end] == origins[end - 1]:
            return None
        return origins[start][0], origins[end - 1][1]


def fold_accents(text: str) -> str:
    """Return a text without accents.

    >>> fold_accents("Łukasz Núñez"), fold_accents("Nu\u0301n\u0303ez")
    ('Lukasz Nunez', 'Nunez')
    """
    return fold_with_offsets(text).text


@lru_cache(maxsize=256)
def fold_with_offsets(text: str) -> FoldedText:
    """Return a text without accents, aligned with the original."""
    if text.isascii():
        return FoldedText(text)
    is_decomposed = unicodedata.is_normalized("NFD", text)
    if is_decomposed and not _REPLACED_LETTER.search(text) and not any(map(_is_accent, text)):
        return FoldedText(text)  # without offsets, which would be those of the text itself

    folded: list[str] = []
    origins: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        # A letter and the marks behind it are decomposed together: the order of the marks may change.
        end = start + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        for character in unicodedata.normalize("NFD", text[start:end]):
            if not _is_accent(character):
                letters = _LETTERS.get(character, character)
                folded.append(letters)
                origins += [(start, end)] * len(letters)
        start = end
    return FoldedText("".join(folded), tuple(origins))


def _is_accent(character: str) -> bool:
    """Return whether a character is a combining accent, or a vowel point of Hebrew and Arabic.

    Other combining classes below 10 are marks that form another letter; those from 84 to 132 are vowels of Indic and
    South-East Asian scripts.
    """
    combining_class = unicodedata.combining(character)
    return combining_class == 1 or 10 <= combining_class <= 36 or combining_class >= 200
