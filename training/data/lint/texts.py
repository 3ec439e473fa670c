"""Checks of the text, and of what stands beside it."""

import datetime
import re
import unicodedata
from collections.abc import Iterator

from claimstance.model.errors import shorten
from claimstance.training.data.documents.markup import find_markup
from claimstance.training.data.lint.base import Seen

LONGEST_TEXT = (
    2000  # characters: about 450 tokens of English, more than the encoders here see at once
)
# A lead byte of UTF-8 as cp1252 shows it, and what its continuation bytes look like there.
_CONTINUATION = "".join(bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xC0))
_MOJIBAKE = re.compile(rf"[\u00c2-\u00f4][{re.escape(_CONTINUATION)}\u0080-\u009f]{{1,3}}")
_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)


def empty(seen: Seen) -> Iterator[str]:
    """Nothing can be learnt from a text without words."""
    if not seen.record.text.strip():
        yield f"text: expected a text, found {'a blank' if seen.record.text else 'an empty'} one"


def markup(seen: Seen) -> Iterator[str]:
    """Tags and character references are read as words."""
    if (tag := find_markup(seen.record.text)) is not None:
        yield f"text: expected plain text, found markup ({shorten(tag)})"


def replacement(seen: Seen) -> Iterator[str]:
    """U+FFFD stands for what was lost when bytes were decoded."""
    if count := seen.record.text.count("\ufffd"):
        yield f"text: expected whole characters, found U+FFFD (a character that was lost) {count} times"


def control(seen: Seen) -> Iterator[str]:
    """Control characters besides tabs and line ends, and byte order marks, are no part of a text."""
    for place, character in enumerate(seen.record.text):
        if (
            unicodedata.category(character) == "Cc" and character not in "\t\n\r"
        ) or character == "\ufeff":
            yield f"text: expected no control characters, found U+{ord(character):04X} at character {place}"
            return


def mojibake(seen: Seen) -> Iterator[str]:
    """UTF-8 that was read as Windows-1252: whatever reads as UTF-8 when it is written back."""
    for found in _MOJIBAKE.finditer(seen.record.text):
        try:
            meant = b"".join(map(_byte, found[0])).decode("utf-8")
        except UnicodeError:
            continue
        yield f"text: expected '{meant}', as it seems, found '{found[0]}' (UTF-8 read as Windows-1252)"
        return


def _byte(character: str) -> bytes:
    """The byte that was shown as this character; Windows-1252 leaves some to Latin-1."""
    return character.encode("latin-1" if "\x80" <= character <= "\x9f" else "cp1252")


def long(seen: Seen) -> Iterator[str]:
    """What does not fit into the encoder's window is read in part."""
    if (length := len(seen.record.text)) > LONGEST_TEXT:
        yield (
            f"text: expected a sentence, found {length} characters: what is longer than the encoder's window "
            f"(max_tokens) is read in part"
        )


def date(seen: Seen) -> Iterator[str]:
    """Dates in another form cannot be put in order."""
    if (value := seen.record.meta.get("date")) in (None, ""):
        return
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValueError
        datetime.date.fromisoformat(value[:10])
    except ValueError:
        yield f"meta.date: expected a date as YYYY-MM-DD, found {shorten(repr(value))}"


def same_id(seen: Seen) -> Iterator[str]:
    """An id names one record, or one of each annotator."""
    if seen.same_id is not None:
        yield f"id: expected a new id, found '{seen.record.id}', already used in {seen.same_id}"


def exact_repeat(seen: Seen) -> Iterator[str]:
    """The same record again counts twice."""
    if seen.repeats is not None and seen.same_id is None:
        yield f"expected each record once, found the same but for its id in {seen.repeats}"


def two_ways(seen: Seen) -> Iterator[str]:
    """One text, one question, two answers: one of them is wrong, or the text does not say enough."""
    for other in seen.contradictions:
        yield f"{other.question}: expected '{other.before}', as the same text has in {other.place}, found '{other.now}'"
