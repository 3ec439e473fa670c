"""The extent of a name in a text: whole words at both ends, and the capitalised words around it."""

import re
from dataclasses import replace

from claimstance.model.text.mentions import NO_FIRST_NAME
from claimstance.model.text.person_names import is_title, words
from claimstance.model.windows import SentenceSpan

# The capitalised words after and before a name. Acronyms after it are names of their own.
NEXT_WORD = re.compile(r" ([^\W\d_a-z][^\W\d_A-Z][\w-]*)")
_BEFORE = re.compile(r"([^\W\d_a-z](?:[^\W_]|-(?=[^\W\d_a-z]))*) $")
_REACH = 60  # characters before a position for these patterns; a limit keeps long texts linear
LAST_WORD = re.compile(r"[^\W_]+$")
# Words of a name that the tokenizer divides: initials (U | .S.), a number (EB | -5), an apostrophe (O | ’Malley).
_INITIALS_AFTER = re.compile(r"(?:\.[A-Z](?![a-z]))+\.?")
_INITIALS_BEFORE = re.compile(r"(?:(?<![\w.])[A-Z]\.)(?:[A-Z]\.)*$")
_NUMBER_AFTER = re.compile(r"-(?:\d\w*|[IVX]+\b)")
_APOSTROPHE_AFTER = re.compile(r"[’'][A-Z][a-z]+")
_APOSTROPHE_BEFORE = re.compile(r"(?<!\w)[A-Z][’']$")
# Words that do not end a name.
_NO_ENDS = words("a an and at for in of on the to with")
LEADING_MARKS = " “”\"‘’'([—–-"  # characters that may precede the first word of a sentence


def with_whole_words(span: SentenceSpan, text: str) -> SentenceSpan:
    """Return a span completed by the rest of its first and last word."""
    start, end = span.start, span.end
    word_end = end - 1 if text[end - 1] == "-" else end
    last = LAST_WORD.search(text, max(start, end - _REACH), word_end)
    last_word = last[0] if last else ""

    after = None
    if len(last_word) == 1:
        after = _INITIALS_AFTER.match(text, end) or _APOSTROPHE_AFTER.match(text, end)
    # A number belongs to an abbreviation (EB-5), and abbreviations are short.
    if after is None and last_word.isupper() and len(last_word) < 5:
        after = _NUMBER_AFTER.match(text, word_end)
    if after is not None:
        end = after.end()

    before = None
    if text[start].isupper():
        reach = max(0, start - _REACH)
        before = _APOSTROPHE_BEFORE.search(text, reach, start)
        # A single capital may be the last of several initials.
        if before is None and not text[start + 1 : start + 2].isalpha():
            before = _INITIALS_BEFORE.search(text, reach, start)
    if before is not None:
        start = before.start()
    return replace(span, start=start, end=end)


def without_open_end(span: SentenceSpan, text: str) -> SentenceSpan:
    """Return a span without a hyphen or an *of* at its end."""
    start, end = span.start, span.end
    while end > start and not text[end - 1].isalnum() and text[end - 1] not in ".)":
        end -= 1
    while True:
        last = LAST_WORD.search(text, max(start, end - _REACH), end)
        if last is None or last[0] not in _NO_ENDS:
            return replace(span, end=end)
        end = start + len(text[start : last.start()].rstrip())


def extend_back(text: str, start: int, limit: int) -> int:
    """Return the start of a name with the capitalised words before ``start``, as far as ``limit``.

    The first word of a sentence is not included: it has its capital anyway.
    """
    while True:
        word = _BEFORE.search(text, max(limit, start - _REACH), start)
        if word is None or word[1] in NO_FIRST_NAME or is_title(word[1]):
            return start
        is_first_word = not text[: word.start()].strip(LEADING_MARKS)
        # The splitter leaves some sentences together: a stop before the word ends one, too.
        before = text[max(0, word.start() - 3) : word.start()].rstrip(" “\"‘'(")
        if is_first_word or before.endswith((".", "?", "!", ":")):
            return start
        start = word.start()


def extend_forward(text: str, end: int, limit: int) -> int:
    """Return the end of a name with the capitalised words after ``end``, as far as ``limit``."""
    while True:
        word = NEXT_WORD.match(text, end, limit)
        if word is None or word[1] in NO_FIRST_NAME:
            return end
        # *State* is a title (State Senator), but also the end of names (Islamic State).
        if is_title(word[1]) and word[1] != "State":
            return end
        end = word.end()
