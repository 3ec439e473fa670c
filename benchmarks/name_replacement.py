"""Put other names into annotated sentences, and shift their spans accordingly."""

import re
from collections.abc import Mapping, Sequence

from claimstance.model.record import Record
from claimstance.training.fine_tuning.augmentation.name_swaps import replace_spans

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
        renamed = replace_spans(record, _find_names(record.text, pattern, table))
        if record.start is not None:
            renamed = renamed.model_copy(update={"start": record.start + shift})
        shift += len(renamed.text) - len(record.text)
        stances = []
        for stance in renamed.stances or ():
            holder, target = stance.holder, stance.target
            # Spans have been shifted with the text. A string is a name that is not in the text.
            if isinstance(holder, str):
                holder = _rename(holder, pattern, table)
            if isinstance(target, str):
                target = _rename(target, pattern, table)
            stances.append(stance.model_copy(update={"holder": holder, "target": target}))
        if renamed.stances is not None:
            renamed = renamed.model_copy(update={"stances": stances})
        swapped.append(renamed)
    return swapped


def _find_names(
    text: str, pattern: re.Pattern[str], table: Mapping[str, str]
) -> list[tuple[int, int, str]]:
    """Return the names in a text: start, end, and the name that replaces it."""
    replacements = []
    for match in pattern.finditer(text):
        name = " ".join(match[0].split())
        new_name = table.get(name)
        if new_name is None:
            is_before_noun = name in _BEFORE_NOUNS and _NOUN_FOLLOWS.match(text, match.end())
            new_name = _BEFORE_NOUNS[name] if is_before_noun else PARTIES[name]
        replacements.append((*match.span(), new_name))
    return replacements


def _rename(name: str, pattern: re.Pattern[str], table: Mapping[str, str]) -> str:
    """Return a name or a topic with other names in it."""
    for start, end, new_name in reversed(_find_names(name, pattern, table)):
        name = name[:start] + new_name + name[end:]
    return name
