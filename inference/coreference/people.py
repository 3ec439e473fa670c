"""What an article mentions, in order: its named people, its quotes, and who is a he and who a she.

The ground that ``claimstance.inference.coreference.resolver`` stands on. Everything is told from the form of the text: titles, commas,
quotation marks, and pronouns beside the only name around. There is no list of first names.
"""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from claimstance.model.text.person_names import bare_name, person_name, words

Span = tuple[int, int]
Entity = tuple[int, int, str]

GENDERS = {
    **dict.fromkeys(("he", "him", "his", "himself"), "male"),
    **dict.fromkeys(("she", "her", "hers", "herself"), "female"),
}
PRONOUN = re.compile(rf"\b(?:{'|'.join(GENDERS)})\b", re.IGNORECASE)
_MALE = words(
    "mr sir lord king prince father son brother husband man chairman spokesman congressman councilman businessman actor"
)
_FEMALE = words(
    """
    mrs ms miss dame lady queen princess mother daughter sister wife woman chairwoman spokeswoman congresswoman
    councilwoman businesswoman actress
    """
)
# A title says more than a subject before the pronoun, and that more than a person in the sentence before.
_TITLE_WEIGHT, _SUBJECT_WEIGHT = 3, 2
_QUOTE_MARK = re.compile(r"[“”\"]|''|``")
_AFTER_PREPOSITION = re.compile(
    r"\b(?:about|above|after|against|among|around|as|at|before|behind|beside|between|by|for|from|in|into|like|near|of|on"
    r"|over|than|to|towards?|under|with|without)\s+(?:the\s+|former\s+|[A-Z]\w*\.?\s+)*$"
)
_POSSESSIVE = re.compile(r"['’]s?\b")
_REACH = 60  # characters before a name that tell its place in the sentence


@dataclass(frozen=True)
class Mention:
    """A person at a place in the text, by the name that the person goes by."""

    start: int
    end: int
    sentence: int
    name: str
    quoted: bool
    subject: bool
    source: bool = False


class Article:
    """A text with what is known of the people in it.

    Attributes:
        people: mentions by name, in order.
        genders: name → ``male`` or ``female``, where there is evidence and it mostly agrees.
    """

    def __init__(self, text: str, sentences: Sequence[Span], entities: Iterable[Entity]) -> None:
        self.text = text
        self._starts = [start for start, _ in sentences]
        self._quotes = list(_quotes(text))
        spans = sorted(
            (start, end)
            for start, end, label in entities
            if label == "PERSON" and text[start:end].strip()
        )
        self.full_names = _full_names(text[start:end] for start, end in spans)
        self.people = [self._mention(start, end) for start, end in spans]
        self.genders = self._guess_genders()

    def sentence_at(self, position: int) -> int:
        """The index of the sentence that holds a position, or of the last one before it."""
        return max(0, bisect_right(self._starts, position) - 1)

    def is_quoted(self, position: int) -> bool:
        """Whether a position lies within quotation marks."""
        i = bisect_right(self._quotes, (position, len(self.text))) - 1
        return i >= 0 and position < self._quotes[i][1]

    def fullest(self, name: str) -> str:
        """The full name that a person's name stands for in this article; the bare name if there is no fuller one."""
        bare = bare_name(name)
        if person_name(bare) is not None:
            return bare
        return self.full_names.get(bare, bare)

    def _mention(self, start: int, end: int) -> Mention:
        text = self.text
        possessive = _POSSESSIVE.match(text, end) or text[start:end].endswith(("'s", "’s"))
        after_preposition = _AFTER_PREPOSITION.search(text, max(0, start - _REACH), start)
        name, sentence = self.fullest(text[start:end]), self.sentence_at(start)
        return Mention(
            start, end, sentence, name, self.is_quoted(start), not (possessive or after_preposition)
        )

    def _guess_genders(self) -> dict[str, str]:
        """By titles, and by pronouns outside quotes whose sentence so far, else the one before, names one person."""
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        outside: dict[int, list[Mention]] = defaultdict(list)
        for person in self.people:
            near = re.findall(r"\w+", self.text[max(0, person.start - _REACH) : person.start])[-2:]
            near += re.findall(r"\w+", self.text[person.start : person.end])[:1]
            for gender, nouns in (("male", _MALE), ("female", _FEMALE)):
                votes[person.name][gender] += _TITLE_WEIGHT * any(
                    word.lower() in nouns for word in near
                )
            if not person.quoted:
                outside[person.sentence].append(person)
        for pronoun in PRONOUN.finditer(self.text):
            if self.is_quoted(pronoun.start()):
                continue
            sentence = self.sentence_at(pronoun.start())
            before = [person for person in outside[sentence] if person.start < pronoun.start()]
            names = {person.name for person in before or outside[sentence - 1]}
            if len(names) == 1:
                weight = _SUBJECT_WEIGHT if before and before[0].subject else 1
                votes[names.pop()][GENDERS[pronoun[0].lower()]] += weight
        return {
            name: max(count, key=count.__getitem__)
            for name, count in votes.items()
            if _is_clear(count)
        }


def _is_clear(votes: Counter[str]) -> bool:
    male, female = votes["male"], votes["female"]
    return max(male, female) > 1 and max(male, female) >= 3 * min(male, female)


def _full_names(names: Iterable[str]) -> dict[str, str]:
    """Surname → the full name with it that occurs most often; of two, the first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name in names:
        bare = bare_name(name)
        if person := person_name(bare):
            for short in {person.surname, person.particles + person.surname}:
                counts[short][bare] += 1
    return {short: count.most_common(1)[0][0] for short, count in counts.items()}


def _quotes(text: str) -> Iterator[Span]:
    """Stretches within double quotation marks; one that is never closed ends with its paragraph."""
    for paragraph in re.finditer(r"[^\n]+", text):
        opened: int | None = None
        for mark in _QUOTE_MARK.finditer(text, *paragraph.span()):
            if opened is None and mark[0] != "”":
                opened = mark.start()
            elif opened is not None and (mark[0] not in ("“", "``") or _is_mistyped_close(mark)):
                yield opened, mark.end()
                opened = None
        if opened is not None:
            yield opened, paragraph.end()


def _is_mistyped_close(mark: re.Match[str]) -> bool:
    """Whether an opening mark stands where one closes: “so it is“, he said."""
    before, after = (
        mark.string[max(0, mark.start() - 1) : mark.start()],
        mark.string[mark.end() : mark.end() + 1],
    )
    return bool(before.strip()) and not after.isalnum()
