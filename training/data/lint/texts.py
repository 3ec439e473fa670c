"""Checks of a record's text, id, date, and of earlier records with the same text."""

import datetime
import re
import unicodedata
from collections.abc import Iterator

from claimstance.model.errors import shorten
from claimstance.training.data.documents.markup import find_markup
from claimstance.training.data.lint.base import CheckedRecord

# In characters: about 450 tokens of English, more than the encoders here see at once.
LONGEST_TEXT = 2000
# UTF-8 that was decoded as cp1252 shows as a lead byte with one to three continuation bytes.
_CONTINUATION = "".join(bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xC0))
_MOJIBAKE = re.compile(rf"[\u00c2-\u00f4][{re.escape(_CONTINUATION)}\u0080-\u009f]{{1,3}}")
# An ISO date, with or without a time of day and a time zone.
_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)


def empty(checked: CheckedRecord) -> Iterator[str]:
    """Yield texts without words, from which nothing can be learnt."""
    text = checked.record.text
    if not text.strip():
        yield f"text: expected a text, found {'a blank' if text else 'an empty'} one"


def markup(checked: CheckedRecord) -> Iterator[str]:
    """Yield the first tag or character reference, which the encoder would take for words."""
    tag = find_markup(checked.record.text)
    if tag is not None:
        yield f"text: expected plain text, found markup ({shorten(tag)})"


def replacement(checked: CheckedRecord) -> Iterator[str]:
    """Yield the number of U+FFFD, which replaces characters that could not be decoded."""
    count = checked.record.text.count("\ufffd")
    if count:
        yield (
            "text: expected whole characters, found U+FFFD (a character that was lost) "
            f"{count} times"
        )


def control(checked: CheckedRecord) -> Iterator[str]:
    """Yield the first byte order mark or control character other than tabs and line ends."""
    for offset, character in enumerate(checked.record.text):
        is_control = unicodedata.category(character) == "Cc" and character not in "\t\n\r"
        if is_control or character == "\ufeff":
            yield (
                f"text: expected no control characters, found U+{ord(character):04X} "
                f"at character {offset}"
            )
            return


def mojibake(checked: CheckedRecord) -> Iterator[str]:
    """Yield the first characters that are UTF-8 decoded as Windows-1252."""
    for match in _MOJIBAKE.finditer(checked.record.text):
        # Characters that happen to look like mojibake do not encode back to valid UTF-8.
        try:
            encoded = b""
            for character in match[0]:
                # Decoders read the bytes that Windows-1252 leaves undefined as Latin-1.
                encoding = "latin-1" if "\x80" <= character <= "\x9f" else "cp1252"
                encoded += character.encode(encoding)
            decoded = encoded.decode("utf-8")
        except UnicodeError:
            continue
        yield (
            f"text: expected '{decoded}', as it seems, found '{match[0]}' "
            "(UTF-8 read as Windows-1252)"
        )
        return


def long(checked: CheckedRecord) -> Iterator[str]:
    """Yield texts that may not fit into the encoder's window."""
    length = len(checked.record.text)
    if length > LONGEST_TEXT:
        yield (
            f"text: expected a sentence, found {length} characters: the encoder reads only the "
            "part of a text that fits into its window (max_tokens)"
        )


def date(checked: CheckedRecord) -> Iterator[str]:
    """Yield dates that are not in ISO form, which cannot be sorted."""
    value = checked.record.meta.get("date")
    if value in (None, ""):
        return
    try:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            raise ValueError
        datetime.date.fromisoformat(value[:10])
    except ValueError:
        yield f"meta.date: expected a date as YYYY-MM-DD, found {shorten(repr(value))}"


def same_id(checked: CheckedRecord) -> Iterator[str]:
    """Yield ids that an earlier record of the same annotator has."""
    if checked.same_id is not None:
        yield (
            f"id: expected a new id, found '{checked.record.id}', already used in {checked.same_id}"
        )


def exact_repeat(checked: CheckedRecord) -> Iterator[str]:
    """Yield records that repeat an earlier one, and would count twice."""
    if checked.repeats is not None and checked.same_id is None:
        yield f"expected each record once, found the same but for its id in {checked.repeats}"


def two_ways(checked: CheckedRecord) -> Iterator[str]:
    """Yield labels that contradict those of an earlier record with the same text."""
    for contradiction in checked.contradictions:
        yield (
            f"{contradiction.question}: expected '{contradiction.earlier_label}', as the same text "
            f"has in {contradiction.earlier_location}, found '{contradiction.label}'"
        )
