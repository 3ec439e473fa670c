"""The people that a text names, in order, with its quotes and who is a he and who a she.

The ground that ``claimstance.inference.coreference.resolver`` stands on. Everything comes from the form of the text:
titles, commas, quotation marks, and pronouns beside the only name around. There is no list of first names.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from claimstance.inference.coreference.quotes import find_quotes
from claimstance.model.predictor import Stop, StoppedError, never
from claimstance.model.text.accents import fold_accents
from claimstance.model.text.person_names import bare_name, person_name, words

T = TypeVar("T")
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
_AFTER_PREPOSITION = re.compile(
    r"\b(?:about|above|after|against|among|around|as|at|before|behind|beside|between|by|for|from|in|into|like|near|of|on"
    r"|over|than|to|towards?|under|with|without)\s+(?:the\s+|former\s+|[A-Z]\w*\.?\s+)*$"
)
_POSSESSIVE = re.compile(r"['’]s?\b")
_REACH = 60  # characters before a name that tell its place in the sentence
_STOP_EVERY = 64  # steps of less than a millisecond each


@dataclass(frozen=True)
class Mention:
    """A person at a place in the text, by the name that the person goes by.

    Attributes:
        start: the first character, in code points of the text.
        end: the one after the last.
        sentence: the index of the sentence.
        name: the fullest form of the name in the text.
        quoted: whether it stands within quotation marks.
        subject: whether it may be the subject of its clause.
        source: whether it says something.
        pronoun: the gender of the pronoun that it is; ``None`` for a name or a description.
    """

    start: int
    end: int
    sentence: int
    name: str
    quoted: bool
    subject: bool
    source: bool = False
    pronoun: str | None = None


class PeopleInText:
    """A text with what is known of the people in it.

    Every question about a place is answered by a binary search, so that all questions about an article take a time
    that grows with its length, not with the square of it.

    Attributes:
        people: mentions by name, in order.
        genders: name → ``male`` or ``female``, where there is evidence and it mostly agrees.

    Raises:
        StoppedError: once ``stop`` says so.
    """

    def __init__(
        self,
        text: str,
        sentences: Sequence[Span],
        entities: Iterable[Entity],
        stop: Stop = never,
    ) -> None:
        self.text = text
        self._sentence_starts = [start for start, _ in sentences]
        self._quotes = [(quote.start, quote.end) for quote in find_quotes(text)]
        spans = sorted(
            (start, end)
            for start, end, label in entities
            if label == "PERSON" and text[start:end].strip()
        )
        names = Counter(bare_name(text[start:end]) for start, end in spans)
        self._spellings = _spellings(names)
        self._full_names = _full_names(names)
        self.people = [self._mention(start, end) for start, end in unless_stopped(spans, stop)]
        self._starts = [person.start for person in self.people]
        self._by_end = sorted((person.end, number) for number, person in enumerate(self.people))
        self.genders = self._guess_genders(stop)

    def sentence_at(self, position: int) -> int:
        """Return the index of the sentence that holds a position, or of the last one before it."""
        return max(0, bisect_right(self._sentence_starts, position) - 1)

    def is_quoted(self, position: int) -> bool:
        """Return whether a position lies within quotation marks."""
        i = bisect_right(self._quotes, (position, len(self.text))) - 1
        return i >= 0 and position < self._quotes[i][1]

    def fullest(self, name: str) -> str:
        """Return the full name that a person's name stands for in this text, or the bare name if none is fuller."""
        bare = bare_name(name)
        folded = fold_accents(bare)
        if person_name(folded) is not None:
            return self._spellings.get(folded, bare)
        return self._full_names.get(folded, bare)

    def is_person(self, name: str) -> bool:
        """Return whether a bare name has the form of a person's, or is the surname of somebody in this text."""
        folded = fold_accents(name)
        return person_name(folded) is not None or folded in self._full_names

    def within(self, span: Span) -> Iterator[tuple[int, Mention]]:
        """Yield the people named within a span, in order, each with its number in ``people``."""
        start, end = span
        for number in range(bisect_left(self._starts, start), bisect_right(self._starts, end)):
            if self.people[number].end <= end:
                yield number, self.people[number]

    def ending_between(self, first: int, last: int) -> list[Mention]:
        """Return the people whose mention ends at a position from ``first`` to ``last``, in order."""
        low = bisect_left(self._by_end, (first, -1))
        high = bisect_left(self._by_end, (last + 1, -1))
        return [self.people[number] for number in sorted(n for _, n in self._by_end[low:high])]

    def _mention(self, start: int, end: int) -> Mention:
        text = self.text
        possessive = _POSSESSIVE.match(text, end) or text[start:end].endswith(("'s", "’s"))
        after_preposition = _AFTER_PREPOSITION.search(text, max(0, start - _REACH), start)
        name, sentence = self.fullest(text[start:end]), self.sentence_at(start)
        return Mention(
            start, end, sentence, name, self.is_quoted(start), not (possessive or after_preposition)
        )

    def _guess_genders(self, stop: Stop) -> dict[str, str]:
        """Return genders by titles, and by pronouns outside quotes whose sentence so far, else the one before, names
        one person.
        """
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        unquoted: dict[int, list[Mention]] = defaultdict(list)
        for person in unless_stopped(self.people, stop):
            near = re.findall(r"\w+", self.text[max(0, person.start - _REACH) : person.start])[-2:]
            near += re.findall(r"\w+", self.text[person.start : person.end])[:1]
            for gender, nouns in (("male", _MALE), ("female", _FEMALE)):
                if any(word.lower() in nouns for word in near):
                    votes[person.name][gender] += _TITLE_WEIGHT
            if not person.quoted:
                unquoted[person.sentence].append(person)
        for pronoun, before, names in self._unquoted_pronouns(unquoted, stop):
            if len(names) == 1:
                weight = _SUBJECT_WEIGHT if before is not None and before.subject else 1
                votes[min(names)][GENDERS[pronoun.lower()]] += weight
        return {
            name: max(count, key=count.__getitem__)
            for name, count in votes.items()
            if _is_clear(count)
        }

    def _unquoted_pronouns(
        self, unquoted: dict[int, list[Mention]], stop: Stop
    ) -> Iterator[tuple[str, Mention | None, set[str]]]:
        """Yield each pronoun outside quotes, the first person named before it in its sentence, and the names of all
        people before it there, else of those in the sentence before.
        """
        current = -1
        before: set[str] = set()
        previous: set[str] = set()
        passed = 0
        for pronoun in unless_stopped(PRONOUN.finditer(self.text), stop):
            if self.is_quoted(pronoun.start()):
                continue
            sentence = self.sentence_at(pronoun.start())
            people = unquoted.get(sentence, [])
            if sentence != current:
                current, before, passed = sentence, set(), 0
                previous = {person.name for person in unquoted.get(sentence - 1, ())}
            while passed < len(people) and people[passed].start < pronoun.start():
                before.add(people[passed].name)
                passed += 1
            yield pronoun[0], people[0] if before else None, before or previous


def unless_stopped(items: Iterable[T], stop: Stop) -> Iterator[T]:
    """Yield ``items``, and raise ``StoppedError`` once ``stop``, which is asked now and then, says so."""
    for number, item in enumerate(items):
        if number % _STOP_EVERY == 0 and stop():
            raise StoppedError
        yield item


def _is_clear(votes: Counter[str]) -> bool:
    male, female = votes["male"], votes["female"]
    return max(male, female) > 1 and max(male, female) >= 3 * min(male, female)


def _spellings(names: Counter[str]) -> dict[str, str]:
    """Return name without accents → the spelling of it that occurs most often; of two, the first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, times in names.items():
        counts[fold_accents(name)][name] += times
    return {folded: count.most_common(1)[0][0] for folded, count in counts.items()}


def _full_names(names: Counter[str]) -> dict[str, str]:
    """Return surname without accents → the full name with it that occurs most often; of two, the first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, times in names.items():
        if person := person_name(fold_accents(name)):
            for short in {person.surname, person.particles + person.surname}:
                counts[short][name] += times
    return {short: count.most_common(1)[0][0] for short, count in counts.items()}
