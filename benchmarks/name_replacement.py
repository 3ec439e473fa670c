"""Put other names into annotated sentences, and shift their spans accordingly."""

import re
from collections.abc import Mapping, Sequence

from claimstance.model.labels import ROLES
from claimstance.model.record import Record, Span

#: The two parties of the United States are exchanged for each other.
PARTIES = {
    "Republican": "Democrat",
    "Republicans": "Democrats",
    "Democrat": "Republican",
    "Democrats": "Republicans",
    "Democratic": "Republican",
    "GOP": "Democratic Party",
    "G.O.P.": "Democratic Party",
    "RNC": "DNC",
    "DNC": "RNC",
}
#: Forms that differ before a noun: *a Republican senator* → *a Democratic senator*.
_BEFORE_NOUNS = {"Republican": "Democratic", "GOP": "Democratic", "G.O.P.": "Democratic"}
# The next word is a noun, unless it is one of the words that go on after one.
_NOUN_FOLLOWS = re.compile(
    r"\s+(?!(?:and|as|at|but|by|for|from|had|has|have|in|is|of|on|or|said|says|than|that|the|to|was|were|who|"
    r"whose|will|with|would)\b)[^\W\d_]"
)
_MIN_CAPITALS = 4  # letters of a name that is replaced in capitals, too

Move = tuple[int, int, int, int]  # old start, old end, new start, new end


def swap_names(records: Sequence[Record], replacements: Mapping[str, str]) -> list[Record]:
    """Return the records of an article with other names, and all spans shifted accordingly.

    A span that begins or ends within a name is extended to all of the new name.
    """
    in_capitals = {
        name.upper(): new.upper()
        for name, new in replacements.items()
        if len(name) >= _MIN_CAPITALS
    }
    table = {**in_capitals, **replacements}
    names = sorted({*table, *PARTIES}, key=lambda name: (-len(name), name))
    alternatives = "|".join(r"\s+".join(map(re.escape, name.split())) for name in names)
    pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)")

    swapped = []
    shift = 0  # characters that earlier sentences have grown by
    for record in records:
        text, moves = _replace(record.text, pattern, table)
        start = None if record.start is None else record.start + shift
        shift += len(text) - len(record.text)
        update = {"text": text, "start": start, **_shifted_fields(record, moves, pattern, table)}
        swapped.append(record.model_copy(update=update))
    return swapped


def _replace(
    text: str, pattern: re.Pattern[str], table: Mapping[str, str]
) -> tuple[str, list[Move]]:
    """Return the text with other names, and where each of them was and is."""
    words: list[str] = []
    moves: list[Move] = []
    position = length = 0
    for found in pattern.finditer(text):
        name = " ".join(found[0].split())
        new = table.get(name)
        if new is None:
            is_before_noun = name in _BEFORE_NOUNS and _NOUN_FOLLOWS.match(text, found.end())
            new = _BEFORE_NOUNS[name] if is_before_noun else PARTIES[name]
        length += found.start() - position
        moves.append((*found.span(), length, length + len(new)))
        words += [text[position : found.start()], new]
        position, length = found.end(), length + len(new)
    return "".join([*words, text[position:]]), moves


def shift_span(span: Span, moves: Sequence[Move]) -> Span:
    """Return a span in the new text; pieces that the extension makes overlap are joined."""
    pieces: list[tuple[int, int]] = []
    for start, end in sorted(_shift_piece(start, end, moves) for start, end in span):
        if pieces and start < pieces[-1][1]:
            pieces[-1] = (pieces[-1][0], max(end, pieces[-1][1]))
        else:
            pieces.append((start, end))
    return pieces


def _shift_piece(start: int, end: int, moves: Sequence[Move]) -> tuple[int, int]:
    new_start, new_end = start, end
    for old_start, old_end, moved_start, moved_end in moves:
        if old_end <= start:
            new_start = start + moved_end - old_end
        elif old_start <= start:
            new_start = moved_start
        if old_end <= end:
            new_end = end + moved_end - old_end
        elif old_start < end:
            new_end = moved_end
    return new_start, new_end


def _shifted_fields(
    record: Record, moves: Sequence[Move], pattern: re.Pattern[str], table: Mapping[str, str]
) -> dict[str, object]:
    """Return the fields of a record that have spans or names, with those of the new text."""

    def shift(value: Span | str | None) -> Span | str | None:
        if isinstance(value, str):
            return _replace(value, pattern, table)[0]
        return None if value is None else shift_span(value, moves)

    fields: dict[str, object] = {}
    if record.attributions is not None:
        fields["attributions"] = [
            each.model_copy(update={role: shift(getattr(each, role)) for role in ROLES})
            for each in record.attributions
        ]
    if record.entities is not None:
        fields["entities"] = [
            each.model_copy(update={"span": shift(each.span)}) for each in record.entities
        ]
    if record.stances is not None:
        fields["stances"] = [
            each.model_copy(update={"holder": shift(each.holder), "target": shift(each.target)})
            for each in record.stances
        ]
    return fields
